package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// chunkBytes is about how much of decoded images waits to be written, and
// scratchBytes how much all decoders may have for resizing.
const (
	chunkBytes   = 8 << 20
	scratchBytes = 128 << 20
)

// A writeError says that the cache could not be written.
type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// build decodes all files, in parallel, and writes the cache to w. What is
// written does not depend on the number of threads.
func (m *images) build(ctx context.Context, w io.Writer, key string) error {
	files := m.listing.files
	size := 3 * m.side * m.side
	footer := cacheFooter{Key: key, Side: m.side, Grey: true}
	sizes := map[[2]int]int{}
	memory := newBudget(decodeBytes)
	decoders := make([]*decoder, min(m.o.Threads, len(files), scratchBytes/(8*size)))
	for i := range decoders {
		decoders[i] = &decoder{side: m.side, memory: memory}
	}
	chunk := min(max(chunkBytes/size, 4*len(decoders)), len(files))
	pixels := make([]byte, chunk*size)
	results := make([]decoded, chunk)
	out, err := newCacheWriter(w)
	if err != nil {
		return &writeError{err}
	}
	for first := 0; first < len(files); first += chunk {
		part := files[first:min(first+chunk, len(files))]
		decodeChunk(ctx, decoders, part, pixels, results, func(done int) {
			if m.o.Progress != nil {
				m.o.Progress(first+done, len(files))
			}
		})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for i, r := range results[:len(part)] {
			if r.err != nil {
				footer.Skipped = append(footer.Skipped, cacheSkip{first + i, reason(r.err), errors.As(r.err, new(*fs.PathError))})
				continue
			}
			image := pixels[i*size:][:size]
			footer.Count++
			footer.Grey = footer.Grey && isGrey(image)
			sizes[[2]int{r.width, r.height}]++
			if _, err := out.Write(image); err != nil {
				return &writeError{err}
			}
		}
	}
	if footer.Count == 0 {
		s := footer.Skipped[0]
		return fmt.Errorf("dataset: %s: none of %d images can be used: %s %s", m.name, len(files), files[s.Index].name, s.Reason)
	}
	for _, k := range slices.SortedFunc(maps.Keys(sizes), func(a, b [2]int) int { return slices.Compare(a[:], b[:]) }) {
		footer.Sizes = append(footer.Sizes, [3]int{k[0], k[1], sizes[k]})
	}
	if err := out.finish(&footer); err != nil {
		return &writeError{err}
	}
	return nil
}

// decoded is what came of a file.
type decoded struct {
	width, height int
	err           error
}

// decodeChunk decodes files, one decoder on each goroutine, until ctx ends. It
// calls progress after each, one call at a time.
func decodeChunk(ctx context.Context, decoders []*decoder, files []file, pixels []byte, results []decoded, progress func(done int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for _, d := range decoders {
		wg.Go(func() {
			size := 3 * d.side * d.side
			for i := next.Add(1) - 1; i < int64(len(files)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				w, h, err := d.decode(pixels[int(i)*size:][:size], &files[i])
				results[i] = decoded{w, h, err}
				mu.Lock()
				done++
				progress(done)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// isGrey tells whether the three planes of an image are equal.
func isGrey(image []byte) bool {
	n := len(image) / 3
	return slices.Equal(image[:n], image[n:2*n]) && slices.Equal(image[:n], image[2*n:])
}
