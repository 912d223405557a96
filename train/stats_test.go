package train

import (
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
