package kernel

// Upsample repeats each pixel of x [h,w,row] factor times in both directions:
// dst is [h·factor,w·factor,row]. For images in HWNC a row is batch times
// channels. dst must not overlap x.
func Upsample(p *Pool, dst, x []float32, h, w, row, factor int) {
	resample(p, dst, x, h, w, row, factor, upsamplePixel)
}

// UpsampleGrad is the gradient of [Upsample]: it adds the pixels of x
// [h·factor,w·factor,row] that are one in dst [h,w,row], from the first to the
// last in row-major order.
func UpsampleGrad(p *Pool, dst, x []float32, h, w, row, factor int) {
	resample(p, x, dst, h, w, row, factor, sumPixels)
}

// resampleJob is a [Task]: a part is a pixel of the coarse grid.
type resampleJob struct {
	op           func(j *resampleJob, coarse []float32, at int)
	fine, coarse []float32
	w, row       int
	factor       int
}

var resampleJobs freeList[resampleJob]

func resample(p *Pool, fine, coarse []float32, h, w, row, factor int, op func(j *resampleJob, coarse []float32, at int)) {
	need("the coarse grid", len(coarse), needShape("the coarse grid", h, w, row))
	need("the fine grid", len(fine), needShape("the fine grid", h, factor, w, factor, row))
	j := resampleJobs.get()
	j.op, j.fine, j.coarse, j.w, j.row, j.factor = op, fine, coarse, w, row, factor
	p.Do(h*w, j)
	*j = resampleJob{}
	resampleJobs.put(j)
}

// Run does one pixel: the first of its block of factor by factor stands at at.
func (j *resampleJob) Run(part int) {
	y, x := part/j.w, part%j.w
	at := (y*j.factor*j.w + x) * j.factor * j.row
	j.op(j, j.coarse[part*j.row:(part+1)*j.row], at)
}

func upsamplePixel(j *resampleJob, coarse []float32, at int) {
	for y := range j.factor {
		for x := range j.factor {
			copy(j.fine[at+(y*j.w*j.factor+x)*j.row:][:j.row], coarse)
		}
	}
}

func sumPixels(j *resampleJob, coarse []float32, at int) {
	copy(coarse, j.fine[at:])
	for y := range j.factor {
		for x := range j.factor {
			if y+x > 0 {
				Add(nil, coarse, coarse, j.fine[at+(y*j.w*j.factor+x)*j.row:][:j.row])
			}
		}
	}
}

// MeanPixels computes dst [row], the mean of the pixels of x [pixels,row]: they
// are added from the first to the last, and the sum is multiplied by the float32
// 1/pixels. dst must not overlap x.
func MeanPixels(p *Pool, dst, x []float32, pixels, row int) {
	need("x", len(x), needShape("x", pixels, row))
	need("dst", len(dst), row)
	need("the pixels", pixels, 1)
	dst = dst[:row]
	copy(dst, x)
	for q := 1; q < pixels; q++ {
		Add(p, dst, dst, x[q*row:(q+1)*row])
	}
	Affine(p, dst, dst, 1/float32(pixels), 0)
}

// MeanPixelsGrad is the gradient of [MeanPixels]: each pixel of dst [pixels,row]
// is x [row] times the float32 1/pixels. dst must not overlap x.
func MeanPixelsGrad(p *Pool, dst, x []float32, pixels, row int) {
	need("x", len(x), row)
	need("dst", len(dst), needShape("dst", pixels, row))
	for q := range pixels {
		Affine(p, dst[q*row:(q+1)*row], x[:row], 1/float32(pixels), 0)
	}
}
