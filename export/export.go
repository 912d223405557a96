// Package export writes a trained generator as an ONNX file, and proves that the
// file computes what was trained.
//
// # Concepts
//
// What is written is the generator's Gorgonia graph in sampling mode, the one
// that draws the images of a training run: it is walked from its output to its
// inputs, and every operation states its own ONNX node. Batch norms are then
// folded into the linear layers and convolutions before them. The file holds
// standard operators of opset 13 only; its input is float32 [N, nz], its output
// "image" float32 [N, C, H, W] or "sample" [N, d], with N open. Its metadata says
// where it comes from and holds a golden, a few results to check any runtime by.
//
// Nothing is announced before [Verify] has read the bytes back.
package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"gantry/infer"
	"gantry/internal/atomicfile"
	"gantry/internal/graph"
	"gantry/internal/imaging"
	"gantry/internal/onnx"
	"gantry/models"
)

// Info says where a model comes from; it goes into the file's metadata.
type Info struct {
	DataName   string // of the training data
	DataSHA256 string // digest of the training data, hexadecimal; "" if unknown
	Step       int    // completed training steps
}

// Options says how to write. The commands set Fold unless told otherwise.
type Options struct {
	Fold bool // fold batch norms into the linear layers and convolutions before them
}

// A Report says what was written and how well it agrees with the trained model.
type Report struct {
	Nodes   int     // nodes of the ONNX graph
	Folded  int     // batch norms that were folded away
	Params  int     // elements of its float32 weights
	Bytes   int     // length of the file
	MaxDiff float64 // largest difference between infer and the sampling graph, as a share of the value range
	Bound   float64 // the largest allowed
}

// Generator returns the model's generator as an ONNX file that [Verify] accepts.
// The same model, info and options give the same bytes.
func Generator(m *graph.Model, info Info, o Options) ([]byte, *Report, error) {
	file, err := write(m, info, o)
	if err != nil {
		return nil, nil, err
	}
	r, err := Verify(file, m)
	if err != nil {
		return nil, nil, err
	}
	return file, r, nil
}

// WriteFile writes the model's generator to path. The file has a temporary name
// beside path until what is on disk is verified; one that fails is removed, and a
// file that stood at path is untouched.
func WriteFile(path string, m *graph.Model, info Info, o Options) (*Report, error) {
	file, err := write(m, info, o)
	if err != nil {
		return nil, err
	}
	return place(path, file, m)
}

// place writes the file, reads it back, verifies it and gives it its name.
func place(path string, file []byte, m *graph.Model) (r *Report, err error) {
	write := func(w io.Writer) error {
		_, err := w.Write(file)
		return err
	}
	err = atomicfile.WriteFileChecked(path, write, func(name string) error {
		onDisk, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("export: reading back: %w", err)
		}
		r, err = Verify(onDisk, m)
		return err
	})
	return r, err
}

// write makes the file: first without a golden, from which infer draws the
// golden's samples, then with it.
func write(m *graph.Model, info Info, o Options) ([]byte, error) {
	net, err := lower(m, o)
	if err != nil {
		return nil, err
	}
	props, err := metadata(m, info, nil)
	if err != nil {
		return nil, err
	}
	plain, err := encode(net, m.G.Name, props)
	if err != nil {
		return nil, err
	}
	g, err := golden(plain, m)
	if err != nil {
		return nil, err
	}
	if props, err = metadata(m, info, g); err != nil {
		return nil, err
	}
	return encode(net, m.G.Name, props)
}

// golden draws samples 0 to 3 of seed 0 with infer and keeps some of their
// elements, and the digest of all their pixels.
func golden(file []byte, m *graph.Model) (*onnx.Golden, error) {
	model, err := infer.LoadBytes(file, infer.Options{})
	if err != nil {
		return nil, fmt.Errorf("export: golden: %w", err)
	}
	s, err := infer.NewSampler(model, infer.SamplerOptions{})
	if err != nil {
		return nil, fmt.Errorf("export: golden: %w", err)
	}
	const samples, most = 4, 16
	size := models.Elements(m.Spec.Sample.Shape)
	g := &onnx.Golden{Bound: bound}
	for i := range min(size, most) {
		g.Positions = append(g.Positions, (2*i+1)*size/(2*min(size, most))) // the middles of equal parts
	}
	lo, hi := m.Spec.Sample.Range[0], m.Spec.Sample.Range[1]
	digest, pixels := sha256.New(), make([]uint8, size)
	err = s.Sample(context.Background(), infer.Range(g.Seed, 0, samples), func(i int, x []float32) error {
		values := make([]float32, len(g.Positions))
		for j, p := range g.Positions {
			values[j] = x[p]
		}
		g.Indices = append(g.Indices, uint64(i))
		g.Values = append(g.Values, values)
		imaging.Pixels(pixels, x, lo, hi)
		digest.Write(pixels)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("export: golden: %w", err)
	}
	g.Pixels = hex.EncodeToString(digest.Sum(nil))
	return g, nil
}
