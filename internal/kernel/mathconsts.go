//go:build !purego && (amd64 || arm64)

package kernel

//lint:file-ignore U1000 the assembly reads mathConsts, by these indices

import "math"

// mathConsts is what the assembly of the transcendental functions needs, at the
// indices below, four times each: a vector for AVX2.
var mathConsts = func() (t [mathCount][4]float64) {
	for i, c := range [mathCount]float64{
		mathLog2e: log2e, mathRound: roundTo, mathLn2hi: ln2hi, mathLn2lo: ln2lo,
		mathC2: expm1Coef[0], mathC3: expm1Coef[1], mathC4: expm1Coef[2], mathC5: expm1Coef[3], mathC6: expm1Coef[4],
		mathC7: expm1Coef[5], mathC8: expm1Coef[6], mathC9: expm1Coef[7], mathC10: expm1Coef[8],
		mathOne: 1, mathTwo: 2, mathTanhMax: tanhMax, mathSigmoidMax: sigmoidMax, mathSigmoidMin: sigmoidMin,
		mathExpMax: expMax, mathExpMin: expMin,
		mathBias: math.Float64frombits(1023),
		mathSign: math.Float64frombits(1 << 63),
		mathAbs:  math.Float64frombits(1<<63 - 1),
		mathL3:   logCoef[0], mathL5: logCoef[1], mathL7: logCoef[2], mathL9: logCoef[3], mathL11: logCoef[4],
		mathL13: logCoef[5], mathL15: logCoef[6],
		mathLn2: math.Ln2, mathLogShift: math.Float64frombits(logShift),
		mathLogInt: 1 << 52, mathLogBias: 1<<52 + 1023,
		mathInf: math.Inf(1), mathNegInf: math.Inf(-1), mathNaN: math.NaN(),
	} {
		t[i] = [4]float64{c, c, c, c}
	}
	return t
}()

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
	mathExpMax
	mathExpMin
	mathBias // an integer: the bias of an exponent
	mathSign // the bit of the sign
	mathAbs  // all others
	mathL3
	mathL5
	mathL7
	mathL9
	mathL11
	mathL13
	mathL15
	mathLn2
	mathLogShift // an integer
	mathLogInt   // an exponent's bits, or'ed with this, are that number plus 2^52
	mathLogBias
	mathInf
	mathNegInf
	mathNaN
	mathCount
)
