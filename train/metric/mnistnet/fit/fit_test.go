package main

import (
	"bytes"
	"io"
	"testing"

	"gantry/infer"
	"gantry/train/dataset"
	"gantry/train/dataset/mnist"
)

// some returns the first n images of data.
func some(t *testing.T, data dataset.Dataset, n int) dataset.Dataset {
	t.Helper()
	x, indices, labels := make([]float32, n*side*side), make([]int, n), make([]byte, n)
	for i := range indices {
		indices[i], labels[i] = i, byte(data.Label(i))
	}
	if err := data.Read(x, indices); err != nil {
		t.Fatal(err)
	}
	pixels := make([]byte, len(x))
	for i, v := range x {
		pixels[i] = byte(v*255 + 0.5)
	}
	d, err := dataset.New("some", []int{1, side, side}, pixels, labels)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestFit: it learns, and gives the same bytes for every number of threads.
func TestFit(t *testing.T) {
	train, err := mnist.Train()
	if err != nil {
		t.Fatal(err)
	}
	data := some(t, train, 500)
	var files [2][]byte
	for i := range files {
		if files[i], err = fit(config{train: data, test: data, epochs: 12, threads: i + 1, words: io.Discard}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("one thread and two give different bytes")
	}
	m, err := infer.LoadBytes(files[0], infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a := m.Metadata()["test_accuracy"]; a < "0.7" {
		t.Errorf("accuracy on the images it was trained on is %s, want at least 0.7", a)
	}
}

func TestMove(t *testing.T) {
	var x, y [side * side]float32
	x[5*side+6] = 1
	for _, c := range []struct{ dx, dy, at int }{{0, 0, 5*side + 6}, {2, -1, 4*side + 8}, {-2, 2, 7*side + 4}} {
		move(y[:], x[:], c.dx, c.dy)
		for i, v := range y {
			if (v == 1) != (i == c.at) {
				t.Errorf("moved by %d, %d: element %d is %v", c.dx, c.dy, i, v)
			}
		}
	}
	x[0] = 1
	move(y[:], x[:], -1, 0) // out of the picture
	if y[0] != 0 || y[side-1] != 0 {
		t.Error("what leaves on one side comes in on the other")
	}
}
