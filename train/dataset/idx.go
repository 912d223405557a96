package dataset

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// The IDX format (http://yann.lecun.com/exdb/mnist): two zero bytes, a type,
// the number of dimensions, each dimension as a big-endian uint32, the data.
const (
	magicImages = 0x00000803 // unsigned bytes, [N H W]
	magicLabels = 0x00000801 // unsigned bytes, [N]
)

// OpenIDX opens one half of a directory of IDX files, as MNIST, Fashion-MNIST,
// Kuzushiji-MNIST and EMNIST are published. split is "train", for the files
// train-images-idx3-ubyte and train-labels-idx1-ubyte, or "test", for
// t10k-images-idx3-ubyte (or test-...) and its labels. Files may be compressed
// with gzip (".gz"), may have a prefix ("emnist-letters-train-images-..."), and
// may be spelled "...-images.idx3-ubyte". Labels are optional. The name of the
// data set is that of the directory.
func OpenIDX(dir, split string) (Dataset, error) {
	stems := map[string][]string{"train": {"train"}, "test": {"t10k", "test"}}[split]
	if stems == nil {
		return nil, fmt.Errorf("dataset: split is %q, want \"train\" or \"test\"", split)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	images, err := findIDX(dir, entries, stems, "images", "idx3")
	if err != nil {
		return nil, err
	}
	if images == "" {
		return nil, fmt.Errorf("dataset: %s: no file %s-images-idx3-ubyte or %[2]s-images-idx3-ubyte.gz", dir, stems[0])
	}
	labels, err := findIDX(dir, entries, stems, "labels", "idx1")
	if err != nil {
		return nil, err
	}
	fi, err := os.Open(images)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	defer fi.Close()
	pixels, shape, err := readImages(images, fi)
	if err != nil {
		return nil, err
	}
	var lab []byte
	if labels != "" {
		fl, err := os.Open(labels)
		if err != nil {
			return nil, fmt.Errorf("dataset: %w", err)
		}
		defer fl.Close()
		if lab, err = readLabels(labels, fl, len(pixels)/(shape[1]*shape[2])); err != nil {
			return nil, err
		}
	}
	return idxMemory(baseName(dir), shape, pixels, lab)
}

// ReadIDX reads a pair of IDX streams, each plain or compressed with gzip.
// labels may be nil. name is the data set's name and stands in the errors.
func ReadIDX(name string, images, labels io.Reader) (Dataset, error) {
	pixels, shape, err := readImages(name+" images", images)
	if err != nil {
		return nil, err
	}
	var lab []byte
	if labels != nil {
		if lab, err = readLabels(name+" labels", labels, len(pixels)/(shape[1]*shape[2])); err != nil {
			return nil, err
		}
	}
	return idxMemory(name, shape, pixels, lab)
}

func idxMemory(name string, shape []int, pixels, labels []byte) (Dataset, error) {
	m, err := New(name, shape, pixels, labels)
	if err != nil {
		return nil, err // not m: a Dataset that holds a nil *Memory is not nil
	}
	m.report.Kind = "IDX"
	return m, nil
}

// findIDX returns the path of the one file in dir that holds the images or the
// labels, or "" if there is none. A plain file wins over its compressed twin.
func findIDX(dir string, entries []os.DirEntry, stems []string, what, idx string) (string, error) {
	found := ""
	for _, e := range entries {
		plain := strings.TrimSuffix(e.Name(), ".gz")
		for _, s := range stems {
			if !strings.HasSuffix(plain, s+"-"+what+"-"+idx+"-ubyte") && !strings.HasSuffix(plain, s+"-"+what+"."+idx+"-ubyte") {
				continue
			}
			switch {
			case found == "" || found == plain+".gz":
				found = e.Name()
			case found == plain: // the plain file was listed first
			default:
				return "", fmt.Errorf("dataset: %s: both %s and %s could be the %s, want one", dir, found, e.Name(), what)
			}
		}
	}
	if found == "" {
		return "", nil
	}
	return filepath.Join(dir, found), nil
}

// readImages reads a whole image file; the shape is [1 H W].
func readImages(file string, r io.Reader) (pixels []byte, shape []int, err error) {
	dims, body, err := readHeader(file, r, magicImages, 3)
	if err != nil {
		return nil, nil, err
	}
	if pixels, err = readBody(file, body, dims); err != nil {
		return nil, nil, err
	}
	return pixels, []int{1, int(dims[1]), int(dims[2])}, nil
}

// readLabels reads a whole label file, which must have n labels.
func readLabels(file string, r io.Reader, n int) ([]byte, error) {
	dims, body, err := readHeader(file, r, magicLabels, 1)
	if err != nil {
		return nil, err
	}
	if dims[0] != int64(n) {
		return nil, fmt.Errorf("dataset: %s: header says %d labels, want %d, one for each image", file, dims[0], n)
	}
	return readBody(file, body, dims)
}

// readHeader undoes gzip where its two magic bytes stand, and reads and checks
// magic number and dimensions. It returns the reader of what follows.
func readHeader(file string, r io.Reader, magic uint32, rank int) ([]int64, io.Reader, error) {
	br := bufio.NewReaderSize(r, 1<<16)
	if b, _ := br.Peek(2); len(b) == 2 && b[0] == 0x1f && b[1] == 0x8b {
		zr, err := gzip.NewReader(br)
		if err != nil {
			return nil, nil, fmt.Errorf("dataset: %s: %w", file, err)
		}
		r = zr
	} else {
		r = br
	}
	head := make([]byte, 4+4*rank)
	if n, err := io.ReadFull(r, head); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, nil, fmt.Errorf("dataset: %s: file ends after %d bytes, want an IDX header of %d", file, n, len(head))
		}
		return nil, nil, fmt.Errorf("dataset: %s: after %d bytes: %w", file, n, err)
	}
	if m := binary.BigEndian.Uint32(head); m != magic {
		return nil, nil, fmt.Errorf("dataset: %s: magic number is %#08x, want %#08x (IDX, unsigned bytes, rank %d)", file, m, magic, rank)
	}
	dims := make([]int64, rank)
	total := int64(1)
	for i := range dims {
		dims[i] = int64(binary.BigEndian.Uint32(head[4+4*i:]))
		if dims[i] == 0 {
			return nil, nil, fmt.Errorf("dataset: %s: dimension %d is 0, want at least 1", file, i)
		}
		if dims[i] > maxBytes/total {
			return nil, nil, fmt.Errorf("dataset: %s: header declares more than %d bytes of data, want at most that", file, maxBytes)
		}
		total *= dims[i]
	}
	return dims, r, nil
}

// readBody reads exactly the product of dims in bytes. Memory grows as bytes
// arrive, to at most twice their number, so that a header alone costs nothing.
func readBody(file string, r io.Reader, dims []int64) ([]byte, error) {
	total := 1
	for _, d := range dims {
		total *= int(d) // bounded by readHeader
	}
	buf := make([]byte, 0, min(total, 1<<20))
	for len(buf) < total {
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, min(total, 2*cap(buf))), buf...)
		}
		n, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("dataset: %s: file ends after %d bytes of data, want %d for %v", file, len(buf), total, dims)
		}
		if err != nil {
			return nil, fmt.Errorf("dataset: %s: after %d bytes of data: %w", file, len(buf), err)
		}
	}
	// One byte more shows what is too long, and has gzip check its checksum.
	var one [1]byte
	switch _, err := io.ReadFull(r, one[:]); {
	case err == nil:
		return nil, fmt.Errorf("dataset: %s: more than %d bytes of data, want %[2]d for %v", file, total, dims)
	case !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("dataset: %s: after %d bytes of data: %w", file, total, err)
	}
	return buf, nil
}
