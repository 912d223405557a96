package exec

import (
	"errors"
	"math"

	"gantry/infer/internal/plan"
	"gantry/internal/rng"
)

func init() {
	for i, name := range []string{"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"} {
		plan.Register(plan.Operator{Name: name, MinIn: i / 2, MaxIn: i / 2, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
			return newRandom(d, i%2 == 0, i >= 2)
		}})
	}
}

// Random is ONNX RandomNormal, RandomUniform or one of their -Like forms. Its numbers are addressed by a seed, an index, Node and the
// place in a row, which is all that stands at one place of the first dimension. Row r is of index r and of the context's seed. In a
// batch of samples, if PerSample is set and there are as many rows as samples, it has the seed and index of sample r. The attribute
// seed, as the bits of its float32, takes the place of any other seed.
type Random struct {
	Node      int  // the place of the node in the file
	PerSample bool // the shape follows from the model's inputs
	normal    bool
	like      bool
	shape     []int
	dtype     bool // given
	base, to  float32
	seed      uint64
	seeded    bool
}

func newRandom(d *plan.Decl, normal, like bool) (plan.Op, error) {
	o := &Random{normal: normal, like: like, dtype: d.Given("dtype"), seeded: d.Given("seed")}
	o.seed = uint64(math.Float32bits(d.Float("seed", 0)))
	if normal {
		o.base, o.to = d.Float("mean", 0), d.Float("scale", 1)
	} else {
		o.base, o.to = d.Float("low", 0), d.Float("high", 1)
	}
	switch t := d.Int("dtype", 1); t {
	case 1, 10, 11, 16: // float32 and what is computed in it: float16, double, bfloat16
	default:
		return nil, errorf("attribute dtype is %d, want 1, 10, 11 or 16, the types of floats", t)
	}
	if like {
		return o, nil
	}
	if !d.Given("shape") {
		return nil, errors.New("attribute shape is left out")
	}
	o.shape = []int{}
	for _, v := range d.Ints("shape") {
		o.shape = append(o.shape, int(min(max(v, -1), 1<<40)))
	}
	return o, nil
}

// Infer returns the shape.
func (o *Random) Infer(in []*plan.Arg) (plan.Result, error) {
	r := result(plan.Float32, o.shape)
	r.Late = true
	if !o.like {
		return r, nil
	}
	r.Out[0].Shape = in[0].Shape
	if o.dtype {
		return r, nil
	}
	return r, plan.WantFloats(in)
}

// Run draws the numbers.
func (o *Random) Run(c *plan.Context, _, out []*plan.Tensor) error {
	y, rows := out[0].F, 1
	if s := out[0].Shape; len(s) > 0 {
		rows = s[0]
	}
	if len(y) == 0 {
		return nil
	}
	n, node := len(y)/rows, uint32(o.Node)&rng.MaxSub
	each(c, rows, 8*n, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			k := plan.Sample{Seed: c.Seed, Index: uint64(r)}
			if o.PerSample && len(c.Samples) == rows {
				k = c.Samples[r]
			}
			if o.seeded {
				k.Seed = o.seed
			}
			row := y[r*n : (r+1)*n]
			if !o.normal {
				rng.Uniform(row, o.base, o.to, k.Seed, rng.Noise, node, k.Index)
				continue
			}
			rng.Normal(row, k.Seed, rng.Noise, node, k.Index)
			for i, v := range row {
				row[i] = o.base + float32(v*o.to)
			}
		}
	})
	return nil
}
