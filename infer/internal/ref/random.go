package ref

import (
	"math"

	"gantry/internal/rng"
)

func init() {
	for _, like := range []string{"", "Like"} {
		operators["RandomNormal"+like] = func(n node, in []*Tensor) (*Tensor, error) {
			return random(n, in, func(row []float32, seed, index uint64) {
				rng.Normal(row, seed, rng.Noise, uint32(n.index), index)
			}, n.float("mean", 0), n.float("scale", 1)), nil
		}
		operators["RandomUniform"+like] = func(n node, in []*Tensor) (*Tensor, error) {
			low := n.float("low", 0)
			return random(n, in, func(row []float32, seed, index uint64) {
				rng.Uniform(row, 0, 1, seed, rng.Noise, uint32(n.index), index)
			}, low, n.float("high", 1)-low), nil
		}
	}
}

// random draws one row for each place of the first dimension, of seed 0 or the attribute's: base + scale·number.
func random(n node, in []*Tensor, draw func(row []float32, seed, index uint64), base, scale float64) *Tensor {
	list, _ := n.attrs["shape"].([]int64)
	shape := n.ints("shape", len(list), 0)
	if len(in) > 0 {
		shape = in[0].Shape
	}
	seed := uint64(math.Float32bits(float32(n.float("seed", 0))))
	y, rows := newFloats(shape), 1
	if len(shape) > 0 {
		rows = shape[0]
	}
	row := make([]float32, len(y.V)/max(rows, 1))
	for r := range rows {
		draw(row, seed, uint64(r))
		for i, v := range row {
			y.set(r*len(row)+i, base+scale*float64(v), 2*unit*(math.Abs(scale*float64(v))+math.Abs(base)))
		}
	}
	return y
}
