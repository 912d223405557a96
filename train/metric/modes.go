package metric

import (
	"math"

	"gantry/internal/rng"
)

// ModeStats says how samples cover the modes of a mixture of Gaussians.
type ModeStats struct {
	Samples     int   // that were drawn
	HighQuality int   // of these, within three standard deviations of a mode
	Hit         int   // modes with at least one high-quality sample
	Counts      []int // high-quality samples of each mode

	// ReverseKL is the divergence, in nats, of the high-quality samples' share
	// in each mode from equal shares: 0 where they are spread evenly, the
	// logarithm of the number of modes where all are in one. It is NaN where
	// there are no such samples.
	ReverseKL float64
}

// Share returns the share of high-quality samples, 0 to 1; NaN for no samples.
func (s *ModeStats) Share() float64 { return float64(s.HighQuality) / float64(s.Samples) }

// modeRadius is the distance, in standard deviations, within which a sample is
// of high quality.
const modeRadius = 3

// Modes counts the modes of a mixture of Gaussians in the plane, all of one
// standard deviation, that samples [n 2] hit. A sample belongs to the nearest
// center, the first of equally near ones, and is of high quality within three
// standard deviations of it; a value that is not finite is not. This is the
// protocol of Lin et al., "PacGAN" (2018), which takes 2,500 samples.
//
// It panics if samples has an odd length.
func Modes(samples []float32, centers [][2]float64, std float64) ModeStats {
	if len(samples)%2 != 0 {
		panic("metric: internal error: samples in the plane have an odd number of coordinates")
	}
	s := ModeStats{Samples: len(samples) / 2, Counts: make([]int, len(centers))}
	for ; len(samples) > 0; samples = samples[2:] {
		x, y := float64(samples[0]), float64(samples[1])
		nearest, least := -1, math.Inf(1)
		for i, c := range centers {
			dx, dy := x-c[0], y-c[1]
			if d := float64(dx*dx) + float64(dy*dy); d < least {
				nearest, least = i, d
			}
		}
		if nearest >= 0 && math.Sqrt(least) < modeRadius*std {
			s.Counts[nearest]++
		}
	}
	for _, n := range s.Counts {
		s.HighQuality += n
		if n > 0 {
			s.Hit++
		}
	}
	s.ReverseKL = fromUniform(s.Counts, s.HighQuality)
	return s
}

// fromUniform returns the divergence KL(counts/total ‖ uniform) in nats.
func fromUniform(counts []int, total int) float64 {
	if total == 0 {
		return math.NaN()
	}
	kl := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(total)
			kl += float64(p * rng.Log(float64(p*float64(len(counts)))))
		}
	}
	return kl
}
