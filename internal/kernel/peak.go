package kernel

import "time"

// peakRounds is how often a part of [Peak]'s task runs the loop: some 0.4 ms,
// since assembly cannot be interrupted.
const peakRounds = 100000

// peakTask runs the loop of multiply-adds in one part.
type peakTask struct{}

func (*peakTask) Run(int) { archPeak(tier.id, peakRounds) }

// Peak returns the GFLOP/s at which all of p's threads run the loop of fused
// multiply-adds of [Tier]'s vectors that the processor can run fastest, for
// about 10 ms: the ceiling of everything that is computed with them. Where
// others use the processor too, it is less. It is 0 for the Go reference, which
// has no such loop.
func Peak(p *Pool) float64 {
	if !archPeak(tier.id, 1) {
		return 0
	}
	const turns = 25
	parts := turns * p.Threads()
	start := time.Now()
	p.Do(parts, &peakTask{})
	flops := 2 * float64(peakRounds*peakRound*tier.lanes) * float64(parts)
	return flops / time.Since(start).Seconds() / 1e9
}
