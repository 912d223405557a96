package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
)

// The cache of decoded images is a file of
//
//	magic   8 bytes
//	pixels  [N 3 S S], bytes
//	footer  JSON
//	        its length, a little-endian uint64
//	        SHA-256 of all before
//
// It is read whole once, when it is opened, to see that it is as it was written.
const (
	cacheMagic = "gantry\x00\x01"
	cacheTail  = 8 + sha256.Size
)

// cacheFooter says what a cache holds.
type cacheFooter struct {
	Key     string      `json:"key"`
	Side    int         `json:"side"`
	Count   int         `json:"count"`
	Grey    bool        `json:"grey"`  // no image has colour
	Sizes   [][3]int    `json:"sizes"` // width, height, how many files
	Skipped []cacheSkip `json:"skipped"`
}

// cacheSkip is a file that is not in the cache, by its place in the listing.
type cacheSkip struct {
	Index    int    `json:"index"`
	Reason   string `json:"reason"`
	Unopened bool   `json:"unopened,omitempty"` // perhaps it can be opened the next time
}

// errIncomplete is why a good cache is built again.
var errIncomplete = errors.New("a file that could not be opened now can")

// opens tells whether a file can be opened now that could not when the cache was made.
func (m *images) opens(skipped []cacheSkip) bool {
	return slices.ContainsFunc(skipped, func(s cacheSkip) bool {
		if !s.Unopened {
			return false
		}
		r, err := m.listing.files[s.Index].open()
		if err != nil {
			return false
		}
		r.Close()
		return true
	})
}

// cacheWriter writes a cache.
type cacheWriter struct {
	w   io.Writer
	sum hash.Hash
}

func newCacheWriter(w io.Writer) (*cacheWriter, error) {
	c := &cacheWriter{w, sha256.New()}
	_, err := io.WriteString(c, cacheMagic)
	return c, err
}

// Write implements [io.Writer].
func (c *cacheWriter) Write(b []byte) (int, error) {
	c.sum.Write(b)
	return c.w.Write(b)
}

// finish writes what comes after the pixels.
func (c *cacheWriter) finish(f *cacheFooter) error {
	b, err := json.Marshal(f)
	if err == nil {
		_, err = c.Write(binary.LittleEndian.AppendUint64(b, uint64(len(b))))
	}
	if err == nil {
		_, err = c.w.Write(c.sum.Sum(nil))
	}
	return err
}

// readFooter reads the footer of a cache of the given size and checks that it
// agrees with the size. want is the sum that the bytes before it must have.
func readFooter(r io.ReaderAt, size int64) (f *cacheFooter, want []byte, err error) {
	short := fmt.Errorf("has %d bytes, which is no whole cache: was it cut off?", size)
	if size < int64(len(cacheMagic)+cacheTail) {
		return nil, nil, short
	}
	var magic [len(cacheMagic)]byte
	var tail [cacheTail]byte
	if _, err := r.ReadAt(magic[:], 0); err != nil {
		return nil, nil, err
	}
	if _, err := r.ReadAt(tail[:], size-cacheTail); err != nil {
		return nil, nil, err
	}
	if string(magic[:]) != cacheMagic {
		return nil, nil, fmt.Errorf("begins with %q, want %q", magic[:], cacheMagic)
	}
	n := binary.LittleEndian.Uint64(tail[:])
	if n > uint64(size-cacheTail-int64(len(cacheMagic))) {
		return nil, nil, short
	}
	text := make([]byte, n)
	if _, err := r.ReadAt(text, size-cacheTail-int64(n)); err != nil {
		return nil, nil, err
	}
	f = new(cacheFooter)
	if err := json.Unmarshal(text, f); err != nil {
		return nil, nil, fmt.Errorf("has no footer: %w", err)
	}
	pixels := size - cacheTail - int64(n) - int64(len(cacheMagic))
	if f.Side < 1 || f.Side > MaxSide || f.Count < 1 || pixels/int64(3*f.Side*f.Side) != int64(f.Count) || pixels%int64(3*f.Side*f.Side) != 0 {
		return nil, nil, fmt.Errorf("has %d bytes of pixels, want %d images of 3 x %d x %[3]d", pixels, f.Count, f.Side)
	}
	return f, tail[8:], nil
}

// openCache opens the cache file at path. fresh says that it was written just
// now, and that a file that could not be opened is no reason to try again.
func (m *images) openCache(ctx context.Context, path, key string, fresh bool) (Dataset, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the cache cannot be read: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	d, err := m.read(ctx, f, info.Size(), path, key, fresh)
	if s, ok := d.(*stored); err != nil || !ok || s.r != f { // not needed any more
		f.Close()
	}
	return d, err
}

// read returns the data set of a cache: in memory where it is small.
func (m *images) read(ctx context.Context, r io.ReaderAt, size int64, path, key string, fresh bool) (Dataset, error) {
	damaged := func(err error) error { return fmt.Errorf("the cache %s %w", path, err) }
	c, want, err := readFooter(r, size)
	switch {
	case err != nil:
		return nil, damaged(err)
	case c.Key != key || c.Side != m.side:
		return nil, damaged(errors.New("is of other images"))
	}
	names, all := m.listing.classes()
	labels := slices.Clone(all)
	for i := len(c.Skipped) - 1; i >= 0; i-- {
		at := c.Skipped[i].Index
		if at < 0 || at >= len(labels) || i > 0 && at <= c.Skipped[i-1].Index {
			return nil, damaged(fmt.Errorf("skips image %d of %d", at, len(all)))
		}
		labels = slices.Delete(labels, at, at+1)
	}
	if len(labels) != c.Count {
		return nil, damaged(fmt.Errorf("holds %d images, want %d", c.Count, len(labels)))
	}
	if !fresh && m.opens(c.Skipped) {
		return nil, errIncomplete
	}
	channels := m.o.channels()
	if channels == 0 {
		if channels = 3; c.Grey {
			channels = 1
		}
	}
	s := &stored{name: m.name, shape: []int{channels, m.side, m.side}, labels: labels, n: c.Count, r: r, path: path}
	s.buffers.New = func() any { return new([]byte) }
	s.report = m.report(c)
	s.report.Classes = names
	if path != "memory" {
		s.report.Cache, s.report.Disk = path, size
	}
	return s.check(ctx, size, want)
}
