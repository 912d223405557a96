package kernel

// chunk is the number of elements in one part of an elementwise task; shorter
// slices stay on the caller's goroutine.
const chunk = 16384

// elemJob is a [Task] that applies op to chunks of its slices. The assembly
// reads it.
type elemJob struct {
	op         func(j *elemJob, lo, hi int)
	n, step    int
	dst        []float32
	x, y, z    []float32
	bytes      []uint8
	a, b, c, d float32
	e, f, g    float32
	one        float32 // 1
	act        Act
	pieces     int
}

var elemJobs freeList[elemJob]

// Run applies the operation to elements part*step ... (part+1)*step-1.
func (j *elemJob) Run(part int) {
	lo := part * j.step
	j.op(j, lo, min(lo+j.step, j.n))
}

// run applies the job to n items, step of them in a part, and gives the job
// back to the free list.
func (j *elemJob) run(p *Pool, n, step int) {
	j.n, j.step, j.one = n, step, 1
	if n <= 2*step {
		j.op(j, 0, n)
	} else {
		p.Do((n+step-1)/step, j)
	}
	*j = elemJob{}
	elemJobs.put(j)
}

// Add computes dst[i] = a[i] + b[i]. dst may be a or b.
func Add(p *Pool, dst, a, b []float32) {
	need("a", len(a), len(dst))
	need("b", len(b), len(dst))
	j := elemJobs.get()
	j.op, j.dst, j.x, j.y = addOp, dst, a, b
	j.run(p, len(dst), chunk)
}

func addOp(j *elemJob, lo, hi int) {
	lo = j.vector(vectorAdd, lo, hi)
	dst, x, y := j.dst[lo:hi], j.x[lo:hi], j.y[lo:hi]
	for i := range dst {
		dst[i] = x[i] + y[i]
	}
}

// Mul computes dst[i] = a[i] * b[i]. dst may be a or b.
func Mul(p *Pool, dst, a, b []float32) {
	need("a", len(a), len(dst))
	need("b", len(b), len(dst))
	j := elemJobs.get()
	j.op, j.dst, j.x, j.y = mulOp, dst, a, b
	j.run(p, len(dst), chunk)
}

func mulOp(j *elemJob, lo, hi int) {
	lo = j.vector(vectorMul, lo, hi)
	dst, x, y := j.dst[lo:hi], j.x[lo:hi], j.y[lo:hi]
	for i := range dst {
		dst[i] = x[i] * y[i]
	}
}

// Affine computes dst[i] = x[i]*scale + shift, rounded twice. dst may be x.
func Affine(p *Pool, dst, x []float32, scale, shift float32) {
	need("x", len(x), len(dst))
	j := elemJobs.get()
	j.op, j.dst, j.x, j.a, j.b = affineOp, dst, x, scale, shift
	j.run(p, len(dst), chunk)
}

func affineOp(j *elemJob, lo, hi int) {
	lo = j.vector(vectorAffine, lo, hi)
	dst, x := j.dst[lo:hi], j.x[lo:hi]
	for i := range dst {
		dst[i] = float32(x[i]*j.a) + j.b
	}
}
