package train

import (
	"bufio"
	"encoding/json"
	"fmt"
	"image/color"
	"io"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
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
	{"Loss_G", color.RGBA{230, 120, 20, 255}, func(p *curvePoint) float64 { return p.lossG }},
	{"Loss_D", color.RGBA{30, 100, 190, 255}, func(p *curvePoint) float64 { return p.lossD }},
}

var verdictCurves = []curve{
	{"D(x)", color.RGBA{40, 140, 60, 255}, func(p *curvePoint) float64 { return p.dx }},
	{"D(G(z)) before the update of D", color.RGBA{200, 40, 50, 255}, func(p *curvePoint) float64 { return p.dgz1 }},
	{"D(G(z)) after it", color.RGBA{150, 90, 180, 255}, func(p *curvePoint) float64 { return p.dgz2 }},
}

// drawCurves writes a PNG of the losses above the verdicts of D.
func drawCurves(w io.Writer, title string, points []curvePoint) error {
	losses, err := newPlot(points, "loss", lossCurves)
	if err != nil {
		return err
	}
	losses.Title.Text = title
	verdicts, err := newPlot(points, "mean of D", verdictCurves)
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

	c := vgimg.PngCanvas{Canvas: vgimg.New(10*vg.Inch, 7.5*vg.Inch)}
	rows := [][]*plot.Plot{{losses}, {verdicts}}
	tiles := draw.Tiles{Rows: 2, Cols: 1, PadX: 8, PadY: 16, PadTop: 8, PadBottom: 8, PadLeft: 8, PadRight: 16}
	for i, row := range plot.Align(rows, tiles, draw.New(c)) {
		rows[i][0].Draw(row[0])
	}
	_, err = c.WriteTo(w)
	return err
}

// newPlot plots some curves against steps.
func newPlot(points []curvePoint, y string, curves []curve) (*plot.Plot, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "step", y
	p.Legend.Top = true
	p.Legend.Padding = vg.Points(2)
	p.Title.TextStyle.Font.Size = vg.Points(14)
	for _, style := range []*draw.TextStyle{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{225}, color.Gray{225}
	p.Add(grid)
	for _, c := range curves {
		xy := make(plotter.XYs, len(points))
		for i := range points {
			xy[i] = plotter.XY{X: points[i].step, Y: c.value(&points[i])}
		}
		line, err := plotter.NewLine(xy)
		if err != nil {
			return nil, fmt.Errorf("train: %s: %w", c.name, err)
		}
		line.Color, line.Width = c.color, vg.Points(1.2)
		p.Add(line)
		p.Legend.Add(c.name, line)
	}
	return p, nil
}
