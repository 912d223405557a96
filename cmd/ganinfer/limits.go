package main

import (
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"gantry/infer"
)

// limitFlags are the flags that change what a file may ask for. 0 is the library's default.
type limitFlags struct{ file, nodes, elements, arena int }

func (l *limitFlags) bind(fs *pflag.FlagSet) {
	fs.IntVar(&l.file, "max-file", 0, "size in `MiB` of the file and its external data (default 512)")
	fs.IntVar(&l.nodes, "max-nodes", 0, "`number` of nodes of the graph (default 32768)")
	fs.IntVar(&l.elements, "max-elements", 0, "`number` of elements of all weights (default 2^27), and of any tensor (default 2^28)")
	fs.IntVar(&l.arena, "max-arena", 0, "size in `MiB` of all tensors alive at once (default 1024)")
}

// limits returns what the flags say.
func (l *limitFlags) limits() (infer.Limits, error) {
	const most = 1 << 40 // which MiB are no overflow of
	for i, n := range []int{l.file, l.nodes, l.elements, l.arena} {
		if n < 0 || int64(n) > most {
			return infer.Limits{}, misusef("leave it out for the default", "--max-%s %d: must be 1 to 2^40", [...]string{"file", "nodes", "elements", "arena"}[i], n)
		}
	}
	lim := infer.Limits{
		FileBytes: int64(l.file) << 20, Nodes: l.nodes,
		Elements: int64(l.elements), TensorElements: int64(l.elements), ArenaBytes: int64(l.arena) << 20,
	}
	if l.file > 96 { // a file may decode to twice its length, as float16 does, which is above the default from here on
		lim.DecodeBytes = 2 * lim.FileBytes
	}
	return lim, nil
}

// limitHint is the hint for an error about a limit, "" for any other.
func limitHint(err error) string {
	if errors.Is(err, infer.ErrLimit) || strings.Contains(err.Error(), "(Limits.") {
		return "if you trust the file, raise the limit with --max-file, --max-nodes, --max-elements or --max-arena"
	}
	return ""
}
