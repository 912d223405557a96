package dataset

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The binary version of CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html): a
// record is a label and an image, [3 32 32]; a file is records.
const (
	cifarImage  = 3 * 32 * 32
	cifarRecord = 1 + cifarImage
)

// cifarClasses are what its labels mean.
var cifarClasses = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

// isCIFAR tells directories that hold files of CIFAR-10.
func isCIFAR(dir string) bool {
	for _, name := range []string{"data_batch_1.bin", "test_batch.bin"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// OpenCIFAR opens the training half of a directory that holds CIFAR-10's binary
// files, data_batch_1.bin to data_batch_5.bin, or one such file: test_batch.bin
// is the other half. The name of the data set is that of directory or file.
func OpenCIFAR(path string) (Dataset, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	files := []string{path}
	if info.IsDir() {
		files = nil
		for i := range 5 {
			files = append(files, filepath.Join(path, fmt.Sprintf("data_batch_%d.bin", i+1)))
		}
	}
	var pixels, labels []byte
	for _, name := range files {
		if pixels, labels, err = appendCIFAR(pixels, labels, name); err != nil {
			return nil, err
		}
	}
	m, err := New(RefName(path), []int{3, 32, 32}, pixels, labels)
	if err != nil {
		return nil, err
	}
	m.report.Kind, m.report.Classes = "CIFAR-10", cifarClasses
	return m, nil
}

// appendCIFAR appends what a file holds.
func appendCIFAR(pixels, labels []byte, name string) ([]byte, []byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("dataset: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("dataset: %w", err)
	}
	return readCIFAR(pixels, labels, name, info.Size(), f)
}

// readCIFAR appends the records of a file of the given size.
func readCIFAR(pixels, labels []byte, name string, size int64, r io.Reader) ([]byte, []byte, error) {
	if size <= 0 || size%cifarRecord != 0 {
		return nil, nil, fmt.Errorf("dataset: %s: %d bytes, want a positive multiple of %d, the size of a record of CIFAR-10", name, size, cifarRecord)
	}
	if size > maxBytes-int64(len(pixels)) {
		return nil, nil, fmt.Errorf("dataset: %s: %d bytes, want at most %d in all", name, size, maxBytes)
	}
	var record [cifarRecord]byte
	for i := range size / cifarRecord {
		if n, err := io.ReadFull(r, record[:]); err != nil {
			return nil, nil, fmt.Errorf("dataset: %s: after %d bytes: %w", name, i*cifarRecord+int64(n), err)
		}
		if record[0] > 9 {
			return nil, nil, fmt.Errorf("dataset: %s: record %d has label %d, want 0 to 9", name, i, record[0])
		}
		labels = append(labels, record[0])
		pixels = append(pixels, record[1:]...)
	}
	return pixels, labels, nil
}
