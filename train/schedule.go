package train

import "gantry/models"

// learningRate returns lr_t = max(lr/decay^t, min), the rate of update t
// counted from 0: Pylearn2's ExponentialDecay, which the 2014 paper's code uses.
// A decay of 0 is a constant rate.
func learningRate(lr float32, decay float64, min float32, t int) float32 {
	if decay == 0 || decay == 1 {
		return lr
	}
	return max(float32(float64(lr)/power(decay, t)), min)
}

// power returns x^n for n >= 0 by repeated multiplication, so that it is the
// same number on every machine, which math.Pow does not promise.
func power(x float64, n int) float64 {
	y := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			y *= x
		}
		x *= x
	}
	return y
}

// momentum returns the momentum of an epoch counted from 1: s.Momentum until
// epoch MomentumStart, s.MomentumFinal from epoch MomentumSaturate on, linear in
// between (Pylearn2's MomentumAdjustor); where both are one epoch, it jumps.
// Without MomentumSaturate it is constant.
func momentum(s *models.Solver, epoch int) float32 {
	switch {
	case s.MomentumSaturate == 0:
		return s.Momentum
	case epoch >= s.MomentumSaturate: // first: it may be MomentumStart too
		return s.MomentumFinal
	case epoch <= s.MomentumStart:
		return s.Momentum
	}
	a := float64(epoch-s.MomentumStart) / float64(s.MomentumSaturate-s.MomentumStart)
	return float32(float64((1-a)*float64(s.Momentum)) + float64(a*float64(s.MomentumFinal)))
}
