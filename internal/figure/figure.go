// Package figure draws the project's plots: one style for the curves of a run
// and for the figures of the papers.
package figure

import (
	"fmt"
	"image"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Colours that differ in hue and in brightness.
var (
	Blue   = color.RGBA{30, 100, 190, 255}
	Orange = color.RGBA{230, 120, 20, 255}
	Green  = color.RGBA{40, 140, 60, 255}
	Red    = color.RGBA{200, 40, 50, 255}
	Purple = color.RGBA{150, 90, 180, 255}
	Grey   = color.RGBA{170, 170, 170, 255}
	Black  = color.RGBA{0, 0, 0, 255}
)

// New returns an empty plot with labelled axes and a legend at the top.
func New(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Legend.Top = true
	p.Legend.Padding = vg.Points(2)
	p.Title.TextStyle.Font.Size = vg.Points(14)
	for _, style := range []*draw.TextStyle{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{225}, color.Gray{225}
	p.Add(grid)
	return p
}

// Line adds a curve. It has an entry in the legend unless name is empty.
func Line(p *plot.Plot, name string, c color.Color, xy plotter.XYs) (*plotter.Line, error) {
	line, err := plotter.NewLine(xy)
	if err != nil {
		return nil, fmt.Errorf("figure: %s: %w", name, err)
	}
	line.Color, line.Width = c, vg.Points(1.2)
	p.Add(line)
	if name != "" {
		p.Legend.Add(name, line)
	}
	return line, nil
}

// Dots adds points, drawn as discs of the given radius.
func Dots(p *plot.Plot, name string, c color.Color, radius vg.Length, xy plotter.XYs) error {
	dots, err := plotter.NewScatter(xy)
	if err != nil {
		return fmt.Errorf("figure: %s: %w", name, err)
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: c, Radius: radius, Shape: draw.CircleGlyph{}}
	p.Add(dots)
	if name != "" {
		p.Legend.Add(name, dots)
	}
	return nil
}

// Image draws rows of equally many plots, their axes aligned, at 96 pixels to
// the inch.
func Image(width, height vg.Length, rows ...[]*plot.Plot) image.Image {
	c := vgimg.New(width, height)
	tiles := draw.Tiles{Rows: len(rows), Cols: len(rows[0]), PadX: 8, PadY: 16, PadTop: 8, PadBottom: 8, PadLeft: 8, PadRight: 16}
	for i, row := range plot.Align(rows, tiles, draw.New(c)) {
		for j := range row {
			rows[i][j].Draw(row[j])
		}
	}
	return c.Image()
}
