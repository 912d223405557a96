package repro

import (
	"context"
	"fmt"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"gantry/internal/figure"
	"gantry/train"
	"gantry/train/dataset"
)

// published are others' rows of the same table. VEEGAN's are means of 5 trials, with other
// networks; its "GAN" is that paper's own.
var published = []struct{ data, method, source, modes, share, kl string }{
	{"ring", "GAN", "PacGAN's paper", "6.3 ± 0.5", "98.2 ± 0.2", "0.45 ± 0.09"},
	{"ring", "ALI", "PacGAN's paper", "6.6 ± 0.3", "97.6 ± 0.4", "0.36 ± 0.04"},
	{"ring", "PacGAN2", "PacGAN's paper", "7.9 ± 0.1", "95.6 ± 2.0", "0.07 ± 0.03"},
	{"ring", "PacGAN3", "PacGAN's paper", "7.8 ± 0.1", "97.7 ± 0.3", "0.10 ± 0.02"},
	{"ring", "PacGAN4", "PacGAN's paper", "7.8 ± 0.1", "95.9 ± 1.4", "0.07 ± 0.02"},
	{"ring", "GAN", "VEEGAN's paper", "1", "99.3", "-"},
	{"ring", "ALI", "VEEGAN's paper", "2.8", "0.13", "-"},
	{"ring", "Unrolled", "VEEGAN's paper", "7.6", "35.6", "-"},
	{"ring", "VEEGAN", "VEEGAN's paper", "8", "52.9", "-"},
	{"grid", "GAN", "PacGAN's paper", "17.3 ± 0.8", "94.8 ± 0.7", "0.70 ± 0.07"},
	{"grid", "ALI", "PacGAN's paper", "24.1 ± 0.4", "95.7 ± 0.6", "0.14 ± 0.03"},
	{"grid", "PacGAN2", "PacGAN's paper", "23.8 ± 0.7", "91.3 ± 0.8", "0.13 ± 0.04"},
	{"grid", "PacGAN3", "PacGAN's paper", "24.6 ± 0.4", "94.2 ± 0.4", "0.06 ± 0.02"},
	{"grid", "PacGAN4", "PacGAN's paper", "24.8 ± 0.2", "93.6 ± 0.6", "0.04 ± 0.01"},
	{"grid", "GAN", "VEEGAN's paper", "3.3", "0.5", "-"},
	{"grid", "ALI", "VEEGAN's paper", "15.8", "1.6", "-"},
	{"grid", "Unrolled", "VEEGAN's paper", "23.6", "16", "-"},
	{"grid", "VEEGAN", "VEEGAN's paper", "24.6", "40", "-"},
}

// String returns the table, for people: ours beside what was published.
func (r *ModesResult) String() string {
	var b strings.Builder
	line := func(method, source, modes, share, kl string) {
		fmt.Fprintf(&b, "  %-9s %-15s %12s %14s %14s\n", method, source, modes, share, kl)
	}
	for _, data := range []string{"ring", "grid"} {
		fmt.Fprintf(&b, "%s, %s modes\n", data, map[string]string{"ring": "8", "grid": "25"}[data])
		line("", "", "modes", "% high quality", "reverse KL")
		for _, row := range r.Rows {
			if row.Data == data {
				line(row.method(), "here", row.Modes.text(1, 1), row.Share.text(100, 1), row.ReverseKL.text(1, 2))
			}
		}
		for _, p := range published {
			if p.data == data {
				line(p.method, p.source, p.modes, p.share, p.kl)
			}
		}
	}
	trials := "1 trial"
	if n := len(r.Rows[0].Trials); n > 1 {
		trials = fmt.Sprintf("%d trials", n)
	}
	fmt.Fprintf(&b, "here: %s steps, %s", grouped(r.Steps), trials)
	if r.Steps != PacGANSteps {
		fmt.Fprintf(&b, "; PacGAN's paper: %s steps, %d trials", grouped(PacGANSteps), PacGANTrials)
	}
	fmt.Fprintf(&b, "; ± is the standard error.\n%s samples each; high quality: within 3 standard deviations of a mode.\nfigure: %s\n", grouped(modesSamples), r.Picture)
	return b.String()
}

// draw writes a scatter plot of the first trial of each row.
func (r *ModesResult) draw(ctx context.Context, o *Options) error {
	var rows [][]*plot.Plot
	for i, row := range r.Rows {
		t := row.Trials[0]
		data, err := dataset.NewPoints(row.Data, t.Seed)
		if err != nil {
			return err
		}
		x, err := row.sample(ctx, o, t.Dir)
		if err != nil {
			return err
		}
		for k, v := range x {
			x[k] = (v + dataset.PointBound) / (2 * dataset.PointBound)
		}
		p, err := train.ScatterPlot(fmt.Sprintf("%s, %s: %d modes", row.Data, row.method(), t.Modes), data, x)
		if err != nil {
			return err
		}
		if i%2 == 0 {
			rows = append(rows, nil)
		}
		rows[i/2] = append(rows[i/2], p)
	}
	var err error
	r.Picture, err = o.picture("modes.png", figure.Image(10*vg.Inch, 10.4*vg.Inch, rows...))
	return err
}
