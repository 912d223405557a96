package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sync"
)

// stored is a data set whose pixels lie in a cache.
type stored struct {
	name   string
	shape  []int
	n      int
	labels []int32
	report Report
	digest string

	r       io.ReaderAt
	path    string
	buffers sync.Pool // of *[]byte, one image in the cache
}

// check reads a cache of the given size from end to end: the sum of its bytes
// must be want. It returns the data set with its digest, in memory if it is small.
func (s *stored) check(ctx context.Context, size int64, want []byte) (Dataset, error) {
	side := s.shape[1]
	image, converted := make([]byte, 3*side*side), make([]byte, s.shape[0]*side*side)
	var pixels []byte
	if n := int64(s.n) * int64(len(converted)); n <= memoryBytes {
		pixels = make([]byte, 0, n)
	}
	sum, digest := sha256.New(), newDigest(s.n, s.shape)
	body := io.TeeReader(io.NewSectionReader(s.r, 0, size-sha256.Size), sum)
	if _, err := io.CopyN(io.Discard, body, int64(len(cacheMagic))); err != nil {
		return nil, fmt.Errorf("the cache %s: %w", s.path, err)
	}
	for range s.n {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if _, err := io.ReadFull(body, image); err != nil {
			return nil, fmt.Errorf("the cache %s: %w", s.path, err)
		}
		convert(converted, image, s.shape[0], 3)
		digest.Write(converted)
		if pixels != nil {
			pixels = append(pixels, converted...)
		}
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return nil, fmt.Errorf("the cache %s: %w", s.path, err)
	}
	if !bytes.Equal(sum.Sum(nil), want) {
		return nil, fmt.Errorf("the cache %s has changed since it was written: SHA-256 is %x, want %x", s.path, sum.Sum(nil), want)
	}
	s.digest = hex.EncodeToString(digest.Sum(nil))
	if pixels == nil {
		return s, nil
	}
	s.report.Memory = int64(len(pixels))
	m, err := newMemory(s.name, s.shape, pixels, s.labels)
	if err != nil {
		return nil, err
	}
	m.report, m.digest = s.report, func() string { return s.digest }
	return m, nil
}

// Name implements [Dataset].
func (s *stored) Name() string { return s.name }

// Len implements [Dataset].
func (s *stored) Len() int { return s.n }

// Shape implements [Dataset].
func (s *stored) Shape() []int { return slices.Clone(s.shape) }

// Label implements [Dataset].
func (s *stored) Label(i int) int { return int(s.labels[i]) }

// Digest implements [Dataset].
func (s *stored) Digest() string { return s.digest }

// Report implements [Dataset].
func (s *stored) Report() *Report { return &s.report }

// Read implements [Dataset].
func (s *stored) Read(dst []float32, indices []int) error {
	side := s.shape[1]
	stored, size := 3*side*side, s.shape[0]*side*side
	if err := checkRead(s, size, len(dst), indices); err != nil {
		return err
	}
	buffer := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buffer)
	*buffer = grow(*buffer, stored+size)
	image, converted := (*buffer)[:stored], (*buffer)[stored:]
	for k, i := range indices {
		if _, err := s.r.ReadAt(image, int64(len(cacheMagic))+int64(i)*int64(stored)); err != nil {
			return fmt.Errorf("dataset: image %d of %d cannot be read from the cache %s, which was whole when the run began: %w", i, s.n, s.path, err)
		}
		convert(converted, image, s.shape[0], 3)
		toUnit(dst[k*size:][:size], converted)
	}
	return nil
}
