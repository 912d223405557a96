package repro

import (
	"fmt"
	"image"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"gantry/internal/figure"
	"gantry/internal/imaging/animation"
)

// figure1Panels is the number of times in the picture.
const figure1Panels = 6

// draw writes the picture of r's moments and the animation of all frames.
func (r *Figure1) draw(o *Options, frames []*Figure1State) error {
	var rows [][]*plot.Plot
	for i := range r.Moments {
		p, err := r.Moments[i].plot(i == 0)
		if err != nil {
			return err
		}
		if i%3 == 0 {
			rows = append(rows, nil)
		}
		rows[i/3] = append(rows[i/3], p)
	}
	var err error
	if r.Picture, err = o.picture("figure1.png", figure.Image(12*vg.Inch, 7.5*vg.Inch, rows...)); err != nil {
		return err
	}
	var images []*image.Paletted
	for _, s := range frames {
		p, err := s.plot(true)
		if err != nil {
			return err
		}
		img := figure.Image(6*vg.Inch, 4.5*vg.Inch, []*plot.Plot{p})
		images = append(images, animation.Paletted(img, img.Bounds()))
	}
	r.Moving, err = o.file("figure1.gif", func(w io.Writer) error { return animation.Encode(w, images, 12, 300) })
	return err
}

// plot draws one time: the densities and D above, the mapping of latents to
// samples below.
func (s *Figure1State) plot(legend bool) (*plot.Plot, error) {
	p := figure.New(fmt.Sprintf("step %d", s.Step), "x", "")
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = figure1Lo, figure1Hi, -0.6, 2
	p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 0.5, Label: "0.5"}, {Value: 1, Label: "1"}, {Value: 1.5, Label: "1.5"}}
	for i, x := range s.mapping {
		z := figure1Lo + (figure1Hi-figure1Lo)*float64(i)/float64(len(s.mapping)-1)
		if _, err := figure.Line(p, "", figure.Grey, plotter.XYs{{X: z, Y: -0.55}, {X: min(max(x, figure1Lo), figure1Hi), Y: -0.08}}); err != nil {
			return nil, err
		}
	}
	for _, c := range []struct {
		name  string
		color color.Color
		y     []float64
		dash  bool
	}{{"data", figure.Black, s.data, false}, {"samples of G", figure.Green, s.model, false}, {"D(x)", figure.Blue, s.d, false}, {"D*(x)", figure.Red, s.optimum, true}} {
		var xy plotter.XYs
		for i, v := range c.y {
			if !c.dash || s.data[i]+s.model[i] >= figure1Sparse {
				xy = append(xy, plotter.XY{X: middle(i), Y: min(v, p.Y.Max)})
			}
			if n := len(xy); n > 1 && (i == len(c.y)-1 || xy[n-1].X < middle(i)) { // a piece is complete
				if !legend {
					c.name = ""
				}
				l, err := figure.Line(p, c.name, c.color, xy)
				if err != nil {
					return nil, err
				}
				if c.dash {
					l.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
				}
				c.name, xy = "", nil
			}
		}
	}
	return p, nil
}

// figure1Sparse is the density below which D* is not drawn: there, it is a quotient of
// a few samples.
const figure1Sparse = 2e-3
