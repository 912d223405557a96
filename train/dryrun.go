package train

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"

	"gantry/models"
)

// DryRun writes, for people, what a run of these settings would be: both
// networks layer by layer, the recipe, memory and disk. It checks all that
// [Run] checks before it begins, and leaves no file but decoded images in the
// user's cache.
func DryRun(ctx context.Context, w io.Writer, s Settings, out string, h Host) error {
	if err := s.check(); err != nil {
		return err
	}
	data, err := h.open(ctx, s.Data, s.dataOptions())
	if err != nil {
		return err
	}
	if err := s.fitChannels(data); err != nil {
		return err
	}
	if err := suits(s.Spec, s.Recipe, data); err != nil {
		return err
	}
	if err := apart(cmp.Or(out, "runs"), s.Data, data); err != nil {
		return err
	}
	if err := checkOrigin(&s); err != nil {
		return err
	}
	if out != "" {
		d, err := createRunDir(out, "", "")
		if err != nil {
			return err
		}
		d.discard()
		d.close()
	}
	g, d, err := s.Spec.Networks()
	if err != nil {
		return err
	}
	recipe, err := s.Recipe.JSON()
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	in := s.Spec.Inputs[0]
	fmt.Fprintf(b, "preset %s: %d steps on %s, %s of %v\n", s.Preset, s.Steps, data.Name(), samples(data.Len(), data), data.Shape())
	writeData(b, data, someSkipped)
	fmt.Fprintf(b, "input %s: %d values, %s\n", in.Name, in.Size, in.Distribution)
	writeNetwork(b, g)
	writeNetwork(b, d)
	fmt.Fprintf(b, "recipe\n")
	writeWrapped(b, string(recipe))
	e := NewEstimate(&s, data)
	fmt.Fprintf(b, "parameters: generator %d, discriminator %d\n", e.Generator, e.Discriminator)
	for _, l := range e.lines(cmp.Or(out, "runs")) {
		fmt.Fprintln(b, l)
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return checkRoom(cmp.Or(out, "runs"), &s)
}

func writeNetwork(b *bufio.Writer, n *models.Network) {
	fmt.Fprintf(b, "%s\n", n.Name)
	for _, node := range n.Nodes {
		params := int64(0)
		for _, p := range node.Params {
			params += elements(p.Shape)
		}
		count := "-"
		if params > 0 {
			count = fmt.Sprint(params)
		}
		fmt.Fprintf(b, "  %-8s %-15s %-15s -> %-15s %10s\n", node.ID, node.Type, fmt.Sprint(node.In), fmt.Sprint(node.Out), count)
	}
}

// writeWrapped writes text in lines of at most 80 columns, broken after commas.
func writeWrapped(b *bufio.Writer, text string) {
	const indent, width = "  ", 78
	for len(text) > width {
		cut := width
		for cut > 1 && text[cut-1] != ',' {
			cut--
		}
		if cut == 1 {
			cut = width
		}
		fmt.Fprintf(b, "%s%s\n", indent, text[:cut])
		text = text[cut:]
	}
	fmt.Fprintf(b, "%s%s\n", indent, text)
}
