package train

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestBar draws a bar on terminals of several widths: no line is wider, and
// those that are too narrow for one get plain lines.
func TestBar(t *testing.T) {
	short, long := "Loss_D 0.61 Loss_G 12.01 12800 img/s ETA 30s", "Loss_D 0.61 Loss_G 12.01 D(x) 0.64 D(G(z)) 0.17 12800 img/s ETA 30s"
	for cols, want := range map[int]string{0: "", 40: "", 61: "", 62: short, 80: short, 100: short, 101: long, 200: long} {
		var screen bytes.Buffer
		p := &progress{words: &screen, pace: pace{perStep: 128, images: 60000, steps: 4000}}
		p.fit(cols, 1000)
		if (p.bar != nil) != (want != "") {
			t.Errorf("%d columns: a bar: %v", cols, p.bar != nil)
		}
		if p.bar == nil {
			continue
		}
		time.Sleep(110 * time.Millisecond) // it is drawn ten times a second
		p.start = time.Now().Add(-10 * time.Second)
		if _, _, err := p.step(Stats{Step: 1000, LossD: 0.6141, LossG: 12.0106, Dx: 0.6374, DGz1: 0.1047, DGz2: 0.1655}, false); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(screen.String(), "\r")
		last := strings.TrimRight(lines[len(lines)-1], " ")
		if !strings.HasSuffix(last, want) || !strings.Contains(last, "25%") {
			t.Errorf("%d columns: got %q", cols, last)
		}
		for _, line := range lines {
			if len(line) > cols-1 {
				t.Errorf("%d columns: %q has %d", cols, line, len(line))
			}
		}
	}
}

// TestDescribe: whatever the numbers, the text has its room.
func TestDescribe(t *testing.T) {
	for _, cols := range []int{minColumns, 80, wideColumns, 200} {
		p := &progress{cols: cols, pace: pace{perStep: 1 << 20, images: 1, steps: maxSteps}, start: time.Now().Add(-1000 * time.Hour)}
		if text := p.describe(Stats{Step: 1, LossD: 1e30, LossG: 1e30}, time.Now()); len(text) > textColumns(cols) {
			t.Errorf("%d columns: %q", cols, text)
		}
	}
}

// TestLeft: the time that is left is counted from where this process began.
func TestLeft(t *testing.T) {
	now := time.Now()
	p := &progress{pace: pace{steps: 4000}, first: 1000, start: now.Add(-10 * time.Second)}
	for step, want := range map[int]time.Duration{1001: 2999 * 10 * time.Second, 1100: 290 * time.Second, 4000: 0} {
		if got := p.left(step, now); got != want {
			t.Errorf("step %d: got %v, want %v", step, got, want)
		}
	}
}
