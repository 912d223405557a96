package main

import (
	"strings"
	"testing"
	"time"
)

func TestProgress(t *testing.T) {
	var b strings.Builder
	start := time.Now()
	p := &progress{w: &b, total: 200, start: start, last: start.Add(900 * time.Millisecond)}
	p.at(1, start.Add(999*time.Millisecond))
	if p.end(); b.Len() > 0 {
		t.Errorf("in the first second: %q", &b)
	}
	p.at(50, start.Add(2*time.Second))
	p.at(51, start.Add(2099*time.Millisecond)) // too soon
	p.end()
	const want = "\r[=======                       ]  25 % 50/200 25 images/s ETA 6s\x1b[K\r\x1b[K"
	if b.String() != want {
		t.Errorf("got %q, want %q", &b, want)
	}
	if newProgress(streams{&b, &b}, 3) != nil {
		t.Error("a bar where there is no terminal")
	}
	(*progress)(nil).at(1, start)
	(*progress)(nil).end()
}
