package train

import (
	"fmt"
	"os"
	"path/filepath"

	"gantry/internal/graph"
	"gantry/internal/memory"
	"gantry/models"
	"gantry/train/dataset"
)

// An Estimate says what a run will need.
type Estimate struct {
	Generator, Discriminator int64 // trainable parameters
	Checkpoint               int64 // bytes of one checkpoint
	Memory                   int64 // bytes at the peak, within a factor of about 1.5
	Disk                     int64 // bytes of the run directory at the most
}

// NewEstimate computes what a run of valid settings needs; data may be nil, and
// then its own memory is not counted.
func NewEstimate(s *Settings, data dataset.Dataset) Estimate {
	g, d, err := s.Spec.Networks()
	if err != nil {
		return Estimate{}
	}
	var e Estimate
	// count returns the parameters of a network, and its values and gradients of one
	// sample that are there at once: what every layer makes, and three of the largest.
	count := func(n *models.Network) (trainable, statistics, alive int64) {
		var largest int64
		for i, node := range n.Nodes {
			for _, p := range node.Params {
				if p.Role.Trainable() {
					trainable += elements(p.Shape)
				} else {
					statistics += elements(p.Shape)
				}
			}
			out := elements(node.Out) * int64(max(1, node.Pieces))
			largest = max(largest, out)
			if inPlace := node.Type == models.Reshape || node.Type == models.Flatten || i > 0 && graph.Fuses(&n.Nodes[i-1], &node); !inPlace {
				alive += out
			}
		}
		return trainable, statistics, alive + 3*largest
	}
	var gStats, dStats, gAlive, dAlive int64
	e.Generator, gStats, gAlive = count(g)
	e.Discriminator, dStats, dAlive = count(d)
	all := e.Generator + e.Discriminator
	average := int64(0)
	if s.Recipe.EMA != (models.EMA{}) {
		average = e.Generator + gStats
	}
	moments := int64(1)
	if s.Recipe.Solver.Type == models.Adam {
		moments = 2
	}
	const header = 32 << 10
	e.Checkpoint = 4*(all*(1+moments)+gStats+dStats+average) + header

	sample := elements(s.Spec.Sample.Shape)
	batch := int64(s.Recipe.Batch)
	const program = 64 << 20
	e.Memory = program + 4*(all*(3+moments)+average+6*e.Generator) + // weights, gradients, packed weights, moments, average; an export
		4*batch*(gAlive+2*dAlive/int64(s.Spec.Packed())+3*sample) // values and gradients; G's update has its own pass through D
	if data != nil {
		e.Memory += data.Report().Memory
	}

	checkpoints := int64(s.Steps/s.CheckpointEvery) + 2 // with the first and the last
	if s.Keep > 0 {
		checkpoints = min(checkpoints, int64(min(s.Keep, maxSteps))+1) // the next one is written before the oldest is removed
	}
	grids := int64(s.Steps/s.SampleEvery) + 3
	lines := int64(s.Steps/s.LogEvery) + 2
	e.Disk = checkpoints*e.Checkpoint + 2*4*e.Generator + lines*400 + header
	e.Disk += maxCurvesFile
	if shape := s.Spec.Sample.Shape; drawable(shape) {
		a := newAnimationSize(shape, int(grids))
		grid := gridSamples * sample
		if scattered(shape) {
			grid = scatterSide * scatterSide
		}
		e.Disk += (grids+2)*grid + a.bytes() // with real beside fake
		e.Memory += int64(a.frames*a.width*a.height) + a.bytes() + 3*4*grid
	}
	return e
}

// lines says, for people, what the run needs of memory and of the file system
// that holds dir, and what is free.
func (e Estimate) lines(dir string) []string {
	free := func(n int64, known bool) string {
		if !known {
			return ""
		}
		return fmt.Sprintf(" (%s free)", humanBytes(n))
	}
	return []string{
		fmt.Sprintf("memory: about %s%s", humanBytes(e.Memory), free(memory.Free())),
		fmt.Sprintf("disk: up to %s%s, checkpoints of %s", humanBytes(e.Disk), free(freeSpace(existing(dir))), humanBytes(e.Checkpoint)),
	}
}

// existing returns dir, or what is there already of the directories it lies in.
func existing(dir string) string {
	for !exists(dir) && filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
	}
	return dir
}

func elements(shape []int) int64 { return int64(models.Elements(shape)) }

// checkRoom refuses a run that memory or file system have no room for.
func checkRoom(dir string, s *Settings) error {
	e := NewEstimate(s, nil)
	if err := checkMemory(e); err != nil {
		return err
	}
	need := e.diskLeft(dir)
	if free, ok := freeSpace(existing(dir)); ok && free < need {
		return failure("another disk, fewer checkpoints (--keep) or grids (--sample-every)",
			"%s has room for %s, the run needs up to %s", dir, humanBytes(free), humanBytes(need))
	}
	return nil
}

// diskLeft returns what a run will still write to its directory, which it has
// filled in part if it is resumed.
func (e Estimate) diskLeft(dir string) int64 {
	left := e.Disk
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			left -= info.Size()
		}
	}
	return left
}

// checkMemory refuses a run that memory has no room for.
func checkMemory(e Estimate) error {
	if free, ok := memory.Free(); ok && free < e.Memory {
		return failure("a smaller --batch or a smaller preset needs less",
			"%s of memory are free, the run needs about %s", humanBytes(free), humanBytes(e.Memory))
	}
	return nil
}
