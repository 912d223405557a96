package kernel

// FromBytes computes dst[i] = float32(x[i])·scale + shift, rounded twice: the
// pixels 0 to 255 become shift to shift + 255·scale.
func FromBytes(p *Pool, dst []float32, x []uint8, scale, shift float32) {
	need("x", len(x), len(dst))
	j := elemJobs.get()
	j.op, j.dst, j.bytes, j.a, j.b = fromBytesOp, dst, x, scale, shift
	j.run(p, len(dst), chunk)
}

func fromBytesOp(j *elemJob, lo, hi int) {
	lo = j.training(vectorFromBytes, lo, hi)
	dst, x := j.dst[lo:hi], j.bytes[lo:hi]
	for i := range dst {
		dst[i] = float32(float32(x[i])*j.a) + j.b
	}
}

// ToBytes computes the 8-bit pixels dst[i] = floor((x[i]-lo)·255/(hi-lo) + 0.5)
// in float32, clamped to 0 ... 255; NaN gives 0. lo < hi are finite.
func ToBytes(p *Pool, dst []uint8, x []float32, lo, hi float32) {
	need("x", len(x), len(dst))
	j := elemJobs.get()
	j.op, j.bytes, j.x, j.a, j.b = toBytesOp, dst, x, lo, hi-lo
	j.d, j.e = 255, 0.5
	j.run(p, len(dst), chunk)
}

func toBytesOp(j *elemJob, lo, hi int) {
	lo = j.vector(vectorToBytes, lo, hi)
	dst, x := j.bytes[lo:hi], j.x[lo:hi]
	for i, v := range x {
		v = float32((v-j.a)*j.d/j.b) + j.e
		switch {
		case v >= j.d:
			dst[i] = 255
		case v >= 0:
			dst[i] = uint8(v)
		default: // NaN too
			dst[i] = 0
		}
	}
}
