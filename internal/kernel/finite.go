package kernel

import "sync/atomic"

// FirstNonFinite returns the index of the first NaN or infinity in x, or -1.
func FirstNonFinite(x []float32) int {
	const block = 4096
	for lo := 0; lo < len(x); lo += block {
		part := x[lo:min(lo+block, len(x))]
		done := len(part) &^ (tier.lanes - 1)
		if done == 0 || !archFinite(tier.id, part[:done]) {
			done = 0
		}
		for i, v := range part[done:] {
			if v-v != 0 {
				return lo + done + i
			}
		}
	}
	return -1
}

// AllFinite reports whether x holds neither NaN nor infinity, on all threads of
// the pool.
func AllFinite(p *Pool, x []float32) bool {
	if len(x) <= 2*chunk {
		return FirstNonFinite(x) < 0
	}
	j := finiteJobs.get()
	j.x = x
	j.found.Store(false)
	p.Do((len(x)+4*chunk-1)/(4*chunk), j)
	found := j.found.Load()
	j.x = nil
	finiteJobs.put(j)
	return !found
}

// finiteJob is a [Task]: the search in parts of 4*chunk elements.
type finiteJob struct {
	x     []float32
	found atomic.Bool
}

var finiteJobs freeList[finiteJob]

// Run searches one part.
func (j *finiteJob) Run(part int) {
	lo := part * 4 * chunk
	if FirstNonFinite(j.x[lo:min(lo+4*chunk, len(j.x))]) >= 0 {
		j.found.Store(true)
	}
}
