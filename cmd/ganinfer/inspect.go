package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"gantry/infer"
	"gantry/internal/onnx"
)

var inspectCommand = command{"inspect", `Usage: ganinfer inspect --model g.onnx

Prints a model's inputs and outputs, opset, number of parameters, metadata, and
the plan by which it runs: one line for each step, with the shapes in and out
and the place in memory. With --plan, also the graph before and after each pass
that made the plan of it.

Examples:
    ganinfer inspect --model g.onnx
    ganinfer inspect g.onnx
    ganinfer inspect g.onnx --plan --batch 64
`, func(fs *pflag.FlagSet) action {
	var m modelFlags
	batch := fs.Int("batch", 1, "what stands for the open dimensions in the plan")
	passes := fs.Bool("plan", false, "show the graph before and after each pass")
	m.bind(fs)
	return func(_ context.Context, args []string, std streams) error {
		if *batch < 1 {
			return misusef("", "--batch %d: must be at least 1", *batch)
		}
		var p page
		if *passes {
			m.trace = p.trace()
		}
		model, err := m.load(args)
		if err != nil {
			return err
		}
		p.add(model, *batch)
		_, err = io.WriteString(std.out, p.String())
		return err
	}
}}

var verifyCommand = command{"verify", `Usage: ganinfer verify --model g.onnx

Draws the samples of the golden in a file's metadata, which gantrain puts
there, and compares them.

Examples:
    ganinfer verify --model g.onnx
    ganinfer verify g.onnx
    ganinfer verify g.onnx --threads 1
`, func(fs *pflag.FlagSet) action {
	var m modelFlags
	m.bind(fs)
	return func(ctx context.Context, args []string, std streams) error {
		model, err := m.load(args)
		if err != nil {
			return err
		}
		r, err := infer.Verify(ctx, model)
		if err != nil {
			return err
		}
		pixels := "8-bit pixels not compared (other numerics)"
		if r.Pixels {
			pixels = "8-bit pixels equal"
		}
		_, err = fmt.Fprintf(std.out, "ok: %d samples, %d values, largest difference %.2g of the value range (bound %g), %s\n",
			r.Samples, r.Values, r.MaxDiff, r.Bound, pixels)
		return err
	}
}}

// columns is the width of what inspect prints.
const columns = 80

// page is what inspect prints.
type page struct{ strings.Builder }

func (b *page) line(format string, args ...any) {
	b.WriteString(clip(fmt.Sprintf(format, args...), columns))
	b.WriteByte('\n')
}

// block adds some lines further in.
func (b *page) block(text string) {
	for l := range strings.Lines(text) {
		b.line("    %s", strings.TrimSuffix(l, "\n"))
	}
}

// trace returns what adds the graph after each pass.
func (b *page) trace() func(pass, graph string) {
	before := ""
	return func(pass, graph string) {
		if graph == before {
			b.line("graph       %s: no change", pass)
			return
		}
		b.line("graph       %s", pass)
		b.block(graph)
		before = graph
	}
}

// add adds what is known about a model.
func (b *page) add(m *infer.Model, batch int) {
	line := b.line
	for _, v := range m.Inputs() {
		line("input       %v", v)
	}
	for _, v := range m.Outputs() {
		line("output      %v", v)
	}
	s := m.Summary()
	line("opset       %d (IR %d)", s.Opset, s.IR)
	if s.Producer != "" {
		line("producer    %s", s.Producer)
	}
	line("nodes       %d", s.Nodes)
	line("parameters  %d", s.Parameters)
	meta := m.Metadata()
	for i, k := range slices.Sorted(maps.Keys(meta)) {
		head := ""
		if i == 0 {
			head = "metadata"
		}
		line("%-10s  %s = %s", head, k, meta[k])
	}
	text, err := m.PlanText(batch)
	if err != nil {
		fmt.Fprintf(b, "plan        none: %s\n", oneLine(err.Error())) // however long the reason is
		return
	}
	line("plan        open dimensions are %d", batch)
	b.block(text)
}

// clip makes s one printable line of at most n characters.
func clip(s string, n int) string {
	s = onnx.Printable(s)
	if r := []rune(s); len(r) > n {
		return string(r[:n-3]) + "..."
	}
	return s
}
