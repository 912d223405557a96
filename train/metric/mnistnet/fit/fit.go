package main

import (
	"fmt"
	"io"

	"gorgonia.org/gorgonia"

	"gantry/export"
	"gantry/infer"
	"gantry/internal/graph"
	"gantry/internal/kernel"
	"gantry/internal/rng"
	"gantry/models"
	"gantry/train/dataset"
	"gantry/train/metric/mnistnet"
)

// How the network is trained: Adam, its rate falling in a line to 0; each image
// moved by up to two pixels.
const (
	epochs  = 20
	batch   = 100
	lr      = 2e-3
	seed    = 1
	reach   = 2 // pixels that an image moves, at most
	side    = 28
	classes = 10
)

// layers are those of the classifier: 41,000 parameters. The features are what
// the last layer but one gives.
func layers() []models.Layer {
	no := false
	conv := func(channels, kernel int) []models.Layer {
		return []models.Layer{{Type: models.Conv, Channels: channels, Kernel: kernel, Stride: 2, Pad: 1, Bias: &no}, {Type: models.BatchNorm}, {Type: models.Relu}}
	}
	l := append(conv(16, 4), conv(32, 4)...)
	l = append(l, conv(24, 3)...)
	return append(l, models.Layer{Type: models.Flatten}, models.Layer{Type: models.Linear, Units: 64}, models.Layer{Type: models.Relu, Name: "features"},
		models.Layer{Type: models.Linear, Units: classes, Name: "logits"})
}

// config says what fit trains on.
type config struct {
	train, test dataset.Dataset
	epochs      int
	threads     int
	words       io.Writer
}

// fit trains the network and returns it as ONNX, with its accuracy on the test
// images in the metadata.
func fit(c config) ([]byte, error) {
	network, err := models.NewNetwork("classifier", "c", []int{1, side, side}, layers())
	if err != nil {
		return nil, err
	}
	net := graph.NewNet(network)
	if err := net.Init(models.Distribution{Type: models.FanInUniform}, seed); err != nil {
		return nil, err
	}
	t, err := newTrainer(net, c)
	if err != nil {
		return nil, err
	}
	defer t.ctx.Pool.Close()
	for e := range c.epochs {
		loss, err := t.epoch(e)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(c.words, "epoch %d of %d: loss %.4f\n", e+1, c.epochs, loss)
	}
	outputs := []export.Output{{Name: "features", Layer: "features"}, {Name: "logits", Layer: "logits"}}
	plain, _, err := export.Network(net, "image", outputs, nil)
	if err != nil {
		return nil, err
	}
	m, err := infer.LoadBytes(plain, infer.Options{Threads: c.threads})
	if err != nil {
		return nil, err
	}
	accuracy, err := mnistnet.Accuracy(m, c.test)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(c.words, "accuracy on %d test images: %.4f\n", c.test.Len(), accuracy)
	file, _, err := export.Network(net, "image", outputs, map[string]string{
		"training_data": fmt.Sprintf("%s, %d images, SHA-256 of the pixels %s", c.train.Name(), c.train.Len(), c.train.Digest()),
		"test_accuracy": fmt.Sprintf("%.4f", accuracy),
		"input":         "pixels in [0, 1]",
	})
	return file, err
}

// A trainer is the graph of a step, and Adam's moments.
type trainer struct {
	config
	ctx   graph.Context
	x, y  *gorgonia.Node // images [batch 1 28 28] and classes [batch 10], one of which is 1
	loss  *gorgonia.Node
	pass  graph.Pass
	vm    graph.Machine
	slots []slot
	done  int // steps
}

type slot struct {
	w, m, v []float32
	grad    *gorgonia.Node
}

func newTrainer(net *graph.Net, c config) (*trainer, error) {
	t := &trainer{config: c, ctx: graph.Context{Pool: kernel.NewPool(c.threads), Seed: seed}}
	g := gorgonia.NewGraph()
	t.x, t.y = graph.Input(g, "image", batch, 1, side, side), graph.Input(g, "class", batch, classes)
	logits, err := graph.Build(g, net, t.x, graph.Training, &t.ctx, &t.pass)
	if err != nil {
		return nil, err
	}
	if t.loss, err = graph.CrossEntropy(&t.ctx, logits, t.y); err != nil {
		return nil, err
	}
	var params gorgonia.Nodes
	for _, p := range net.Trainable() {
		params = append(params, net.Node(g, p))
	}
	one := graph.Input(g, "one", 1)
	graph.Floats(one)[0] = 1
	grads, err := graph.Grad(t.loss, one, params...)
	if err != nil {
		return nil, err
	}
	for i, p := range params {
		w := graph.Floats(p)
		t.slots = append(t.slots, slot{w, make([]float32, len(w)), make([]float32, len(w)), grads[i]})
	}
	t.vm, err = graph.NewVM(append(gorgonia.Nodes{t.loss}, grads...))
	return t, err
}

// epoch goes through the training images once, and returns the mean loss.
func (t *trainer) epoch(e int) (float64, error) {
	order := make([]uint32, t.train.Len())
	rng.Permutation(order, seed, rng.Order, uint64(e))
	steps := len(order) / batch
	images := make([]float32, batch*side*side)
	indices := make([]int, batch)
	sum := 0.0
	for s := range steps {
		y := graph.Floats(t.y)
		clear(y)
		for i := range indices {
			indices[i] = int(order[s*batch+i])
			y[i*classes+t.train.Label(indices[i])] = 1
		}
		if err := t.train.Read(images, indices); err != nil {
			return 0, err
		}
		for i := range indices {
			r := rng.Block(seed, rng.Augment, 0, uint64(t.done*batch+i), 0)
			dx, dy := int(r[0]%(2*reach+1))-reach, int(r[1]%(2*reach+1))-reach
			move(graph.Floats(t.x)[i*side*side:(i+1)*side*side], images[i*side*side:(i+1)*side*side], dx, dy)
		}
		if err := t.vm.Run(0); err != nil {
			return 0, err
		}
		t.pass.Commit()
		rate := float32(lr) * float32(t.epochs*steps-t.done) / float32(t.epochs*steps)
		t.done++
		for _, s := range t.slots {
			kernel.Adam(t.ctx.Pool, s.w, graph.Floats(s.grad), s.m, s.v, rate, 0.9, 0.999, 1e-8, t.done)
		}
		sum += float64(graph.Floats(t.loss)[0])
	}
	return sum / float64(steps), nil
}

// move copies an image, dx pixels to the right and dy down; what comes in is 0.
func move(dst, x []float32, dx, dy int) {
	for r := range side {
		for c := range side {
			v := float32(0)
			if y, x0 := r-dy, c-dx; y >= 0 && y < side && x0 >= 0 && x0 < side {
				v = x[y*side+x0]
			}
			dst[r*side+c] = v
		}
	}
}
