package kernel

// Lerp moves dst towards x: dst[i] += t·(x[i] - dst[i]), each operation rounded
// to float32. The slices have one length and do not overlap.
func Lerp(p *Pool, dst, x []float32, t float32) {
	need("x", len(x), len(dst))
	j := elemJobs.get()
	j.op, j.dst, j.x, j.a = lerpOp, dst, x, t
	j.run(p, len(dst), chunk)
}

func lerpOp(j *elemJob, lo, hi int) {
	lo = j.training(vectorLerp, lo, hi)
	dst, x := j.dst[lo:hi], j.x[lo:hi]
	for i, v := range x {
		dst[i] += float32(j.a * float32(v-dst[i]))
	}
}
