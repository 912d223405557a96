package rng

import (
	"math"
	"math/bits"
)

// Normal fills dst with independent standard normal numbers: the vector of the
// given index. Element i comes from word pair i/2 by the method of Box and
// Muller (1958),
//
//	u1 = (x0+1)·2⁻³²   u2 = x1·2⁻³²   r = √(-2 ln u1)
//	dst[i] = r·cos 2πu2 for even i, r·sin 2πu2 for odd i
//
// in float64, rounded to float32 at the end. A shorter dst gets a prefix of what
// a longer one gets. No number exceeds 6.67 in magnitude.
func Normal(dst []float32, seed uint64, s Stream, sub uint32, index uint64) {
	t := tag(s, sub)
	for b := uint32(0); len(dst) > 0; b += 2 {
		w := pair(seed, t, index, b)
		var v [8]float32
		for i := 0; i < min(8, len(dst)); i += 2 {
			v[i], v[i+1] = boxMuller(w[i], w[i+1])
		}
		dst = dst[copy(dst, v[:]):]
	}
}

// boxMuller returns two independent standard normal numbers from two words.
func boxMuller(x0, x1 uint32) (float32, float32) {
	r := math.Sqrt(-2 * Log((float64(x0)+1)*(1.0/(1<<32))))
	c, s := cosSinTurn(x1)
	return float32(r * c), float32(r * s)
}

// Uniform fills dst with independent numbers from the uniform distribution on
// [lo, hi]: element i is lo + (hi-lo)·x·2⁻³² for the i-th word x, in float64,
// rounded to float32. A shorter dst gets a prefix of what a longer one gets.
func Uniform(dst []float32, lo, hi float32, seed uint64, s Stream, sub uint32, index uint64) {
	base, step := float64(lo), (float64(hi)-float64(lo))*(1.0/(1<<32))
	t := tag(s, sub)
	for b := uint32(0); len(dst) > 0; b += 2 {
		w := pair(seed, t, index, b)
		var v [8]float32
		for i, x := range w {
			v[i] = float32(base + float64(step*float64(x)))
		}
		dst = dst[copy(dst, v[:]):]
	}
}

// Keep fills dst with a dropout mask: element i is scale if the i-th word is
// below keep·2³², which has probability keep, else 0. A keep of 1 or more keeps
// all, one of 0 or less or NaN none.
func Keep(dst []float32, keep, scale float32, seed uint64, s Stream, sub uint32, index uint64) {
	var below uint64
	switch {
	case keep >= 1:
		below = 1 << 32
	case keep > 0:
		below = uint64(float64(keep) * (1 << 32))
	}
	scaleBits := math.Float32bits(scale)
	t := tag(s, sub)
	for b := uint32(0); len(dst) > 0; b += 2 {
		w := pair(seed, t, index, b)
		var v [8]float32
		for i, x := range w {
			// All ones if x < below: a branch would be mispredicted half the time.
			mask := uint32(int64(uint64(x)-below) >> 63)
			v[i] = math.Float32frombits(scaleBits & mask)
		}
		dst = dst[copy(dst, v[:]):]
	}
}

// Permutation fills dst with a uniformly random permutation of 0..len(dst)-1,
// the one of the given index, by Fisher and Yates' shuffle: for i from
// len(dst)-1 down to 1, element i changes places with element j = ⌊r·(i+1)·2⁻⁶⁴⌋,
// where r is the next pair of words, low word first. The shuffle's bias is below
// len(dst)·2⁻⁶⁴ in each choice.
func Permutation(dst []uint32, seed uint64, s Stream, index uint64) {
	for i := range dst {
		dst[i] = uint32(i)
	}
	var w [4]uint32
	for i, t := len(dst)-1, 0; i > 0; i, t = i-1, t+1 {
		if t&1 == 0 {
			w = Block(seed, s, 0, index, uint32(t>>1))
		} else {
			w[0], w[1] = w[2], w[3]
		}
		j, _ := bits.Mul64(uint64(w[1])<<32|uint64(w[0]), uint64(i)+1)
		dst[i], dst[j] = dst[j], dst[i]
	}
}
