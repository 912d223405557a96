// Package mnist holds the MNIST database of handwritten digits, embedded in
// the program: 60,000 images to train on and 10,000 to test on, [1 28 28] each,
// ten classes. LICENSE says whose it is: Yann LeCun and Corinna Cortes,
// CC BY-SA 3.0. It makes a binary 11.6 MB larger, so only commands import it.
package mnist

import (
	"bytes"
	_ "embed"
	"sync"

	"gantry/train/dataset"
)

//go:embed train-images-idx3-ubyte.gz
var trainImages []byte

//go:embed train-labels-idx1-ubyte.gz
var trainLabels []byte

//go:embed t10k-images-idx3-ubyte.gz
var testImages []byte

//go:embed t10k-labels-idx1-ubyte.gz
var testLabels []byte

var (
	train = sync.OnceValues(func() (*dataset.Memory, error) { return decode(trainImages, trainLabels) })
	test  = sync.OnceValues(func() (*dataset.Memory, error) { return decode(testImages, testLabels) })
)

func decode(images, labels []byte) (*dataset.Memory, error) {
	d, err := dataset.ReadIDX("mnist", bytes.NewReader(images), bytes.NewReader(labels))
	if err != nil {
		return nil, err
	}
	return d.(*dataset.Memory), nil
}

// Train returns the 60,000 training images. They are decompressed at the first
// call, into 47 MB that stay; later calls return the same data set.
func Train() (*dataset.Memory, error) { return train() }

// Test returns the 10,000 test images, in the same manner.
func Test() (*dataset.Memory, error) { return test() }
