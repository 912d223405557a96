package train

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress tells people how a run goes: lines with the figures of a step, its
// images per second and the time that is left, or on a terminal a bar.
// Everything but the bar is written to log.txt as well.
type progress struct {
	words io.Writer // never nil
	log   *appender
	bar   *progressbar.ProgressBar // nil unless words is a terminal, wide enough
	cols  int                      // columns of the terminal that bar was made for
	pace  pace
	start time.Time // of this process's training
	first int       // completed steps at start
	last  time.Time // of the last entry in stats.jsonl
	at    int       // completed steps then
}

func newProgress(words io.Writer, log *appender) *progress {
	if words == nil {
		words = io.Discard
	}
	return &progress{words: words, log: log}
}

// say prints a line.
func (p *progress) say(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if p.bar != nil {
		p.bar.Clear()
	}
	fmt.Fprintln(p.words, text)
	return p.logLine(text)
}

func (p *progress) logLine(text string) error {
	if err := p.log.line([]byte(text)); err != nil {
		return failure("is the disk full? the last checkpoint is good", "%w", err)
	}
	return nil
}

// begin starts the clock, after the given number of completed steps.
func (p *progress) begin(pace pace, done int) {
	p.pace, p.first, p.at = pace, done, done
	p.start = time.Now()
	p.last = p.start
	if done < pace.steps {
		p.fit(columns(p.words), done)
	}
}

// fit makes a bar for a terminal of the given columns, or none if they are too few.
func (p *progress) fit(cols, done int) {
	p.end()
	p.cols = cols
	if cols >= minColumns {
		p.bar = newBar(p.words, cols, p.pace.steps, done)
	}
}

// columns is the width of the terminal that w is, or 0 if it is none.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	if cols, _, err := term.GetSize(int(f.Fd())); err == nil && cols > 0 {
		return cols
	}
	return 80
}

// The longest text that stands beside the bar and its percentage, and the long
// one of wide terminals; the columns of percentage, spaces and cursor; the
// narrowest terminal with a bar, and the narrowest with the long text.
const (
	shortText, longText = 46, 67
	barRest             = 10
	minColumns          = shortText + barRest + 6
	wideColumns         = longText + barRest + 24
)

// textColumns is the room for the text on a terminal of the given columns.
func textColumns(cols int) int {
	if cols < wideColumns {
		return shortText
	}
	return longText
}

func newBar(w io.Writer, cols, steps, done int) *progressbar.ProgressBar {
	bar := progressbar.NewOptions(steps,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "=", SaucerHead: ">", SaucerPadding: "."}),
		progressbar.OptionSetWidth(min(40, cols-textColumns(cols)-barRest)),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetRenderBlankState(false),
		progressbar.OptionClearOnFinish())
	bar.Set(done)
	return bar
}

// step takes note of a step; entry says whether it is one that is logged. It
// returns the time and the images per second since the last such step.
func (p *progress) step(s Stats, entry bool) (now time.Time, rate float64, err error) {
	if p.cols > 0 { // a terminal, which may have got another size
		if cols := columns(p.words); cols > 0 && cols != p.cols {
			p.fit(cols, s.Step)
		}
	}
	if p.bar == nil && !entry {
		return
	}
	now = time.Now()
	if p.bar != nil {
		p.bar.Describe(p.describe(s, now))
		p.bar.Set(s.Step)
	}
	if !entry {
		return
	}
	if d := now.Sub(p.last).Seconds(); d > 0 {
		rate = float64(int64(s.Step-p.at)*p.pace.perStep) / d
	}
	p.last, p.at = now, s.Step
	text := fmt.Sprintf("%s %.0f images/s ETA %s", p.pace.text(s), rate, p.left(s.Step, now))
	if p.bar == nil {
		fmt.Fprintln(p.words, text)
	}
	return now, rate, p.logLine(text)
}

// left is how long the run will still take after a step, at the pace so far.
func (p *progress) left(step int, now time.Time) time.Duration {
	perStep := float64(now.Sub(p.start)) / float64(max(1, step-p.first))
	return time.Duration(min(perStep*float64(p.pace.steps-step), 1<<62)).Round(time.Second)
}

// describe is the text at the bar's end, at most textColumns long.
func (p *progress) describe(s Stats, now time.Time) string {
	elapsed := now.Sub(p.start)
	done := max(1, s.Step-p.first)
	rate := 0.0
	if elapsed > 0 {
		rate = float64(int64(done)*p.pace.perStep) / elapsed.Seconds()
	}
	verdict := ""
	if p.cols >= wideColumns {
		verdict = fmt.Sprintf("D(x) %.2f D(G(z)) %.2f ", s.Dx, s.DGz2)
	}
	text := fmt.Sprintf("Loss_D %.2f Loss_G %.2f %s%.0f img/s ETA %s", s.LossD, s.LossG, verdict, rate, p.left(s.Step, now))
	return text[:min(len(text), textColumns(p.cols))]
}

// end removes the bar.
func (p *progress) end() {
	if p.bar != nil {
		p.bar.Clear()
		p.bar = nil
	}
}
