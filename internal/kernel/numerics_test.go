package kernel

import (
	"math"
	"testing"
)

// digest hashes the bits of results (FNV-1a).
type digest uint64

func (d *digest) add(x ...float32) {
	for _, v := range x {
		b := math.Float32bits(v)
		if v != v {
			b = 0x7fc00000
		}
		for range 4 {
			*d = (*d ^ digest(b&0xff)) * 1099511628211
			b >>= 8
		}
	}
}

// numerics is what every kernel gives for some input, on every processor. If a
// change alters it on purpose, raise Numerics and write the new value here.
const numerics = 0xf2bdf40aa35f20eb

func TestNumerics(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	eachTier(t, func(t *testing.T) {
		if got := numericsDigest(p); got != numerics {
			t.Errorf("digest is %#x, want %#x: results have changed, see the comment on numerics", uint64(got), uint64(numerics))
		}
	})
}

func numericsDigest(p *Pool) digest {
	d := digest(14695981039346656037)
	const m, n, k = 24, 50, 600
	a, b, bias := noiseSlice(m*k, 1), noiseSlice(k*n, 2), noiseSlice(n, 3)
	dst, dst2 := make([]float32, m*n), make([]float32, m*n)
	for f := range TN + 1 {
		Gemm(p, f, dst, a, b, m, n, k, Epilogue{Bias: bias, Act: LeakyRelu, Alpha: 0.2})
		d.add(dst...)
	}
	GemmShards(p, dst, a, b, m, n, k, 3, make([]float32, 2*m*n))
	d.add(dst...)
	ColSum(p, dst, a, m, k, 4)
	d.add(dst[:k]...)

	x := noiseSlice(4000, 4)
	for i := range x {
		x[i] = float32(math.Ldexp(float64(x[i]), i%12-4))
	}
	y, z := make([]float32, len(x)), make([]float32, len(x))
	g := noiseSlice(len(x), 5)
	for act := range Sigmoid + 1 {
		Apply(p, act, 0.2, y, x)
		ApplyGrad(p, act, 0.2, z, y, g)
		d.add(y...)
		d.add(z...)
	}
	d.add(SoftplusMean(x, -1, 0.5, 4), SigmoidMean(x))
	SoftplusMeanGrad(y, x, -1, 0.5)
	d.add(y...)

	mean, variance, inv, gamma := dst[:n], dst2[:n], noiseSlice(n, 6), noiseSlice(n, 7)
	BatchNormStats(p, mean, variance, x, 80, n, 4)
	d.add(mean...)
	d.add(variance...)
	BatchNormApply(p, y, x, mean, inv, gamma, bias, 80, n, Identity, 0)
	d.add(y...)
	BatchNormGrad(p, y, dst[n:2*n], dst[2*n:3*n], x, nil, g, mean, inv, gamma, bias, 80, n, 4, Identity, 0)
	d.add(y...)
	d.add(dst[n : 3*n]...)

	const rows, channels = 2500, 5 // more than one block of rows
	tall, tallY := noiseSlice(rows*channels, 9), make([]float32, rows*channels)
	BatchNormStats(p, mean[:channels], variance[:channels], tall, rows, channels, 1)
	d.add(mean[:channels]...)
	d.add(variance[:channels]...)
	BatchNormApply(p, tallY, tall, mean, inv, gamma, bias, rows, channels, LeakyRelu, 0.2)
	d.add(tallY...)

	for _, c := range []*Conv{
		NewConv(ConvShape{H: 9, W: 8, C: 70, OH: 5, OW: 4, K: 50, R: 4, S: 4, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 1}),
		NewFastConv(ConvShape{H: 12, W: 8, C: 50, OH: 6, OW: 4, K: 70, R: 4, S: 4, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 1}, 0),
		NewFastConv(ConvShape{H: 16, W: 12, C: 40, OH: 8, OW: 6, K: 36, R: 4, S: 4, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 1}, 8),
		NewConv(ConvShape{H: 4, W: 4, C: 6, OH: 4, OW: 4, K: 300, R: 3, S: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 2}),
		NewConv(ConvShape{H: 8, W: 8, C: 3, OH: 4, OW: 4, K: 40, R: 4, S: 4, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 1}),
	} {
		const n = 4
		s := c.Shape()
		fine, coarse, w := noiseSlice(s.H*s.W*n*s.C, 10), noiseSlice(s.OH*s.OW*n*s.K, 11), noiseSlice(s.K*s.C/s.Groups*s.R*s.S, 12)
		y, back, dw := make([]float32, len(coarse)), make([]float32, len(fine)), make([]float32, len(w))
		c.Forward(p, y, fine, w, n, Epilogue{Act: LeakyRelu, Alpha: 0.2})
		c.Transposed(p, back, coarse, w, n, Epilogue{Act: Relu})
		c.WeightGrad(p, dw, fine, coarse, n, 2)
		d.add(y...)
		d.add(back...)
		d.add(dw...)
	}

	w, v, v2 := noiseSlice(len(x), 8), make([]float32, len(x)), make([]float32, len(x))
	for step := range 3 {
		Adam(p, w, g, v, v2, 2e-4, 0.5, 0.999, 1e-8, step+1)
		Momentum(p, w, x, v, 0.1, 0.5)
		Affine(p, w, w, 0.99, 0.01)
		d.add(w...)
	}
	return d
}
