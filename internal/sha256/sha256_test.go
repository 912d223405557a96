package sha256

import (
	"crypto/sha256"
	"math/big"
	"testing"
)

func TestDigest(t *testing.T) {
	data := make([]byte, 400)
	for i := range data {
		data[i] = byte(i * 7)
	}
	for n := range data {
		want := sha256.Sum256(data[:n])
		for _, cut := range []int{0, 1, n / 2, 63, 64, 65} {
			cut = min(cut, n)
			var d Digest
			d.Write(data[:cut])
			d.Sum() // changes nothing
			d.Write(data[cut:n])
			if got := d.Sum(); got != want {
				t.Fatalf("%d bytes, cut at %d: got %x, want %x", n, cut, got, want)
			}
		}
	}
}

func FuzzDigest(f *testing.F) {
	f.Add([]byte("abc"), []byte(""))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var d Digest
		d.Write(a)
		d.Write(b)
		if got, want := d.Sum(), sha256.Sum256(append(a[:len(a):len(a)], b...)); got != want {
			t.Fatalf("got %x, want %x", got, want)
		}
	})
}

// TestConstants computes the tables: the fractional part of a root of p is root(p·2^(32·degree)) mod 2^32.
func TestConstants(t *testing.T) {
	primes := 0
	for p := int64(2); primes < len(constants); p++ {
		if !big.NewInt(p).ProbablyPrime(0) {
			continue
		}
		is := func(root uint32, degree uint) {
			// root is the last 32 bits of the largest integer whose power is not above p·2^(32·degree).
			whole := int64(1)
			for power(whole+1, degree).Cmp(big.NewInt(p)) <= 0 {
				whole++
			}
			x := whole<<32 | int64(root)
			limit := new(big.Int).Lsh(big.NewInt(p), 32*degree)
			if power(x, degree).Cmp(limit) > 0 || power(x+1, degree).Cmp(limit) <= 0 {
				t.Errorf("prime %d: %#08x is not of its root of degree %d", p, root, degree)
			}
		}
		if primes < len(initial) {
			is(initial[primes], 2)
		}
		is(constants[primes], 3)
		primes++
	}
}

func power(x int64, degree uint) *big.Int {
	return new(big.Int).Exp(big.NewInt(x), big.NewInt(int64(degree)), nil)
}
