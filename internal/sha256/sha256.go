// Package sha256 computes SHA-256 (FIPS 180-4) for ganinfer, which compares one digest when it verifies
// a model. It is no faster than it needs to be; programs that need not be small use crypto/sha256,
// which links a module of ciphers and random generators too.
package sha256

import (
	"encoding/binary"
	"math/bits"
)

// Size is the length of a digest in bytes.
const Size = 32

const block = 64

// A Digest is the state of a computation; its zero value has seen no bytes. It
// is an io.Writer.
type Digest struct {
	h    [8]uint32
	tail [block]byte // the last length%block bytes
	n    uint64      // length
}

// Write takes more bytes. It never fails.
func (s *Digest) Write(p []byte) (int, error) {
	if s.n == 0 {
		s.h = initial
	}
	at := int(s.n % block)
	s.n += uint64(len(p))
	for rest := p; len(rest) > 0; at = 0 {
		n := copy(s.tail[at:], rest)
		if rest = rest[n:]; at+n == block {
			s.compress()
		}
	}
	return len(p), nil
}

// Sum returns the digest of the bytes so far. It does not change s.
func (s *Digest) Sum() (sum [Size]byte) {
	end, length := *s, s.n
	pad := [block + 8]byte{0x80}
	n := block - (length+8)%block // a byte 0x80 and zeros, so that with the length a block is full
	binary.BigEndian.PutUint64(pad[n:], length*8)
	end.Write(pad[:n+8])
	for i, h := range end.h {
		binary.BigEndian.PutUint32(sum[4*i:], h)
	}
	return sum
}

// compress takes the block in s.tail (section 6.2.2).
func (s *Digest) compress() {
	var w [64]uint32
	for t := range w {
		if t < 16 {
			w[t] = binary.BigEndian.Uint32(s.tail[4*t:])
			continue
		}
		x, y := w[t-15], w[t-2]
		s0 := bits.RotateLeft32(x, -7) ^ bits.RotateLeft32(x, -18) ^ x>>3
		s1 := bits.RotateLeft32(y, -17) ^ bits.RotateLeft32(y, -19) ^ y>>10
		w[t] = s1 + w[t-7] + s0 + w[t-16]
	}
	a, b, c, d, e, f, g, h := s.h[0], s.h[1], s.h[2], s.h[3], s.h[4], s.h[5], s.h[6], s.h[7]
	for t := range w {
		s1 := bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25)
		s0 := bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22)
		t1 := h + s1 + (e&f ^ ^e&g) + constants[t] + w[t]
		t2 := s0 + (a&b ^ a&c ^ b&c)
		a, b, c, d, e, f, g, h = t1+t2, a, b, c, d+t1, e, f, g
	}
	for i, v := range [8]uint32{a, b, c, d, e, f, g, h} {
		s.h[i] += v
	}
}

// initial and constants are the first 32 bits of the fractional parts of the square roots of the first 8
// primes and of the cube roots of the first 64 (sections 5.3.3 and 4.2.2).
var (
	initial = [8]uint32{
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	}
	constants = [64]uint32{
		0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
		0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
		0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
		0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
		0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
		0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
		0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
		0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
	}
)
