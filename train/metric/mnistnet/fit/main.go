// Command fit trains the classifier of package mnistnet on MNIST's training
// images, and writes it as ONNX:
//
//	go run ./train/metric/mnistnet/fit -o train/metric/mnistnet/mnist.onnx
//
// It takes a few minutes on two cores and writes the same bytes everywhere.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/pflag"

	"gantry/internal/atomicfile"
	"gantry/train/dataset/mnist"
)

func main() {
	out := pflag.StringP("out", "o", "mnist.onnx", "file to write")
	pflag.Parse()
	if err := run(*out, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "fit: error: %v\n", err)
		os.Exit(1)
	}
}

func run(out string, words io.Writer) error {
	train, err := mnist.Train()
	if err != nil {
		return err
	}
	test, err := mnist.Test()
	if err != nil {
		return err
	}
	file, err := fit(config{train: train, test: test, epochs: epochs, threads: runtime.GOMAXPROCS(0), words: words})
	if err != nil {
		return err
	}
	return atomicfile.WriteFileAtomic(out, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(file))
		return err
	})
}
