package models

import (
	"embed"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
)

//go:embed presets/*.json
var presetFiles embed.FS

// Preset is an architecture with a recipe that suits it.
type Preset struct {
	Name        string `json:"name"`        // lower-case letters, digits, "-", "_" and "."; part of run directories' names
	Description string `json:"description"` // one line
	Spec        Spec   `json:"spec"`
	Recipe      Recipe `json:"recipe"`
}

// Presets returns the presets that come with the package, sorted by name. The
// caller may change them: each call returns copies.
func Presets() []Preset {
	entries, err := presetFiles.ReadDir("presets")
	if err != nil {
		panic("models: internal error: " + err.Error())
	}
	all := dcganPresets()
	for _, e := range entries {
		data, err := presetFiles.ReadFile("presets/" + e.Name())
		if err != nil {
			panic("models: internal error: " + err.Error())
		}
		p, err := ParsePreset(data)
		if err != nil {
			panic("models: internal error: preset file " + e.Name() + ": " + err.Error())
		}
		all = append(all, *p)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// LoadPreset returns the preset of the given name, or reads it from a file if
// nameOrPath ends in ".json". The error for an unknown name lists the names there
// are.
func LoadPreset(nameOrPath string) (*Preset, error) {
	if strings.HasSuffix(nameOrPath, ".json") {
		data, err := readPresetFile(nameOrPath)
		if err != nil {
			return nil, fmt.Errorf("models: preset: %w", err)
		}
		p, err := ParsePreset(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", nameOrPath, err)
		}
		return p, nil
	}
	var names []string
	for _, p := range Presets() {
		if p.Name == nameOrPath {
			return &p, nil
		}
		names = append(names, p.Name)
	}
	return nil, fmt.Errorf("models: unknown preset %q%s, want one of %s, or a file whose name ends in .json",
		nameOrPath, didYouMean(nameOrPath, names), strings.Join(names, ", "))
}

// maxPresetFile bounds what LoadPreset reads.
const maxPresetFile = 1 << 20

func readPresetFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPresetFile+1))
	if err == nil && len(data) > maxPresetFile {
		err = fmt.Errorf("%s: more than %d bytes", path, maxPresetFile)
	}
	return data, err
}

// ParsePreset reads a preset from strict JSON, fills in defaults as [ParseSpec]
// does and validates name, spec and recipe.
func ParsePreset(data []byte) (*Preset, error) {
	p := new(Preset)
	if err := decode(data, "preset", p); err != nil {
		return nil, err
	}
	if !presetName(p.Name) {
		return nil, fmt.Errorf("models: preset.name: %q, want lower-case letters, digits, \"-\", \"_\" and \".\", a letter or digit first, at most 64", clip(p.Name))
	}
	if strings.ContainsAny(p.Description, "\r\n") {
		return nil, fmt.Errorf("models: preset.description: %q, want one line", clip(p.Description))
	}
	p.Spec.setDefaults()
	if _, _, err := p.Spec.Networks(); err != nil {
		return nil, err
	}
	if err := p.Recipe.Validate(); err != nil {
		return nil, err
	}
	return p, nil
}

// presetName reports whether s may name a preset: it becomes part of directory
// names.
func presetName(s string) bool {
	for i, c := range []byte(s) {
		plain := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !plain && (i == 0 || c != '-' && c != '_' && c != '.') {
			return false
		}
	}
	return 1 <= len(s) && len(s) <= 64
}
