package dataset

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"gantry/internal/atomicfile"
)

// memoryBytes is how much of a folder's pixels is held in memory. What is larger
// is read from the cache, image by image. It is a variable for tests.
var memoryBytes int64 = 256 << 20

// images is a folder or an archive that is being opened.
type images struct {
	name, kind string
	listing    *listing
	side       int
	o          Options
	notes      []string
}

func openFolder(ctx context.Context, dir string, o Options) (Dataset, error) {
	l, err := listFolder(ctx, dir)
	if err != nil {
		return nil, err
	}
	return openImages(ctx, dir, "folder", l, o)
}

func openZip(ctx context.Context, name string, o Options) (Dataset, error) {
	r, err := zip.OpenReader(name)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("dataset: %s: %w", name, words(err))
	}
	defer r.Close()
	return openImages(ctx, name, "zip", listZip(&r.Reader), o)
}

func openImages(ctx context.Context, ref, kind string, l *listing, o Options) (Dataset, error) {
	side := o.Resize
	if side == 0 && len(o.Shape) == 3 {
		side = o.Shape[1]
	}
	if side == 0 {
		return nil, fmt.Errorf("dataset: %s: the images of a folder need a size: --resize N", ref)
	}
	if err := checkSide(side); err != nil {
		return nil, err
	}
	if len(l.files) == 0 {
		err := fmt.Errorf("dataset: %s holds no images (%s)", ref, strings.Join(extensions, " "))
		if l.ignored > 0 {
			err = fmt.Errorf("%w, but %d other files", err, l.ignored)
		}
		if len(l.skipped) > 0 {
			err = fmt.Errorf("%w; %s %s", err, l.skipped[0].Name, l.skipped[0].Reason)
		}
		return nil, err
	}
	o.Threads = cmp.Or(o.Threads, runtime.GOMAXPROCS(0))
	m := &images{name: RefName(ref), kind: kind, listing: l, side: side, o: o}
	d, err := m.open(ctx)
	if err != nil || !o.Mirror {
		return d, err
	}
	return Mirror(d), nil
}

// open reads the cache, and makes it first where there is none that is good.
func (m *images) open(ctx context.Context) (Dataset, error) {
	key := m.key()
	path, cacheErr := m.cachePath(key)
	if cacheErr == nil {
		d, err := m.openCache(ctx, path, key, false)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err == nil:
			return d, nil
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errIncomplete):
			m.notes = append(m.notes, err.Error()+"; it is built again")
		}
		var built error
		cacheErr = atomicfile.WriteFileAtomic(path, func(w io.Writer) error {
			built = m.build(ctx, w, key)
			return built
		})
		if built != nil && !errors.As(built, new(*writeError)) {
			return nil, built
		}
	}
	if cacheErr == nil {
		return m.openCache(ctx, path, key, true)
	}
	if n := m.bytes(); n > memoryBytes {
		return nil, fmt.Errorf("dataset: %s: decoded images take %d bytes, and the cache for them cannot be written: %w", m.name, n, cacheErr)
	}
	m.notes = append(m.notes, "decoded images are not kept: "+strings.TrimPrefix(cacheErr.Error(), "atomicfile: "))
	var b bytes.Buffer
	if err := m.build(ctx, &b, key); err != nil {
		return nil, err
	}
	return m.read(ctx, bytes.NewReader(b.Bytes()), int64(b.Len()), "memory", key, true)
}

// bytes is what the decoded images take in the cache.
func (m *images) bytes() int64 { return int64(len(m.listing.files)) * int64(3*m.side*m.side) }

// cacheVersion is raised when other pixels come out of the same files.
const cacheVersion = 1

// key identifies the decoded images: files by names, sizes and times (in an
// archive: CRC-32), the side, and the decoders, which come with Go.
func (m *images) key() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s %d\n", cacheVersion, runtime.Version(), m.side)
	for _, f := range m.listing.files {
		fmt.Fprintf(h, "%q %d %s\n", f.name, f.size, f.stamp)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// cachePath returns where the cache file is to be, and makes its directory.
func (m *images) cachePath(key string) (string, error) {
	dir := m.o.CacheDir
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(user, "gantry")
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	removeStale(dir)
	return filepath.Join(dir, key[:32]+".pixels"), nil
}

// removeStale removes what processes left that were killed a day ago or earlier.
func removeStale(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && atomicfile.TempFor(e.Name()) != "" && time.Since(info.ModTime()) > 24*time.Hour {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// report says how the images came about, as far as the cache does not know.
func (m *images) report(c *cacheFooter) Report {
	r := Report{Kind: m.kind, Images: c.Count, Grey: c.Grey, Ignored: m.listing.ignored, Notes: m.notes,
		Skipped: slices.Clone(m.listing.skipped), Sizes: map[[2]int]int{}}
	for _, s := range c.Sizes {
		r.Sizes[[2]int{s[0], s[1]}] = s[2]
	}
	for _, s := range c.Skipped {
		r.Skipped = append(r.Skipped, Skipped{m.listing.files[s.Index].name, s.Reason})
	}
	slices.SortStableFunc(r.Skipped, func(a, b Skipped) int { return strings.Compare(a.Name, b.Name) })
	return r
}
