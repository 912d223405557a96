package kernel

import (
	"math"
	"testing"
)

// TestNoAllocations: once the free lists are filled, a call allocates nothing.
func TestNoAllocations(t *testing.T) {
	const m, n, k = 16, 700, 300 // enough for several parts
	a, b, dst := noiseSlice(m*k, 1), noiseSlice(k*n, 2), make([]float32, m*n)
	x, y, z := noiseSlice(50000, 3), make([]float32, 50000), make([]float32, 50000)
	bias, scratch := noiseSlice(n, 4), make([]float32, 3*m*n)
	packed := PackB(NT, b, n, k)
	pixels := make([]uint8, len(x))
	conv := NewFastConv(square(8, 48, 4, 96, 4, 2, 1), 0) // the fast form
	fine, coarse, w := make([]float32, 8*8*3*48), noiseSlice(4*4*3*96, 5), noiseSlice(48*96*16, 6)
	pools := testPools(t)
	eachTier(t, func(t *testing.T) {
		for _, p := range pools {
			for _, c := range []struct {
				name string
				f    func()
			}{
				{"Gemm NN", func() { Gemm(p, NN, dst, a, b, m, n, k, Epilogue{Bias: bias, Act: Tanh}) }},
				{"Gemm NT", func() { Gemm(p, NT, dst, a, b, m, n, k, Epilogue{Act: LeakyRelu, Alpha: 0.2}) }},
				{"GemmShards", func() { GemmShards(p, dst, a, b, m, n, k, 4, scratch) }},
				{"GemmPacked", func() { GemmPacked(p, dst, a, m, packed, Epilogue{Bias: bias}) }},
				{"ColSum", func() { ColSum(p, y, x, 100, 500, 4) }},
				{"Apply", func() { Apply(p, Sigmoid, 0, y, x) }},
				{"ApplyGrad", func() { ApplyGrad(p, LeakyRelu, 0.2, y, x, z) }},
				{"Add", func() { Add(p, y, x, y) }},
				{"BatchNormStats", func() { BatchNormStats(p, y, z, x, 100, 500, 4) }},
				{"BatchNormGrad", func() { BatchNormGrad(p, y, z, z[500:], x, nil, x, bias, bias, bias, bias, 100, 500, 4, Relu, 0) }},
				{"MaxPieces", func() { MaxPieces(p, y, x, 100, 100, 5) }},
				{"SoftplusMean", func() { SoftplusMean(x[:1000], 1, 1, 4) }},
				{"Adam", func() { Adam(p, y, x, z, z, 1e-9, 0.5, 0.999, 1e-8, 1) }},
				{"Lerp", func() { Lerp(p, y, x, 0.5) }},
				{"Momentum", func() { Momentum(p, y, x, z, 1e-9, 0.5) }},
				{"FirstNonFinite", func() { FirstNonFinite(x) }},
				{"AllFinite", func() { AllFinite(p, x) }},
				{"BatchNormApply", func() { BatchNormApply(p, y, x, bias, bias, bias, bias, 100, 500, Tanh, 0) }},
				{"MaxPiecesGrad", func() { MaxPiecesGrad(p, y, x, z, 100, 100, 5) }},
				{"Exp", func() { Exp(p, y, x) }},
				{"Log", func() { Log(p, y, x) }},
				{"Forward", func() { conv.Forward(p, coarse, fine, w, 3, Epilogue{Bias: bias, Act: Relu}) }},
				{"Transposed", func() { conv.Transposed(p, fine, coarse, w, 3, Epilogue{}) }},
				{"WeightGrad", func() { conv.WeightGrad(p, w, fine, coarse, 3, 1) }},
				{"ToHWNC", func() { ToHWNC(p, y, x, 100, 5, 100) }},
				{"FromBytes", func() { FromBytes(p, y, pixels, 1, 0) }},
				{"ToBytes", func() { ToBytes(p, pixels, x, -1, 1) }},
			} {
				if got := allocations(c.f); got != 0 {
					t.Errorf("%s with %d threads allocates %v times, want 0", c.name, p.Threads(), got)
				}
			}
		}
	})
}

func TestPanicsOnBadShapes(t *testing.T) {
	x := make([]float32, 100)
	for name, f := range map[string]func(){
		"dst":      func() { Gemm(nil, NN, x[:99], x, x, 10, 10, 10, Epilogue{}) },
		"a":        func() { Gemm(nil, NN, x, x[:99], x, 10, 10, 10, Epilogue{}) },
		"b":        func() { Gemm(nil, NT, x, x, x[:99], 10, 10, 10, Epilogue{}) },
		"bias":     func() { Gemm(nil, NN, x, x, x, 10, 10, 10, Epilogue{Bias: x[:9]}) },
		"negative": func() { Gemm(nil, NN, x, x, x, -1, 10, 10, Epilogue{}) },
		"overflow": func() { Gemm(nil, NN, x, x, x, math.MaxInt/2, 3, 0, Epilogue{}) },
		"packed":   func() { PackB(NN, x, 10, 11) },
		"shards":   func() { GemmShards(nil, x, x, x, 3, 3, 10, 3, x) },
		"pieces":   func() { MaxPieces(nil, x, x, 3, 3, 0) },
		"adam":     func() { Adam(nil, x, x, x, x[:99], 1, 1, 1, 1, 1) },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || len(s) < 24 || s[:24] != "kernel: internal error: " {
					t.Errorf("%s: recovered %v, want a panic with the package's prefix", name, s)
				}
			}()
			f()
		}()
	}
}

// allocations returns how often a call of f allocates in the end: several threads
// may take their scratch at once only after some calls.
func allocations(f func()) float64 {
	got := 1.
	for try := 0; try < 5 && got != 0; try++ {
		got = testing.AllocsPerRun(3, f)
	}
	return got
}
