package kernel

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestCalibrate times what calibrate.md speaks of: sizes of blocks and parts,
// each around what divide chooses, the others as chosen. It takes minutes, wants
// an idle machine, and never fails:
//
//	GANTRY_CALIBRATE=1 go test -run Calibrate -v ./internal/kernel
func TestCalibrate(t *testing.T) {
	if os.Getenv("GANTRY_CALIBRATE") != "1" {
		t.Skip("not asked for: set GANTRY_CALIBRATE=1 on an idle machine")
	}
	for threads := 1; threads <= runtime.GOMAXPROCS(0); threads *= 2 {
		p := NewPool(threads)
		calibrateGemm(t, p)
		for _, i := range []int{1, 2, 3, 11} { // g2, g3, g4 of dcgan64, g2 of dcgan28
			calibrateConv(t, p, dcganLayers[i], 128)
			calibrateWeight(t, p, dcganLayers[i], 128)
		}
		for _, i := range []int{4, 12} { // images of 3 channels and of 1
			calibrateThin(t, p, dcganLayers[i], 128)
		}
		p.Close()
	}
}

// choices are ways to do the same, the first the present one.
type choices struct {
	names []string
	funcs []func()
}

func (c *choices) add(f func(), format string, args ...any) {
	c.names, c.funcs = append(c.names, fmt.Sprintf(format, args...)), append(c.funcs, f)
}

// compare logs the fastest call of each, taken in turn, against the first.
func (c *choices) compare(t *testing.T, what string, flops float64) {
	best := make([]time.Duration, len(c.funcs))
	for i := range best {
		best[i] = 1 << 62
	}
	for round, end := 0, time.Now().Add(time.Duration(len(best))*150*time.Millisecond); round < 5 || time.Now().Before(end); round++ {
		for i, f := range c.funcs {
			start := time.Now()
			f()
			best[i] = min(best[i], time.Since(start))
		}
	}
	t.Logf("%s, %s", what, tier.name)
	for i, name := range c.names {
		t.Logf("  %-24s %7.1f GFLOP/s %6.1f %%", name, flops/best[i].Seconds()/1e9, 100*best[0].Seconds()/best[i].Seconds())
	}
}

// calibrateGemm varies kc, mc, nc and whether A is packed.
func calibrateGemm(t *testing.T, p *Pool) {
	for _, s := range []struct {
		f       Form
		m, n, k int
	}{{NN, 1024, 1024, 1024}, {NT, 1024, 1024, 1024}, {TN, 1024, 1024, 1024}, {NT, 128, 1024, 512}, {TN, 784, 1024, 128}} {
		a, b, dst := noiseSlice(s.m*s.k, 1), noiseSlice(s.k*s.n, 2), make([]float32, s.m*s.n)
		var c choices
		var chosen gemmJob
		with := func(change func(j *gemmJob)) func() {
			return func() {
				j := &gemmJob{dst: dst, a: a, b: b, m: s.m, n: s.n, k: s.k, transB: s.f == NT, ars: s.k, acs: 1, tier: tier, kc: blockLen(s.k)}
				if s.f == TN {
					j.ars, j.acs = 1, s.m
				}
				j.divide(p.Threads())
				change(j)
				chosen = *j
				j.shareB = j.rowParts() > 1
				j.s = scratches.get()
				if j.packA {
					j.s.a = grown(j.s.a, j.m*j.k)
					j.do(p, phasePackA, j.rowParts())
				}
				if j.shareB {
					j.s.b = grown(j.s.b, j.k*j.tier.width(j.n))
					j.do(p, phasePackB, (j.n+j.tier.nr-1)/j.tier.nr)
				}
				j.do(p, phaseMultiply, j.rowParts()*j.colParts())
				scratches.put(j.s)
			}
		}
		present := with(func(*gemmJob) {})
		present()
		c.add(present, "mc %d nc %d kc %d", chosen.mc, chosen.nc, chosen.kc)
		c.add(with(func(j *gemmJob) { j.packA = !j.packA }), "A packed: %v", !chosen.packA)
		for _, mc := range []int{48, 96, 192, 384, s.m} {
			c.add(with(func(j *gemmJob) { j.mc = min(mc, j.m) }), "mc %d", mc)
		}
		for _, panels := range []int{1, 2, 4, 8, 16, 32} {
			c.add(with(func(j *gemmJob) { j.nc = min(panels*j.tier.nr, j.n) }), "nc %d", panels*tier.nr)
		}
		for _, kc := range []int{128, 192, 256, 320, 384, 512} {
			if kc <= s.k {
				c.add(with(func(j *gemmJob) { j.kc = kc }), "kc %d", kc)
			}
		}
		c.compare(t, fmt.Sprintf("%s form %d, %d threads", shapeName(s.m, s.n, s.k), s.f, p.Threads()), 2*float64(s.m)*float64(s.n)*float64(s.k))
	}
}

