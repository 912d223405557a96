package infer

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gantry/infer/internal/plan"
	"gantry/internal/imaging"
	"gantry/internal/kernel"
	"gantry/internal/onnx"
	"gantry/internal/sha256"
)

// VerifyReport says how a model's samples compare with the golden in its metadata.
type VerifyReport struct {
	Samples int     // drawn
	Values  int     // compared
	MaxDiff float64 // the largest difference, as a share of the value range
	Bound   float64 // the largest allowed
	Pixels  bool    // whether the 8-bit pixels' digest was compared too: for equal numerics only
}

// ErrNoGolden is returned by Verify for a model whose metadata has no golden.
var ErrNoGolden = errors.New("infer: the model's metadata has no golden to verify against")

// Verify draws the samples of the golden in m's metadata (key gantry.golden) and compares them: some
// values within the golden's bound, and, if the model was written with the numerics of this build,
// the 8-bit pixels exactly. A difference is an error; the report is given as far as it goes.
func Verify(ctx context.Context, m *Model) (*VerifyReport, error) {
	meta, err := onnx.ParseMetadata(m.info.Metadata)
	if err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	if meta == nil || meta.Golden == nil {
		return nil, ErrNoGolden
	}
	s, err := NewSampler(m, SamplerOptions{})
	if err != nil {
		return nil, err
	}
	g := meta.Golden
	size := plan.Count(s.shape)
	for _, p := range g.Positions {
		if p >= size {
			return nil, fmt.Errorf("infer: the golden has position %d, but a sample has %d elements", p, size)
		}
	}
	keys := make([]Key, len(g.Indices))
	for i, k := range g.Indices {
		keys[i] = Key{Seed: g.Seed, Index: k}
	}
	r := &VerifyReport{Samples: len(keys), Bound: g.Bound, Pixels: meta.Numerics == kernel.Numerics && g.Pixels != ""}
	var sum sha256.Digest
	pix := make([]uint8, size)
	err = s.Sample(ctx, keys, func(i int, x []float32) error {
		imaging.Pixels(pix, x, s.lo, s.hi)
		sum.Write(pix)
		for j, p := range g.Positions {
			d := math.Abs(float64(x[p])-float64(g.Values[i][j])) / (float64(s.hi) - float64(s.lo))
			r.Values++
			if !(d <= r.MaxDiff) { // NaN is the largest
				r.MaxDiff = d
			}
			if !(d <= g.Bound) {
				return fmt.Errorf("infer: element %d of sample %d is %v, want %v within %g of the value range", p, g.Indices[i], x[p], g.Values[i][j], g.Bound)
			}
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	if got := fmt.Sprintf("%x", sum.Sum()); r.Pixels && got != g.Pixels {
		return r, fmt.Errorf("infer: the SHA-256 of the 8-bit pixels is %s, want %s", got, g.Pixels)
	}
	return r, nil
}
