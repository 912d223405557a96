package train

import (
	"image/png"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"gantry/internal/atomicfile"
	"gantry/internal/figure"
	"gantry/internal/kernel"
	"gantry/train/dataset"
)

// Samples that are points in the plane have scatter plots where images have
// grids.

// scatterPoints is the number of points of a scatter plot, of real ones and of
// generated ones; scatterSide is its side in pixels.
const (
	scatterPoints = 2500
	scatterSide   = 480
)

// scattered tells whether samples of a shape are points in the plane.
func scattered(shape []int) bool { return len(shape) == 1 && shape[0] == 2 }

// writeScatter writes a plot of the first points of the data, and of generated
// ones above them, [n 2] in [0, 1]; nil for none.
func writeScatter(path string, data dataset.Dataset, fakes []float32) error {
	p, err := ScatterPlot("", data, fakes)
	if err != nil {
		return err
	}
	const side = scatterSide * vg.Inch / 96
	return atomicfile.WriteFileAtomic(path, func(w io.Writer) error {
		return png.Encode(w, figure.Image(side, side, []*plot.Plot{p}))
	})
}

// ScatterPlot returns a plot of the first 2,500 points of data in the plane, and
// of generated ones above them: fakes [n 2], with values in [0, 1] as in data
// sets; nil for none. Its axes depend on the data alone; points beyond them are
// not drawn.
func ScatterPlot(title string, data dataset.Dataset, fakes []float32) (*plot.Plot, error) {
	indices := make([]int, min(scatterPoints, data.Len()))
	for i := range indices {
		indices[i] = i
	}
	x := make([]float32, 2*len(indices))
	if err := data.Read(x, indices); err != nil {
		return nil, err
	}
	real := coordinates(x)
	p := figure.New(title, "", "")
	reals := figure.Blue
	if fakes != nil {
		reals = figure.Grey
	}
	err := figure.Dots(p, "", reals, vg.Points(1), real)
	if xy := coordinates(fakes); err == nil && len(xy) > 0 {
		err = figure.Dots(p, "", figure.Orange, vg.Points(1), xy)
	}
	if err != nil {
		return nil, err
	}
	x0, x1, y0, y1 := plotter.XYRange(real)
	margin := max(0.25*max(x1-x0, y1-y0), 1e-3)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = x0-margin, x1+margin, y0-margin, y1+margin
	return p, nil
}

// coordinates returns points [n 2] in [0, 1] as [dataset.Points] has them,
// without those that are not finite.
func coordinates(x []float32) plotter.XYs {
	var xy plotter.XYs
	for ; len(x) > 0; x = x[2:] {
		p := plotter.XY{X: (float64(2*x[0]) - 1) * dataset.PointBound, Y: (float64(2*x[1]) - 1) * dataset.PointBound}
		if kernel.AllFinite(nil, x[:2]) {
			xy = append(xy, p)
		}
	}
	return xy
}
