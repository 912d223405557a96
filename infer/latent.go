package infer

import (
	"math"

	"gantry/internal/rng"
	"gantry/models"
)

// Key names one sample of a generator: image Index of Seed, and of class Label where the model is conditional.
type Key struct {
	Seed, Index uint64
	Label       int
}

// Range returns the keys of count images of one seed, from first on.
func Range(seed, first uint64, count int) []Key {
	keys := make([]Key, max(count, 0))
	for i := range keys {
		keys[i] = Key{Seed: seed, Index: first + uint64(i)}
	}
	return keys
}

// Seeds returns the keys of image 0 of each seed.
func Seeds(seeds []uint64) []Key {
	keys := make([]Key, len(seeds))
	for i, s := range seeds {
		keys[i] = Key{Seed: s}
	}
	return keys
}

// LatentSize returns the number of elements of one latent, nz.
func (s *Sampler) LatentSize() int { return s.latent.Size }

// Uniform reports whether latents are uniform; otherwise they are normal.
func (s *Sampler) Uniform() bool { return s.latent.Distribution == models.Uniform }

// Latent writes the latent of a key to dst, which must be LatentSize long: element i is the number
// that docs/latents.md defines for the key's seed and index.
func (s *Sampler) Latent(dst []float32, k Key) {
	if s.Uniform() {
		rng.Uniform(dst, s.latent.Bounds[0], s.latent.Bounds[1], k.Seed, rng.SampleLatent, 0, k.Index)
	} else {
		rng.Normal(dst, k.Seed, rng.SampleLatent, 0, k.Index)
	}
}

// Lerp sets dst to the point at t, from 0 to 1, of the line from a to b, which is the way between uniform latents: it does
// not leave their bounds. dst may be a or b; all three are as long.
func Lerp(dst, a, b []float32, t float64) { blend(dst, a, b, 1-t, t) }

func blend(dst, a, b []float32, p, q float64) {
	for i := range dst {
		dst[i] = float32(float64(p*float64(a[i])) + float64(q*float64(b[i])))
	}
}

// Slerp sets dst to the point at t, from 0 to 1, of the arc from a to b,
//
//	sin((1-t)ω)/sin ω · a + sin(tω)/sin ω · b    ω the angle between a and b
//
// (Shoemake 1985; White 2016), which is the way between normal latents: a point of the line would be nearer to 0 than
// nearly all of them. Where the directions are equal or opposite, within some 1e-5, it is Lerp. dst may be a or b; all
// three are as long. The bits are the same on every machine: the arc is halved until t is found, and nothing but sums,
// products, quotients and square roots is needed for that.
func Slerp(dst, a, b []float32, t float64) {
	aa, bb, ab := 0.0, 0.0, 0.0
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		aa += float64(x * x)
		bb += float64(y * y)
		ab += float64(x * y)
	}
	c := ab / math.Sqrt(float64(aa*bb))
	if !(c > 1e-10-1 && c < 1-1e-10) || t <= 0 || t >= 1 { // or not a number, where one of them is 0
		Lerp(dst, a, b, t)
		return
	}
	p0, q0, p1, q1 := 1.0, 0.0, 0.0, 1.0 // the arc between two points p·a/|a| + q·b/|b|
	for range 52 {
		p, q := p0+p1, q0+q1
		n := math.Sqrt(float64(p*p) + float64(q*q) + float64(2*c*float64(p*q)))
		p, q = p/n, q/n
		if t *= 2; t < 1 {
			p1, q1 = p, q
		} else {
			p0, q0, t = p, q, t-1
		}
	}
	blend(dst, a, b, p0, q0)
}
