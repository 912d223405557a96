package kernel

// A winoOp is a pass of the fast form over rows of elements.
type winoOp uint8

const (
	winoDifference1 winoOp = iota // transformed inputs, from one row of three pixels
	winoDifference2               // and from the difference of two such rows
	winoSum1                      // transformed g, from one row of two
	winoSum2                      // and from the sum of two such rows
	winoOutput                    // 2x2 outputs, from nine products
)

// winoArgs are the rows that a pass writes and reads, as many as it has.
type winoArgs struct {
	dst [4][]float32
	src [9][]float32
}

// winoOperands says how many rows each pass writes and reads.
var winoOperands = [...]struct{ dst, src int }{
	winoDifference1: {3, 3}, winoDifference2: {3, 6}, winoSum1: {3, 2}, winoSum2: {3, 4}, winoOutput: {4, 9},
}

// run computes n elements of every row.
func (a *winoArgs) run(op winoOp, n int) {
	rows := &winoOperands[op]
	for i := range rows.dst { // what the assembly does not check
		_ = a.dst[i][:n]
	}
	for i := range rows.src {
		_ = a.src[i][:n]
	}
	done := n &^ (tier.lanes - 1)
	if done == 0 || !archWino(tier.id, op, a, done) {
		done = 0
	}
	for i := done; i < n; i++ {
		a.element(op, i)
	}
}

// element computes element i of every row.
func (a *winoArgs) element(op winoOp, i int) {
	x := func(k int) float32 { return a.src[k][i] }
	var y [4]float32
	switch op {
	case winoDifference1:
		y = [4]float32{x(0) - x(1), x(1), x(1) - x(2)}
	case winoDifference2:
		t0, t1, t2 := x(0)-x(3), x(1)-x(4), x(2)-x(5)
		y = [4]float32{t0 - t1, t1, t1 - t2}
	case winoSum1:
		y = [4]float32{x(0), x(0) + x(1), x(1)}
	case winoSum2:
		t0, t1 := x(0)+x(2), x(1)+x(3)
		y = [4]float32{t0, t0 + t1, t1}
	case winoOutput:
		var s, d [3]float32
		for c := range 3 {
			s[c], d[c] = x(c)+x(3+c), x(3+c)-x(6+c)
		}
		y = [4]float32{s[0] + s[1], s[1] - s[2], d[0] + d[1], d[1] - d[2]}
		a.dst[3][i] = y[3]
	}
	for k := range 3 {
		a.dst[k][i] = y[k]
	}
}
