package kernel

// A winoOp is a pass of the fast form over rows of elements: a transformation of
// a square of them, along its columns and then along its rows. Each line of
// that is a function below.
type winoOp uint8

const (
	winoInput       winoOp = iota // 5x5 inputs
	winoTaps                      // 2x2 taps to 5x5 factors of the products
	winoOutput                    // 5x5 products to 4x4 outputs
	winoGrad                      // 4x4 gradients of outputs to 5x5 factors
	winoGradTaps                  // 5x5 products to the gradients of 2x2 taps
	winoSmallInput                // of the small form: 3x3 inputs
	winoSmallTaps                 // 2x2 taps to 3x3 factors
	winoSmallOutput               // 3x3 products to 2x2 outputs
)

// winoArgs are the runs of elements that a pass writes and reads, as many as it has.
type winoArgs struct {
	dst, src         [winoProducts * winoProducts][]float32
	rows             int // of each run
	dstSkip, srcSkip int // bytes between rows
}

// winoSides are the sides of the squares that a pass writes and reads.
var winoSides = [...]struct{ dst, src int }{
	winoInput: {5, 5}, winoTaps: {5, 2}, winoOutput: {4, 5}, winoGrad: {5, 4}, winoGradTaps: {2, 5},
	winoSmallInput: {3, 3}, winoSmallTaps: {3, 2}, winoSmallOutput: {2, 3},
}

// run computes rows of n elements, which begin dstStep and srcStep elements apart.
func (a *winoArgs) run(op winoOp, rows, n, dstStep, srcStep int) {
	rows, n, done := a.prepare(op, rows, n, dstStep, srcStep)
	if done == 0 || !archWino(tier.id, op, a, done) {
		done = 0
	}
	a.finish(op, rows, done, n, dstStep, srcStep)
}

// runGrad is run for the operations of weight gradients, which infer does not link.
func (a *winoArgs) runGrad(op winoOp, rows, n, dstStep, srcStep int) {
	rows, n, done := a.prepare(op, rows, n, dstStep, srcStep)
	if done == 0 || !archWinoGrad(tier.id, op, a, done) {
		done = 0
	}
	a.finish(op, rows, done, n, dstStep, srcStep)
}

// prepare checks what the assembly does not, and returns how many elements of a
// row it can do.
func (a *winoArgs) prepare(op winoOp, rows, n, dstStep, srcStep int) (_, _, done int) {
	if n == dstStep && n == srcStep {
		rows, n = 1, rows*n
	}
	side := &winoSides[op]
	for i := range side.dst * side.dst {
		_ = a.dst[i][:(rows-1)*dstStep+n]
	}
	for i := range side.src * side.src {
		_ = a.src[i][:(rows-1)*srcStep+n]
	}
	done = n &^ (tier.lanes - 1)
	a.rows, a.dstSkip, a.srcSkip = rows, 4*(dstStep-done), 4*(srcStep-done)
	return rows, n, done
}

// finish does elements done ... n-1 of each row.
func (a *winoArgs) finish(op winoOp, rows, done, n, dstStep, srcStep int) {
	for r := range rows {
		for i := done; i < n; i++ {
			a.element(op, r*dstStep+i, r*srcStep+i)
		}
	}
}

// element computes element i of every result from element k of every source.
func (a *winoArgs) element(op winoOp, i, k int) {
	dst, src := winoSides[op].dst, winoSides[op].src
	var half [winoProducts][winoProducts]float32 // by column, then row
	for c := range src {
		var x [winoProducts]float32
		for r := range src {
			x[r] = a.src[r*src+c][k]
		}
		half[c] = winoLine(op, x)
	}
	for r := range dst {
		var x [winoProducts]float32
		for c := range src {
			x[c] = half[c][r]
		}
		for c, v := range winoLine(op, x) {
			if c < dst {
				a.dst[r*dst+c][i] = v
			}
		}
	}
}

// winoLine computes one line. What it multiplies by two, four, eight or a half is exact.
func winoLine(op winoOp, x [winoProducts]float32) (y [winoProducts]float32) {
	const sixth = float32(1. / 6)
	switch op {
	case winoInput:
		t := x[1] - x[3]
		return [winoProducts]float32{fma(-0.5, t, x[0]-x[2]), (x[1] + x[2]) + t, fma(-2, x[1]-x[2], x[2]-x[3]), t, fma(-2, t, x[2]-x[4])}
	case winoTaps:
		return [winoProducts]float32{x[0], 0.5 * (x[0] + x[1]), (x[0] - x[1]) * sixth, fma(2, x[1], x[0]) * sixth, x[1]}
	case winoOutput:
		s, d := x[1]+x[2], x[1]-x[2]
		return [winoProducts]float32{(x[0] + s) - x[3], fma(-2, x[3], d), fma(-4, x[3], s), fma(-8, x[3], d-x[4])}
	case winoGrad:
		even, odd := x[0]+x[2], x[1]+x[3]
		return [winoProducts]float32{x[0], even + odd, even - odd, fma(2, fma(2, fma(2, x[3], x[2]), x[1]), x[0]), x[3]}
	case winoSmallInput:
		return [winoProducts]float32{x[0] - x[1], x[1], x[1] - x[2]}
	case winoSmallTaps:
		return [winoProducts]float32{x[0], x[0] + x[1], x[1]}
	case winoSmallOutput:
		return [winoProducts]float32{x[0] + x[1], x[1] - x[2]}
	}
	return [winoProducts]float32{
		fma(sixth, x[2]-x[3], fma(0.5, x[1], x[0])),
		fma(-sixth, fma(2, x[3], x[2]), float32(0.5*x[1])-x[4]),
	}
}
