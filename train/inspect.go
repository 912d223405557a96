package train

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gantry/train/dataset"
)

// inspectSide is the side of a folder's images where nothing is said: that of
// the DCGAN tutorial.
const inspectSide = 64

// InspectData writes, for people, what training would use of a data set: kind,
// images, sizes, classes, every file that is skipped and why, memory, disk and
// digest. resize and mirror are as in [Settings].
func InspectData(ctx context.Context, w io.Writer, ref string, resize int, mirror bool, h Host) error {
	if resize < 0 || resize > dataset.MaxSide {
		return misuse("leave it out for the default", "--resize %d: must be from 0 to %d", resize, dataset.MaxSide)
	}
	data, err := h.open(ctx, ref, dataset.Options{Resize: resize, Mirror: mirror, Shape: []int{0, inspectSide, inspectSide}})
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "data %s: %s of %v\n", data.Name(), samples(data.Len(), data), data.Shape())
	writeData(b, data, len(data.Report().Skipped))
	fmt.Fprintf(b, "digest: %s\n", data.Digest())
	return b.Flush()
}

// someSkipped is how many skipped files are named where not all are.
const someSkipped = 3

// writeData writes what is known of a data set. At most skipped files are named.
func writeData(b *bufio.Writer, data dataset.Dataset, skipped int) {
	r := data.Report()
	fmt.Fprintf(b, "  kind: %s, %s", r.Kind, samples(r.Images, data))
	if r.Mirror {
		fmt.Fprintf(b, ", and each mirrored")
	}
	if r.Grey {
		fmt.Fprintf(b, ", all grey")
	}
	fmt.Fprintln(b)
	if len(r.Sizes) > 0 {
		fmt.Fprintf(b, "  sizes: %s\n", sizes(r.Sizes))
	}
	if counts := classCounts(data); len(counts) > 0 {
		fmt.Fprintf(b, "  classes: %d\n", len(counts))
		for _, c := range counts {
			fmt.Fprintf(b, "    %s: %d\n", printable(c.name), c.n)
		}
	}
	if r.Ignored > 0 {
		fmt.Fprintf(b, "  ignored: %s, by their names no images\n", files(r.Ignored))
	}
	if n := len(r.Skipped); n > 0 {
		fmt.Fprintf(b, "  skipped: %d\n", n)
		for _, s := range r.Skipped[:min(n, skipped)] {
			fmt.Fprintf(b, "    %s: %s\n", printable(s.Name), printable(s.Reason))
		}
		if n > skipped {
			fmt.Fprintf(b, "    ... gantrain data inspect names all\n")
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(b, "  note: %s\n", printable(n))
	}
	fmt.Fprintf(b, "  memory: %s", humanBytes(r.Memory))
	if r.Cache != "" {
		fmt.Fprintf(b, "; disk: %s, in %s", humanBytes(r.Disk), printable(r.Cache))
	}
	fmt.Fprintln(b)
}

// dataNotes is what a run says of data that are not all as they should be.
func dataNotes(r *dataset.Report) []string {
	lines := slices.Clone(r.Notes)
	if n := len(r.Skipped); n > 0 {
		var names []string
		for _, s := range r.Skipped[:min(n, someSkipped)] {
			names = append(names, s.Name+" "+s.Reason)
		}
		lines = append(lines, fmt.Sprintf("%s skipped: %s", files(n), strings.Join(names, "; ")))
		if n > someSkipped {
			lines[len(lines)-1] += "; ... (gantrain data inspect names all)"
		}
	}
	if r.Ignored > 0 {
		lines = append(lines, files(r.Ignored)+" ignored, by their names no images")
	}
	for i, l := range lines {
		lines[i] = printable(l)
	}
	return lines
}

// sizes lists the sizes of images, the most frequent first.
func sizes(count map[[2]int]int) string {
	all := slices.SortedFunc(maps.Keys(count), func(a, b [2]int) int {
		return cmp.Or(count[b]-count[a], slices.Compare(a[:], b[:]))
	})
	const most = 4
	var parts []string
	for _, s := range all[:min(len(all), most)] {
		parts = append(parts, fmt.Sprintf("%d x %d (%d)", s[0], s[1], count[s]))
	}
	if n := len(all) - most; n > 0 {
		parts = append(parts, fmt.Sprintf("%d more", n))
	}
	return strings.Join(parts, ", ")
}

// classCount is a class and how many images it has.
type classCount struct {
	name string
	n    int
}

// classCounts counts the images of each class, mirror images not counted. A
// class without a name is called by its number.
func classCounts(data dataset.Dataset) []classCount {
	r := data.Report()
	var counts []classCount
	none := 0
	for _, name := range r.Classes {
		counts = append(counts, classCount{name, 0})
	}
	for i := range r.Images {
		label := data.Label(i)
		if label < 0 {
			none++
			continue
		}
		for len(counts) <= label {
			counts = append(counts, classCount{strconv.Itoa(len(counts)), 0})
		}
		counts[label].n++
	}
	if none > 0 && len(counts) > 0 {
		counts = append(counts, classCount{"(none)", none})
	}
	return counts
}
