//go:build !purego

package kernel

//lint:file-ignore U1000 the assembly reads mathConsts, by these indices

import "math"

// mathConsts is what the assembly of tanh and sigmoid needs, at the indices
// below.
var mathConsts = [...]float64{
	mathLog2e: log2e, mathRound: roundTo, mathLn2hi: ln2hi, mathLn2lo: ln2lo,
	mathC2: 1. / 2, mathC3: 1. / 6, mathC4: 1. / 24, mathC5: 1. / 120, mathC6: 1. / 720,
	mathC7: 1. / 5040, mathC8: 1. / 40320, mathC9: 1. / 362880, mathC10: 1. / 3628800,
	mathOne: 1, mathTwo: 2, mathTanhMax: tanhMax, mathSigmoidMax: sigmoidMax, mathSigmoidMin: sigmoidMin,
	mathBias: math.Float64frombits(1023),
	mathSign: math.Float64frombits(1 << 63),
	mathAbs:  math.Float64frombits(1<<63 - 1),
}

const (
	mathLog2e = iota
	mathRound
	mathLn2hi
	mathLn2lo
	mathC2
	mathC3
	mathC4
	mathC5
	mathC6
	mathC7
	mathC8
	mathC9
	mathC10
	mathOne
	mathTwo
	mathTanhMax
	mathSigmoidMax
	mathSigmoidMin
	mathBias // an integer: the bias of an exponent
	mathSign // the bit of the sign
	mathAbs  // all others
)
