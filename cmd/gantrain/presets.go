package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"gantry/models"
)

// defaultPreset is the one that is trained where none is named: the clearest
// digits of two minutes on two cores.
const defaultPreset = "dcgan28"

// presetsCommand lists the presets, or prints one as JSON.
func presetsCommand(args []string, stdout, _ io.Writer) error {
	fs := pflag.NewFlagSet("presets", pflag.ContinueOnError)
	if err := parse(fs, args, presetsUsage, stdout); err != nil {
		return err
	}
	switch fs.NArg() {
	case 0:
		for _, p := range models.Presets() {
			text := wrap(p.Description, 60)
			if _, err := fmt.Fprintf(stdout, "%-18s %s\n", p.Name, strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", 19))); err != nil {
				return err
			}
		}
		return nil
	case 1:
		p, err := models.LoadPreset(fs.Arg(0))
		if err != nil {
			return presetError(fs.Arg(0), err)
		}
		b, err := json.MarshalIndent(p, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(stdout, "%s\n", b)
		return err
	}
	return misused("gantrain presets --help", "presets takes one name, got %d", fs.NArg())
}

// presetError is the error for a preset that cannot be had.
func presetError(name string, err error) error {
	hint := "gantrain presets lists them; a file's name ends in .json"
	if strings.HasSuffix(name, ".json") {
		hint = "gantrain presets mlp28 prints one as it should be"
	} else if p, err := models.LoadPreset(strings.ToLower(name)); err == nil {
		hint = fmt.Sprintf("did you mean %s?", p.Name)
	}
	return misused(hint, "%w", err)
}

// wrap breaks text between words into lines of at most width columns.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, w := range strings.Fields(text) {
		switch {
		case column == 0:
		case column+1+len(w) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(w)
		column += len(w)
	}
	return b.String()
}
