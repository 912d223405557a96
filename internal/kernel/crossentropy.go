package kernel

import "math"

// CrossEntropyMean returns the mean over the m rows of logits x [m,classes] of
// -Σ y·log softmax(x), where each row of y holds probabilities: 1 for the class
// and 0 for the others, or smoothed. It sums in float64: a row in order, each of
// the shards equal parts of the rows in order, the parts in a fixed tree. For
// m = 0 it returns 0.
func CrossEntropyMean(x, y []float32, m, classes, shards int) float32 {
	need("x", len(x), needShape("x", m, classes))
	need("y", len(y), m*classes)
	needShards(m, shards)
	if m == 0 {
		return 0
	}
	part := m / shards
	sum := treeSum(0, shards, func(s int) float64 {
		t := 0.
		for i := s * part; i < (s+1)*part; i++ {
			row, p := x[i*classes:(i+1)*classes], y[i*classes:(i+1)*classes]
			most, total := softmaxSum(row)
			log := most + log64(total)
			for k, v := range row {
				t += float64(float64(p[k]) * (log - float64(v)))
			}
		}
		return t
	})
	return float32(sum / float64(m))
}

// CrossEntropyMeanGrad computes scale times the derivative of
// [CrossEntropyMean] with respect to x, where rows of y have the sum 1:
// dst = scale/m·(softmax(x) - y). dst may be x.
func CrossEntropyMeanGrad(dst, x, y []float32, m, classes int, scale float32) {
	need("x", len(x), needShape("x", m, classes))
	need("y", len(y), m*classes)
	need("dst", len(dst), m*classes)
	for i := range m {
		row, p, d := x[i*classes:(i+1)*classes], y[i*classes:(i+1)*classes], dst[i*classes:(i+1)*classes]
		most, total := softmaxSum(row)
		for k, v := range row {
			q := exp64(max(float64(v)-most, -700)) / total
			d[k] = float32((q - float64(p[k])) * float64(scale) / float64(m))
		}
	}
}

// softmaxSum returns the largest of x and Σ exp(x - it).
func softmaxSum(x []float32) (most, total float64) {
	most = math.Inf(-1)
	for _, v := range x {
		most = max(most, float64(v))
	}
	for _, v := range x {
		total += exp64(max(float64(v)-most, -700))
	}
	return most, total
}

// log64 returns the natural logarithm of a finite x >= 1, with an error below
// 2⁻³⁵ of it or of 1.
func log64(x float64) float64 {
	f, e := math.Frexp(x) // x = f·2^e with f in [½, 1)
	return float64(float64(e-1)*math.Ln2) + log1p(2*f-1)
}
