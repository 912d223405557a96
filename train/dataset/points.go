package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gantry/internal/rng"
)

// PointBound is the largest coordinate of a data set of points: -PointBound is
// read as 0, PointBound as 1. Networks whose samples have the range
// [-PointBound, PointBound] see the coordinates themselves.
const PointBound = 8

// Points is a Dataset of points, on a line or in the plane: a mixture of
// Gaussians of equal weights and one standard deviation. Nothing is stored. Point
// i follows from (seed, i) alone: its center is that of number ⌊u·n⌋ of the n, for a
// uniform u, and its class.
type Points struct {
	name    string
	dims    int
	centers [][2]float64 // of which a point on a line has the first coordinate
	std     float64
	seed    uint64
	digest  func() string
}

// points is how many a data set of points has, as in PacGAN's experiments.
const points = 100_000

// NewPoints returns one of the mixtures that have a name:
//
//	ring    8 Gaussians of standard deviation 0.01 on the unit circle, the first at (1, 0)
//	grid    25 of standard deviation 0.05 on {-4, -2, 0, 2, 4}²
//	normal  one on a line, of mean 2 and standard deviation 0.5
//
// ring and grid are those of Lin et al., "PacGAN" (2018). Two seeds give
// independent points.
func NewPoints(name string, seed uint64) (*Points, error) {
	d := &Points{name: name, dims: 2, seed: seed}
	switch name {
	case "ring":
		d.std = 0.01
		const h = math.Sqrt2 / 2 // not from math.Cos, whose last bit differs between machines
		d.centers = [][2]float64{{1, 0}, {h, h}, {0, 1}, {-h, h}, {-1, 0}, {-h, -h}, {0, -1}, {h, -h}}
	case "grid":
		d.std = 0.05
		for x := -4.0; x <= 4; x += 2 {
			for y := -4.0; y <= 4; y += 2 {
				d.centers = append(d.centers, [2]float64{x, y})
			}
		}
	case "normal":
		d.dims, d.std, d.centers = 1, 0.5, [][2]float64{{2, 0}}
	default:
		return nil, fmt.Errorf("dataset: no points are called %q, want ring, grid or normal", name)
	}
	d.digest = sync.OnceValue(d.sum)
	return d, nil
}

// IsPoints reports whether [Open] takes ref for the name of points.
func IsPoints(ref string) bool {
	name, _, _ := strings.Cut(ref, ":")
	return name == "ring" || name == "grid" || name == "normal"
}

// openPoints opens NAME or NAME:SEED; ok is false if ref is no such thing.
func openPoints(ref string) (d *Points, ok bool, err error) {
	if !IsPoints(ref) {
		return nil, false, nil
	}
	name, text, seeded := strings.Cut(ref, ":")
	var seed uint64
	if seeded {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			return nil, true, fmt.Errorf("dataset: %q: the seed is %q, want a whole number", ref, text)
		}
	}
	d, err = NewPoints(name, seed)
	return d, true, err
}

// Centers returns the means of the mixture's Gaussians; on a line, the second
// coordinates are 0.
func (d *Points) Centers() [][2]float64 { return slices.Clone(d.centers) }

// Std returns their standard deviation.
func (d *Points) Std() float64 { return d.std }

// Name implements [Dataset].
func (d *Points) Name() string { return d.name }

// Len implements [Dataset].
func (d *Points) Len() int { return points }

// Shape implements [Dataset]: [1] or [2].
func (d *Points) Shape() []int { return []int{d.dims} }

// Label implements [Dataset]: the number of the point's center.
func (d *Points) Label(i int) int {
	u := rng.Block(d.seed, rng.Points, 0, uint64(i), 0)[0]
	return int(uint64(u) * uint64(len(d.centers)) >> 32)
}

// Digest implements [Dataset]. It is computed at the first call.
func (d *Points) Digest() string { return d.digest() }

func (d *Points) sum() string {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, points), uint32(d.dims)))
	x, b := make([]float32, d.dims), make([]byte, 4*d.dims)
	for i := range points {
		d.point(x, i)
		for k, v := range x {
			binary.BigEndian.PutUint32(b[4*k:], math.Float32bits(v))
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Report implements [Dataset].
func (d *Points) Report() *Report { return &Report{Kind: "points", Images: points} }

// Read implements [Dataset].
func (d *Points) Read(dst []float32, indices []int) error {
	if err := checkRead(d, d.dims, len(dst), indices); err != nil {
		return err
	}
	for k, i := range indices {
		d.point(dst[k*d.dims:][:d.dims], i)
	}
	return nil
}

// point writes point i, from -PointBound..PointBound to [0, 1].
func (d *Points) point(dst []float32, i int) {
	center := d.centers[d.Label(i)]
	rng.Normal(dst, d.seed, rng.Points, 1, uint64(i))
	for k, z := range dst {
		x := center[k] + float64(d.std*float64(z))
		dst[k] = float32((x + PointBound) / (2 * PointBound))
	}
}
