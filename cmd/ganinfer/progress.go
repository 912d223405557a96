package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress is a bar on a terminal, for work that takes more than a second. A nil *progress shows nothing.
type progress struct {
	w           io.Writer
	total       int
	start, last time.Time
	shown       bool
}

// newProgress returns the bar of total samples, or nil where the words do not go to a terminal.
func newProgress(std streams, total int) *progress {
	if !std.terminal(std.err) {
		return nil
	}
	now := time.Now()
	return &progress{w: std.err, total: total, start: now, last: now.Add(900 * time.Millisecond)}
}

// at shows that n samples are done, ten times a second at most.
func (p *progress) at(n int, now time.Time) {
	if p == nil || now.Sub(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.shown = now, true
	const width = 30
	share := float64(n) / float64(p.total)
	rate := float64(n) / now.Sub(p.start).Seconds()
	left := time.Duration(float64(p.total-n) / rate * 1e9).Round(time.Second)
	bar := strings.Repeat("=", int(share*width))
	fmt.Fprintf(p.w, "\r[%-*s] %3.0f %% %d/%d %.0f images/s ETA %v\x1b[K", width, bar, 100*share, n, p.total, rate, left)
}

// end removes the bar.
func (p *progress) end() {
	if p != nil && p.shown {
		io.WriteString(p.w, "\r\x1b[K")
	}
}
