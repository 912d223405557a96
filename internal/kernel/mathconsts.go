//go:build !purego && (amd64 || arm64)

package kernel

//lint:file-ignore U1000 the assembly reads mathConsts, by these indices

import "math"

// mathConsts is what the assembly of the transcendental functions needs, at the
// indices below, eight times each: a vector for AVX2.
var mathConsts = func() (t [mathCount][8]float32) {
	bits := math.Float32frombits
	for i, c := range [mathCount]float32{
		mathLog2e: log2e, mathRound: roundTo, mathLn2hi: ln2hi, mathLn2lo: ln2lo, mathNegLn2hi: -ln2hi, mathNegLn2lo: -ln2lo,
		mathDoubleLog2e: 2 * log2e, mathDoubleNegLn2hi: -ln2hi / 2, mathDoubleNegLn2lo: -ln2lo / 2, mathDoubleOne: 2,
		mathDoubleC0: 4 * expCoef[0], mathDoubleC1: 8 * expCoef[1], mathDoubleC2: 16 * expCoef[2], mathDoubleC3: 32 * expCoef[3], mathDoubleC4: 64 * expCoef[4],
		mathC0: expCoef[0], mathC1: expCoef[1], mathC2: expCoef[2], mathC3: expCoef[3], mathC4: expCoef[4],
		mathT0: tanhCoef[0], mathT1: tanhCoef[1], mathT2: tanhCoef[2], mathT3: tanhCoef[3], mathT4: tanhCoef[4],
		mathL0: logCoef[0], mathL1: logCoef[1], mathL2: logCoef[2], mathL3: logCoef[3], mathL4: logCoef[4],
		mathL5: logCoef[5], mathL6: logCoef[6], mathL7: logCoef[7], mathL8: logCoef[8],
		mathR0: recipCoef[0], mathR1: recipCoef[1], mathR2: recipCoef[2], mathN0: nearCoef[0], mathN1: nearCoef[1],
		mathOne: 1, mathNegHalf: -0.5,
		mathTanhSmall: -tanhSmall, mathTanhSquare: tanhSmall * tanhSmall, mathTanhMax: -tanhMax, mathExpMax: expMax, mathExpMin: expMin,
		mathTwice:    bits(math.Float32bits(roundTo) - 2*127),
		mathSign:     bits(1 << 31),
		mathNormal:   0x1p-126,
		mathLift:     0x1p25,
		mathLogBias:  127,
		mathLiftBias: 127 + 25,
		mathLogShift: bits(logShift),
		mathLogFix:   bits(0x03530411),
		mathInf:      float32(math.Inf(1)),
		mathNegInf:   float32(math.Inf(-1)),
		mathNaN:      float32(math.NaN()),
	} {
		for k := range t[i] {
			t[i][k] = c
		}
	}
	return t
}()

const (
	mathLog2e = iota
	mathRound
	mathLn2hi
	mathLn2lo
	mathNegLn2hi
	mathNegLn2lo
	mathDoubleLog2e // these are for exp(2x): they stand in for what doubles x
	mathDoubleNegLn2hi
	mathDoubleNegLn2lo
	mathDoubleOne
	mathDoubleC0
	mathDoubleC1
	mathDoubleC2
	mathDoubleC3
	mathDoubleC4
	mathC0
	mathC1
	mathC2
	mathC3
	mathC4
	mathT0
	mathT1
	mathT2
	mathT3
	mathT4
	mathL0
	mathL1
	mathL2
	mathL3
	mathL4
	mathL5
	mathL6
	mathL7
	mathL8
	mathR0
	mathR1
	mathR2
	mathN0
	mathN1
	mathOne
	mathNegHalf
	mathTanhSmall
	mathTanhSquare // x² is below it, rounded or not, where |x| is below tanhSmall
	mathTanhMax
	mathExpMax
	mathExpMin
	mathTwice  // an integer: subtracted from n + roundTo it leaves n plus twice the bias of an exponent
	mathSign   // the bit of the sign
	mathNormal // the smallest normal number
	mathLift   // makes subnormal numbers normal
	mathLogBias
	mathLiftBias
	mathLogShift // an integer
	mathLogFix   // the results for NaN, NaN, 0, 1, -Inf, +Inf, and what is negative or positive, for VFIXUPIMMPS
	mathInf
	mathNegInf
	mathNaN
	mathCount
)
