// Package rng provides random numbers that are addressed, not drawn.
//
// # Concepts
//
// Every random number of a run has an address: a seed, a [Stream] (what it is
// for), a sub-stream, an index (which sample) and a position. The number is a
// function of the address alone, so that any part of a run can be computed
// anywhere, in any order, and a resumed run needs no generator state.
//
// The function is Philox4x32-10 of Salmon et al., "Parallel Random Numbers: As
// Easy as 1, 2, 3" (SC 2011), with the seed as key and the rest of the address
// as counter. docs/latents.md restates the definition for other languages.
//
// All functions are safe for concurrent use, allocate nothing and give the same
// bits on each architecture: logarithm, sine and cosine are computed here, with
// every rounding explicit, because those of package math may differ.
package rng

// Stream says what random numbers are for. Streams of one seed are independent.
type Stream uint32

// The streams. Their values are part of the definition of all random numbers
// and never change; there is room for 256.
const (
	SampleLatent Stream = iota // latent vectors of generated samples
	TrainLatent                // latent vectors in training
	Label                      // labels of generated samples
	Order                      // order of the data in an epoch
	Init                       // initial weights
	Dropout                    // masks; sub is the layer
	Augment                    // augmentation of data
	Points                     // data sets of points: sub 0 the center, 1 the noise
	Noise                      // random nodes of a model; sub is the node
)

// MaxSub is the largest sub-stream.
const MaxSub = 1<<24 - 1

const (
	mul0, mul1   = 0xD2511F53, 0xCD9E8D57
	weyl0, weyl1 = 0x9E3779B9, 0xBB67AE85
)

// Philox returns the Philox4x32-10 block of a counter and a key: four
// independent, uniform 32-bit words. It agrees with Random123.
func Philox(ctr [4]uint32, key [2]uint32) [4]uint32 {
	c0, c1, c2, c3 := ctr[0], ctr[1], ctr[2], ctr[3]
	k0, k1 := key[0], key[1]
	for range 10 {
		p0, p1 := mul0*uint64(c0), mul1*uint64(c2)
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		k0 += weyl0
		k1 += weyl1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// Block returns the four words at an address. The counter is index (low, then
// high half), block, stream + 256·sub; the key is seed (low, then high half).
// Block panics if s is above 255 or sub above [MaxSub]: streams would coincide.
func Block(seed uint64, s Stream, sub uint32, index uint64, block uint32) [4]uint32 {
	return Philox([4]uint32{uint32(index), uint32(index >> 32), block, tag(s, sub)}, [2]uint32{uint32(seed), uint32(seed >> 32)})
}

// pair returns the blocks numbered block and block+1 of an address, as Block
// does, word after word. Computing two at once takes hardly longer than one: the
// processor overlaps them.
func pair(seed uint64, tag uint32, index uint64, block uint32) [8]uint32 {
	a0, a1, a2, a3 := uint32(index), uint32(index>>32), block, tag
	b0, b1, b2, b3 := a0, a1, block+1, tag
	k0, k1 := uint32(seed), uint32(seed>>32)
	for range 10 {
		p0, p1 := mul0*uint64(a0), mul1*uint64(a2)
		q0, q1 := mul0*uint64(b0), mul1*uint64(b2)
		a0, a1, a2, a3 = uint32(p1>>32)^a1^k0, uint32(p1), uint32(p0>>32)^a3^k1, uint32(p0)
		b0, b1, b2, b3 = uint32(q1>>32)^b1^k0, uint32(q1), uint32(q0>>32)^b3^k1, uint32(q0)
		k0 += weyl0
		k1 += weyl1
	}
	return [8]uint32{a0, a1, a2, a3, b0, b1, b2, b3}
}

// tag packs a stream and a sub-stream into the counter's last word.
func tag(s Stream, sub uint32) uint32 {
	if s > 255 || sub > MaxSub {
		panic("rng: internal error: stream or sub-stream out of range")
	}
	return uint32(s) | sub<<8
}
