package train

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	// 30 images, 8 in a step: epochs begin at images 0, 30, 60..., which
	// steps 1, 5 (image 32), 9 (64), 13 (96) are the first to begin after.
	p := pace{perStep: 8, images: 30, steps: 13}
	for step, want := range map[int][4]int64{
		1: {0, 4, 1, 4}, 4: {0, 4, 4, 4}, 5: {1, 4, 1, 4}, 8: {1, 4, 4, 4}, 9: {2, 4, 1, 4}, 12: {2, 4, 4, 4}, 13: {3, 4, 1, 4},
	} {
		epoch, epochs, i, n := p.at(step)
		if got := [4]int64{epoch, epochs, i, n}; got != want {
			t.Errorf("step %d: got %v, want %v", step, got, want)
		}
	}
	// A step of more images than there are: several epochs in one.
	p = pace{perStep: 64, images: 30, steps: 2}
	if epoch, epochs, i, n := p.at(2); epoch != 2 || epochs != 5 || i != 1 || n != 1 {
		t.Errorf("got %d %d %d %d", epoch, epochs, i, n)
	}
	// The whole of what may be asked for.
	p = pace{perStep: 1 << 20, images: 60000, steps: maxSteps}
	if epoch, epochs, i, n := p.at(maxSteps); epoch < 0 || epoch >= epochs || i < 1 || i > n {
		t.Errorf("got %d %d %d %d", epoch, epochs, i, n)
	}
}

func TestStatsLine(t *testing.T) {
	p := pace{perStep: 8, images: 30, steps: 13}
	s := Stats{Step: 5, LossD: 1.25, LossG: 0.1, Dx: 0.5, DGz1: 0.25, DGz2: 0.125}
	b, err := p.line(s, time.Unix(0, 0), 123.4)
	want := `{"step":5,"epoch":1,"images":40,"loss_d":1.25,"loss_g":0.1,"d_x":0.5,"d_gz1":0.25,"d_gz2":0.125,"time_utc":"1970-01-01T00:00:00Z","time_images_per_s":123}`
	if err != nil || string(b) != want {
		t.Errorf("got  %s, %v\nwant %s", b, err, want)
	}
	if got, want := p.text(s), "[1/4][1/4] Loss_D: 1.2500 Loss_G: 0.1000 D(x): 0.5000 D(G(z)): 0.2500 / 0.1250"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTruncateStats(t *testing.T) {
	const a, b, c = `{"step":1,"x":2}` + "\n", `{"step":10}` + "\n", `{"step":20}` + "\n"
	for _, x := range []struct {
		name, content string
		step          int
		want          string
	}{
		{"nothing to do", a + b + c, 20, a + b + c},
		{"later", a + b + c, 19, a + b},
		{"all", a + b + c, 0, ""},
		{"half a line", a + b + c[:5], 30, a + b},
		{"no newline", a + b + c[:len(c)-1], 30, a + b},
		{"garbage", a + "x\n" + b, 30, a},
		{"empty", "", 5, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			d := &runDir{path: t.TempDir()}
			if err := os.WriteFile(d.file(statsName), []byte(x.content), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := d.truncateStats(x.step); err != nil {
				t.Fatal(err)
			}
			if got, _ := os.ReadFile(d.file(statsName)); string(got) != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
	if err := (&runDir{path: t.TempDir()}).truncateStats(3); err != nil {
		t.Errorf("no file: %v", err)
	}
}

// TestBar draws a bar on a terminal of 80 columns.
func TestBar(t *testing.T) {
	var screen bytes.Buffer
	bar := newBar(&screen, 80, 4000, 1000)
	time.Sleep(150 * time.Millisecond) // it is drawn ten times a second
	p := &progress{words: &screen, bar: bar, pace: pace{perStep: 128, images: 60000, steps: 4000}, start: time.Now().Add(-10 * time.Second)}
	if _, _, err := p.step(Stats{Step: 1000, LossD: 0.6141, LossG: 12.0106, Dx: 0.6374, DGz1: 0.1047, DGz2: 0.1655}, false); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(screen.String(), "\r")
	last := strings.TrimRight(lines[len(lines)-1], " ")
	if !strings.Contains(last, "Loss_D 0.61 Loss_G 12.01 D(x) 0.64 D(G(z)) 0.17 12800 img/s ETA 30s") || !strings.Contains(last, "25%") {
		t.Errorf("got %q", last)
	}
	if len(last) > 80 {
		t.Errorf("%d columns: %q", len(last), last)
	}
}

func TestNextRunDir(t *testing.T) {
	root := filepath.Join(t.TempDir(), "runs")
	for i, want := range []string{"00000-a-b", "00001-a-b", "00042-a-b"} {
		if i == 2 {
			for _, n := range []string{"00041-x-y", "notes", "7-seven"} {
				if err := os.Mkdir(filepath.Join(root, n), 0o777); err != nil {
					t.Fatal(err)
				}
			}
		}
		d, err := nextRunDir(root, "a-b")
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(d.path) != want {
			t.Errorf("got %s, want %s", d.path, want)
		}
		d.close()
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	d, err := lockRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockRunDir(dir); err == nil || !strings.Contains(err.Error(), "is in use by process") {
		t.Errorf("got %v", err)
	}
	d.close()
	d, err = lockRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	d.close()
}
