package exec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestUnary compares the functions that are more than one operation with float64's, on numbers of all sizes: the distance
// in units of the last place of the result, or of what it is relative to.
func TestUnary(t *testing.T) {
	softplus := func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
	elu := func(x, s, g, d float64) float64 {
		if x > 0 {
			return s * x
		}
		return g * math.Expm1(x/d)
	}
	gelu := func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }
	of := func(x, y float64) float64 { return y }
	ofFactors := func(x, y float64) float64 { return math.Max(math.Abs(x)*0x1p-126, math.Abs(y)) } // one of them may be subnormal
	for _, c := range []struct {
		kind  string
		attrs attrs
		want  func(x float64) float64
		to    func(x, y float64) float64
		ulps  float64
	}{
		{"Cos", nil, math.Cos, of, 0.51},
		{"Sin", nil, math.Sin, of, 0.51},
		{"Erf", nil, math.Erf, of, 2.5},
		{"Gelu", nil, gelu, func(x, y float64) float64 { return math.Max(math.Abs(x)/2, math.Abs(y)) }, 3},
		{"Gelu", attrs{"approximate": "tanh"}, func(x float64) float64 {
			return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
		}, func(x, y float64) float64 { return math.Max(math.Abs(x)/2, math.Abs(y)) }, 4},
		{"Elu", nil, func(x float64) float64 { return elu(x, 1, 1, 1) }, of, 5},
		{"Elu", attrs{"alpha": float32(1.5)}, func(x float64) float64 { return elu(x, 1, 1.5, 1) }, of, 5},
		{"Selu", nil, func(x float64) float64 {
			return elu(x, float64(float32(1.05070102214813232421875)), 1.67326319217681884765625*1.05070102214813232421875, 1)
		}, of, 6},
		{"Celu", attrs{"alpha": float32(0.5)}, func(x float64) float64 { return elu(x, 1, 0.5, 0.5) }, of, 5},
		{"Celu", attrs{"alpha": float32(3)}, func(x float64) float64 { return elu(x, 1, 3, 3) }, of, 6},
		{"Softplus", nil, softplus, of, 3},
		{"Mish", nil, func(x float64) float64 { return x * math.Tanh(softplus(x)) }, ofFactors, 5},
		{"Swish", nil, func(x float64) float64 { return x / (1 + math.Exp(-x)) }, ofFactors, 3},
		{"HardSigmoid", nil, func(x float64) float64 { return math.Min(math.Max(float64(float32(0.2))*x+0.5, 0), 1) }, func(x, y float64) float64 { return 1 }, 1},
		{"HardSwish", nil, func(x float64) float64 { return x * math.Min(math.Max(x/6+0.5, 0), 1) }, func(x, y float64) float64 { return x }, 2},
		{"Softsign", nil, func(x float64) float64 { return x / (1 + math.Abs(x)) }, of, 2},
		{"Round", nil, math.RoundToEven, of, 0},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		x := []float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), 1, -1, 0.5, 1.5, math.MaxFloat32, -math.MaxFloat32}
		for len(x) < 200_000 {
			switch v := math.Float32frombits(r.Uint32()); {
			case len(x)%4 > 0:
				x = append(x, float32(r.NormFloat64()*[]float64{0, 1, 8, 1e5}[len(x)%4]))
			case v-v == 0:
				x = append(x, v)
			}
		}
		y, err := apply(c.kind, 25, c.attrs, f32([]int{len(x)}, x...))
		if err != nil {
			t.Fatal(err)
		}
		worst, at := 0.0, float32(0)
		for i, v := range x {
			want := c.want(float64(v))
			got := float64(y.F[i])
			unit := math.Max(math.Abs(c.to(float64(v), want)), 0x1p-126)
			_, e := math.Frexp(unit)
			d := math.Abs(got-want) / math.Ldexp(1, e-24)
			if math.IsNaN(want) != math.IsNaN(got) || math.Abs(want) <= math.MaxFloat32 && d > worst {
				worst, at = d, v
			}
			if math.IsNaN(want) != math.IsNaN(got) {
				worst = math.Inf(1)
				break
			}
		}
		t.Logf("%s %v: %.2f ulp", c.kind, c.attrs, worst)
		if worst > c.ulps {
			t.Errorf("%s of %v is off by %.2f ulp, want at most %v", c.kind, at, worst, c.ulps)
		}
	}
}
