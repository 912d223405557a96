package train

import (
	"bufio"
	"encoding/json"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"gantry/internal/figure"
)

// A curvePoint is the mean of some lines of stats.jsonl that follow each other.
type curvePoint struct {
	lines          int
	step           float64
	lossD, lossG   float64
	dx, dgz1, dgz2 float64
}

// maxPoints is the most points of a curve: more could not be told apart.
const maxPoints = 500

// maxCurvesFile is more bytes than the picture of any curves has.
const maxCurvesFile = 400 << 10

// readCurves reads the lines of stats.jsonl that a run writes which logs each
// so many steps, other lines being of a time when it logged more, and at most
// maxPoints: of a long run, means of equal numbers of lines.
func readCurves(path string, every int) ([]curvePoint, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var points []curvePoint
	per := 1 // lines of a full point
	for lines := bufio.NewScanner(f); ; {
		if !lines.Scan() {
			return points, lines.Err()
		}
		var s statsLine
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if s.Step != 1 && s.Step%every != 0 {
			continue
		}
		p := curvePoint{1, float64(s.Step), s.LossD, s.LossG, s.Dx, s.DGz1, s.DGz2}
		if n := len(points); n > 0 && points[n-1].lines < per {
			points[n-1].join(p)
			continue
		}
		if len(points) == maxPoints {
			for i := range maxPoints / 2 {
				points[2*i].join(points[2*i+1])
				points[i] = points[2*i]
			}
			points, per = points[:maxPoints/2], 2*per
		}
		points = append(points, p)
	}
}

// join makes p the mean of its lines and q's.
func (p *curvePoint) join(q curvePoint) {
	n := float64(p.lines + q.lines)
	a, b := float64(p.lines)/n, float64(q.lines)/n
	mean := func(x *float64, y float64) { *x = float64(a**x) + float64(b*y) }
	mean(&p.step, q.step)
	mean(&p.lossD, q.lossD)
	mean(&p.lossG, q.lossG)
	mean(&p.dx, q.dx)
	mean(&p.dgz1, q.dgz1)
	mean(&p.dgz2, q.dgz2)
	p.lines += q.lines
}

// A curve is one line of a plot.
type curve struct {
	name  string
	color color.RGBA
	value func(p *curvePoint) float64
}

var lossCurves = []curve{
	{"Loss_G", figure.Orange, func(p *curvePoint) float64 { return p.lossG }},
	{"Loss_D", figure.Blue, func(p *curvePoint) float64 { return p.lossD }},
}

var verdictCurves = []curve{
	{"D(x)", figure.Green, func(p *curvePoint) float64 { return p.dx }},
	{"D(G(z)) before the update of D", figure.Red, func(p *curvePoint) float64 { return p.dgz1 }},
	{"D(G(z)) after it", figure.Purple, func(p *curvePoint) float64 { return p.dgz2 }},
}

// drawCurves writes a PNG of the losses above the verdicts of D.
func drawCurves(w io.Writer, title string, points []curvePoint) error {
	losses, err := plotCurves(title, points, "loss", lossCurves)
	if err != nil {
		return err
	}
	verdicts, err := plotCurves("", points, "mean of D", verdictCurves)
	if err != nil {
		return err
	}
	verdicts.Y.Min, verdicts.Y.Max = 0, 1
	for _, p := range []*plot.Plot{losses, verdicts} {
		p.X.Min = 0
		p.Y.Max += float64(0.3 * (p.Y.Max - p.Y.Min)) // room for the legend
	}
	var ticks plot.ConstantTicks
	for i := range 6 {
		ticks = append(ticks, plot.Tick{Value: float64(i) / 5, Label: fmt.Sprintf("%.1f", float64(i)/5)})
	}
	verdicts.Y.Tick.Marker = ticks
	return png.Encode(w, figure.Image(10*vg.Inch, 7.5*vg.Inch, []*plot.Plot{losses}, []*plot.Plot{verdicts}))
}

// plotCurves plots some curves against steps.
func plotCurves(title string, points []curvePoint, y string, curves []curve) (*plot.Plot, error) {
	p := figure.New(title, "step", y)
	for _, c := range curves {
		xy := make(plotter.XYs, len(points))
		for i := range points {
			xy[i] = plotter.XY{X: points[i].step, Y: c.value(&points[i])}
		}
		if _, err := figure.Line(p, c.name, c.color, xy); err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
	}
	return p, nil
}