// calibrateConv varies images, output rows and panels of a part, in both
// directions.
func calibrateConv(t *testing.T, p *Pool, l convLayer, n int) {
	s, c := l.s, NewConv(l.s)
	w := noiseSlice(s.K*s.C*s.R*s.S, 3)
	for _, plan := range []*convPlan{c.forward, c.back()} {
		x, dst := noiseSlice(plan.inH*plan.inW*plan.in*n, 1), make([]float32, plan.outH*plan.outW*plan.out*n)
		pc := plan.pack(p, new(PackedConv), w)
		panels := plan.groups * ((plan.width + tier.nr - 1) / tier.nr)
		var list choices
		var chosen convJob
		with := func(change func(j *convJob)) func() {
			return func() {
				j := &convJob{l: plan, pc: pc, dst: dst, x: x, n: n}
				j.divide(p.Threads())
				change(j)
				chosen = *j
				j.count(panels)
				p.Do(j.imageParts*j.bandParts*j.panelParts, j)
			}
		}
		present := with(func(*convJob) {})
		present()
		list.add(present, "images %d band %d panels %d", chosen.images, chosen.band, chosen.panels)
		for images := tier.rows[0]; images <= n; images *= 2 {
			list.add(with(func(j *convJob) { j.images = images }), "images %d", images)
		}
		for band := 1; band <= plan.outH; band *= 2 {
			list.add(with(func(j *convJob) { j.band = band }), "band %d", band)
		}
		for q := 1; q <= panels; q *= 2 {
			list.add(with(func(j *convJob) { j.panels = q }), "panels %d", q)
		}
		list.compare(t, fmt.Sprintf("%s, %dx%d to %dx%d, %d threads", l.name, plan.inH, plan.inW, plan.outH, plan.outW, p.Threads()), l.flops(n))
	}
}

// calibrateThin varies the images and the output rows of a part of the thin
// form.
func calibrateThin(t *testing.T, p *Pool, l convLayer, n int) {
	s, plan := l.s, NewConv(l.s).back()
	x, dst := noiseSlice(s.OH*s.OW*s.K*n, 1), make([]float32, s.H*s.W*s.C*n)
	pc := plan.pack(p, new(PackedConv), noiseSlice(s.K*s.C*s.R*s.S, 3))
	with := func(images, band int) func() {
		return func() {
			j := &thinJob{l: plan, pc: pc, dst: dst, x: x, n: n, images: images, band: band, imageParts: (n + images - 1) / images}
			p.Do(j.imageParts*((plan.outH+band-1)/band), j)
		}
	}
	var list choices
	list.add(func() { plan.runThin(p, dst, x, pc, n, Epilogue{}) }, "as it is")
	for _, images := range []int{4, 8, 16, 32, 64, 128} {
		for _, band := range []int{8, 16, plan.outH} {
			list.add(with(images, band), "images %d band %d", images, band)
		}
	}
	list.compare(t, fmt.Sprintf("%s, thin, %d threads", l.name, p.Threads()), l.flops(n))
}

// calibrateWeight varies the fine and coarse channels of a part of a weight
// gradient.
func calibrateWeight(t *testing.T, p *Pool, l convLayer, n int) {
	s, c := l.s, NewConv(l.s)
	x, g, dw := noiseSlice(s.H*s.W*s.C*n, 1), noiseSlice(s.OH*s.OW*s.K*n, 2), make([]float32, s.K*s.C*s.R*s.S)
	var list choices
	var chosen weightJob
	with := func(change func(j *weightJob)) func() {
		return func() {
			j := &weightJob{c: c, dst: dw, x: x, g: g, n: n, images: n, tier: tier}
			j.divide(p.Threads())
			change(j)
			chosen = *j
			p.Do(j.parts(), j)
		}
	}
	present := with(func(*weightJob) {})
	present()
	list.add(present, "mc %d nc %d", chosen.mc, chosen.nc)
	for mc := 16; mc <= s.C; mc *= 2 {
		list.add(with(func(j *weightJob) { j.mc = mc }), "mc %d", mc)
	}
	for q := 1; q*tier.nr < s.K+tier.nr; q *= 2 {
		list.add(with(func(j *weightJob) { j.nc = q * tier.nr }), "nc %d", q*tier.nr)
	}
	list.compare(t, fmt.Sprintf("%s, weight gradient, %d threads", l.name, p.Threads()), l.flops(n))
}
