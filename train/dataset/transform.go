package dataset

import (
	"fmt"

	"gantry/models"
)

// Transform returns d as o wants it, for a data set whose images have one shape:
// cropped and resized if o.Resize is set, then also with the number of channels
// of o.Shape, and mirrored if o.Mirror is set. The label of an image stays.
func Transform(d Dataset, o Options) (Dataset, error) {
	if _, ok := d.(*Points); ok && (o.Resize != 0 || o.Mirror) {
		return nil, fmt.Errorf("dataset: %s: points are neither resized nor mirrored, as images are", d.Name())
	}
	if o.Resize != 0 {
		var err error
		if d, err = resized(d, o); err != nil {
			return nil, err
		}
	}
	if o.Mirror {
		d = Mirror(d)
	}
	return d, nil
}

// resized returns d with images of o.Resize pixels in each direction.
func resized(d Dataset, o Options) (Dataset, error) {
	if err := checkSide(o.Resize); err != nil {
		return nil, err
	}
	shape, n, side := d.Shape(), d.Len(), o.Resize
	planes, h, w := shape[0], shape[1], shape[2]
	channels := o.channels()
	if channels == 0 || planes != 1 && planes != 3 {
		channels = planes
	}
	if channels == planes && h == side && w == side {
		return d, nil
	}
	size := channels * side * side
	if int64(n) > maxBytes/int64(size) {
		return nil, fmt.Errorf("dataset: %s: %d images of %d x %d pixels are more than %d bytes, want at most that", d.Name(), n, side, side, maxBytes)
	}
	pixels := make([]byte, n*size)
	labels := make([]int32, n)
	from := min(h, w)
	x0, y0 := (w-from)/2, (h-from)/2
	x := make([]float32, models.Elements(shape))
	image := make([]byte, planes*side*side)
	var r resizer
	for i := range n {
		if err := d.Read(x, []int{i}); err != nil {
			return nil, err
		}
		r.resize(image, planes, side, from, func(dst []uint8, y int) {
			for p := range planes {
				for k, v := range x[(p*h+y0+y)*w+x0:][:from] {
					dst[p*from+k] = uint8(float32(v*255) + 0.5)
				}
			}
		})
		convert(pixels[i*size:][:size], image, channels, planes)
		labels[i] = int32(d.Label(i))
	}
	m, err := newMemory(d.Name(), []int{channels, side, side}, pixels, labels)
	if err != nil {
		return nil, err
	}
	m.report = *d.Report()
	m.report.Memory = int64(len(pixels))
	return m, nil
}

// convert stores an image with other channels: grey is repeated in each of
// three, three become grey as in JPEG (ITU-R BT.601), rounded.
func convert(dst, src []byte, channels, from int) {
	switch {
	case channels == from:
		copy(dst, src)
	case from == 1:
		for ; len(dst) > 0; dst = dst[len(src):] {
			copy(dst, src)
		}
	default:
		n := len(dst)
		for i, r := range src[:n] {
			dst[i] = byte((19595*uint32(r) + 38470*uint32(src[n+i]) + 7471*uint32(src[2*n+i]) + 1<<15) >> 16)
		}
	}
}
