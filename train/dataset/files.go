package dataset

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A file is an image file of a folder or an archive.
type file struct {
	name  string // path below the folder, with slashes
	size  int64
	stamp string // changes when the content does
	open  func() (io.ReadCloser, error)
}

// A listing is what a folder or an archive holds.
type listing struct {
	files   []file // sorted by name, byte by byte
	skipped []Skipped
	ignored int // files whose names are no image's
}

// extensions are those of files that are taken for images.
var extensions = []string{".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp"}

// isImage tells from its name whether a file is an image. Names that begin with a
// dot are those of other programs' notes.
func isImage(name string) bool {
	return !strings.HasPrefix(path.Base(name), ".") && slices.Contains(extensions, strings.ToLower(path.Ext(name)))
}

// isHidden tells directories that are not for people to see.
func isHidden(dir string) bool { return strings.HasPrefix(dir, ".") || dir == "__MACOSX" }

func (l *listing) skip(name string, err error) {
	l.skipped = append(l.skipped, Skipped{name, reason(err)})
}

// reason is the text of an error without the path, which stands before it.
func reason(err error) string {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		err = e.Err
	}
	return err.Error()
}

// sort brings files and skipped ones into the order of their names.
func (l *listing) sort() {
	slices.SortStableFunc(l.files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	slices.SortStableFunc(l.skipped, func(a, b Skipped) int { return strings.Compare(a.Name, b.Name) })
}

// listFolder lists a folder and what lies in it. Links to files are followed;
// links to directories are not, so that no loop can arise.
func listFolder(ctx context.Context, dir string) (*listing, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	l := &listing{}
	err = filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if e := ctx.Err(); e != nil {
			return e
		}
		if at == root {
			return err
		}
		name, e := filepath.Rel(root, at)
		if e != nil {
			return e
		}
		name = filepath.ToSlash(name)
		switch {
		case err != nil:
			l.skip(name, err)
			return nil
		case d.IsDir() && isHidden(d.Name()):
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		info, err := os.Stat(at)
		link := d.Type()&fs.ModeSymlink != 0
		switch {
		case link && err == nil && info.IsDir():
			l.skip(name, errors.New("is a link to a directory, which is not followed"))
		case !isImage(name):
			l.ignored++
		case err != nil:
			l.skip(name, err)
		case !info.Mode().IsRegular():
			l.skip(name, errors.New("is no regular file"))
		default:
			l.files = append(l.files, file{name, info.Size(), fmt.Sprint(info.ModTime().UnixNano()),
				func() (io.ReadCloser, error) { return os.Open(at) }})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	l.sort()
	return l, nil
}

// listZip lists a zip archive. Nothing is ever written to where its names point,
// but a name that leads out of it is refused all the same.
func listZip(r *zip.Reader) *listing {
	l := &listing{}
	for _, f := range r.File {
		switch {
		case strings.HasSuffix(f.Name, "/"):
			continue
		case !isImage(f.Name):
			l.ignored++
		case !fs.ValidPath(f.Name):
			l.skip(f.Name, errors.New("is no path inside the archive"))
		case slices.ContainsFunc(strings.Split(f.Name, "/"), isHidden):
			l.ignored++
		case !f.Mode().IsRegular():
			l.skip(f.Name, errors.New("is no regular file"))
		case f.Flags&1 != 0:
			l.skip(f.Name, errors.New("is encrypted"))
		default:
			l.files = append(l.files, file{f.Name, int64(min(f.UncompressedSize64, 1<<62)), fmt.Sprintf("%08x", f.CRC32), f.Open})
		}
	}
	l.sort()
	unique := l.files[:0]
	for i, f := range l.files {
		if i > 0 && f.name == l.files[i-1].name {
			l.skip(f.name, errors.New("is in the archive twice; the first one counts"))
			continue
		}
		unique = append(unique, f)
	}
	l.files = unique
	return l
}

// classes returns the names of the class folders, sorted, and the class of each
// file: its first directory, after the one or ones that all files lie in. There
// are no classes if there are less than two such directories; the class is -1
// where a file lies beside them.
func (l *listing) classes() (names []string, labels []int32) {
	labels = make([]int32, len(l.files))
	rest := make([]string, len(l.files))
	for i, f := range l.files {
		labels[i], rest[i] = -1, f.name
	}
	for len(rest) > 0 {
		dir, _, ok := strings.Cut(rest[0], "/")
		if !ok || slices.ContainsFunc(rest, func(s string) bool { return !strings.HasPrefix(s, dir+"/") }) {
			break
		}
		for i, s := range rest {
			rest[i] = s[len(dir)+1:]
		}
	}
	index := map[string]int32{}
	for _, s := range rest {
		if dir, _, ok := strings.Cut(s, "/"); ok {
			index[dir] = 0
		}
	}
	if len(index) < 2 {
		return nil, labels
	}
	for dir := range index {
		names = append(names, dir)
	}
	slices.Sort(names)
	for i, dir := range names {
		index[dir] = int32(i)
	}
	for i, s := range rest {
		if dir, _, ok := strings.Cut(s, "/"); ok {
			labels[i] = index[dir]
		}
	}
	return names, labels
}
