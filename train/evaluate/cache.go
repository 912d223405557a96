package evaluate

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gantry/internal/atomicfile"
	"gantry/internal/kernel"
	"gantry/internal/npy"
	"gantry/train/dataset"
	"gantry/train/metric"
)

// A cache is the file that keeps the features of a data set: an array [n dim] as
// .npy, and the SHA-256 of it.
type cache struct {
	path string // "" where there is no place for it
	n    int
	o    Options
}

// newCache finds the cache of n images of data. What decides the features is
// in its name: the network and its arithmetic, and the pixels.
func newCache(e *Extractor, data dataset.Dataset, n int, o Options) *cache {
	dir := o.CacheDir
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return &cache{n: n, o: o}
		}
		dir = filepath.Join(user, "gantry")
	}
	key := sha256.Sum256(fmt.Appendf(nil, "features 1\n%d\n%s %q %v\n%s %d\n", kernel.Numerics, e.SHA256, e.Output, e.Range, data.Digest(), n))
	return &cache{filepath.Join(dir, fmt.Sprintf("%.16x.features", key)), n, o}
}

// read returns what is there. A file that is not as it was written is not.
func (c *cache) read() (metric.Set, bool) {
	var s metric.Set
	b, err := os.ReadFile(c.path)
	if err != nil || len(b) < sha256.Size {
		return s, false
	}
	body, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return s, false
	}
	a, err := npy.Read(bytes.NewReader(body), int64(len(body)))
	if err != nil || a.DType != npy.Float32 || len(a.Shape) != 2 || a.Shape[0] != c.n || a.Shape[1] < 1 {
		return s, false
	}
	return metric.Set{X: a.F32, Dim: a.Shape[1]}, true
}

// write keeps the features. It need not succeed: they can be made again.
func (c *cache) write(s metric.Set) {
	if c.path == "" {
		return
	}
	err := os.MkdirAll(filepath.Dir(c.path), 0o777)
	if err == nil {
		err = atomicfile.WriteFileAtomic(c.path, func(w io.Writer) error {
			h := sha256.New()
			if err := npy.Write(io.MultiWriter(w, h), &npy.Array{DType: npy.Float32, Shape: []int{s.Len(), s.Dim}, F32: s.X}); err != nil {
				return err
			}
			_, err := w.Write(h.Sum(nil))
			return err
		})
	}
	if err != nil && c.o.Words != nil {
		fmt.Fprintf(c.o.Words, "features of the data are not kept: %v\n", err)
	}
}
