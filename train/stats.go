package train

import (
	"encoding/json"
	"fmt"
	"time"
)

// statsLine is one line of stats.jsonl. All but the fields named time_... is
// the same in every run of the same settings.
type statsLine struct {
	Step   int     `json:"step"`   // completed steps
	Epoch  int     `json:"epoch"`  // complete passes through the data before this step, from 0
	Images int64   `json:"images"` // real images seen
	LossD  float64 `json:"loss_d"`
	LossG  float64 `json:"loss_g"`
	Dx     float64 `json:"d_x"`   // mean D(x)
	DGz1   float64 `json:"d_gz1"` // mean D(G(z)) before D's update
	DGz2   float64 `json:"d_gz2"` // and after it

	TimeUTC          string  `json:"time_utc"`
	TimeImagesPerSec float64 `json:"time_images_per_s"` // since the line before
}

// A pace says where in the data a step stands. Batches run across the ends of
// epochs, so epochs need not have equal numbers of steps.
type pace struct {
	perStep int64 // images per step: k·batch
	images  int64 // in the data set
	steps   int   // of the run
}

// at returns the epoch in which step (counted from 1) begins, from 0, and how
// many of that epoch's steps are then done; and the numbers of both.
func (p pace) at(step int) (epoch, epochs, i, n int64) {
	seen := int64(step-1) * p.perStep
	epoch = seen / p.images
	first := (epoch*p.images + p.perStep - 1) / p.perStep // steps that began before this epoch
	n = (p.images + p.perStep - 1) / p.perStep
	epochs = (int64(p.steps)*p.perStep + p.images - 1) / p.images
	return epoch, epochs, int64(step) - first, n
}

// line returns the step's entry for stats.jsonl.
func (p pace) line(s Stats, now time.Time, rate float64) ([]byte, error) {
	epoch, _, _, _ := p.at(s.Step)
	b, err := json.Marshal(statsLine{
		Step: s.Step, Epoch: int(epoch), Images: int64(s.Step) * p.perStep,
		LossD: s.LossD, LossG: s.LossG, Dx: s.Dx, DGz1: s.DGz1, DGz2: s.DGz2,
		TimeUTC: now.UTC().Format(time.RFC3339), TimeImagesPerSec: float64(int64(rate + 0.5)),
	})
	if err != nil {
		return nil, fmt.Errorf("train: step %d: statistics: %w", s.Step, err)
	}
	return b, nil
}

// text returns the step's line for people, in the form of PyTorch's DCGAN
// example, which scripts are known to read.
func (p pace) text(s Stats) string {
	epoch, epochs, i, n := p.at(s.Step)
	return fmt.Sprintf("[%d/%d][%d/%d] Loss_D: %.4f Loss_G: %.4f D(x): %.4f D(G(z)): %.4f / %.4f",
		epoch, epochs, i, n, s.LossD, s.LossG, s.Dx, s.DGz1, s.DGz2)
}
