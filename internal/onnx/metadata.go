package onnx

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gantry/models"
)

// Keys of metadata_props that Gantry writes. The values of all but version are JSON.
const (
	keyPrefix   = "gantry."
	keyVersion  = keyPrefix + "version"
	keyNumerics = keyPrefix + "numerics"
	keySpec     = keyPrefix + "spec"
	keyLatent   = keyPrefix + "latent"
	keyRange    = keyPrefix + "range"
	keyData     = keyPrefix + "data"
	keyStep     = keyPrefix + "step"
	keyGolden   = keyPrefix + "golden"
)

// Bounds of what ParseMetadata takes.
const (
	maxMetadata = 1 << 20 // bytes of all gantry.* values
	maxGolden   = 1024    // samples, and positions in each
	maxNesting  = 32      // levels of the spec
)

// Metadata is what Gantry writes into a file beside the network: enough to
// sample from it, to say where it comes from, and to check it.
type Metadata struct {
	Version  string          // of the Gantry that wrote the file
	Numerics int             // kernel.Numerics at that time: equal numerics, equal bits
	Spec     json.RawMessage // the architecture, compact (models.ParseSpec reads it)
	Latent   models.Input    // the distribution of the input
	Range    [2]float32      // lowest and highest value of an element of a sample
	Data     DataSet         // what it was trained on
	Step     int             // completed training steps
	Golden   *Golden         // known results; nil if the file has none
}

// A DataSet names training data by content.
type DataSet struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // hexadecimal; "" if unknown
}

// A Golden is a few results that a correct runtime reproduces.
type Golden struct {
	Seed      uint64      `json:"seed"`
	Indices   []uint64    `json:"indices"`       // samples: latent i of the seed, see docs/latents.md
	Positions []int       `json:"positions"`     // elements of a sample, in row-major order
	Values    [][]float32 `json:"values"`        // Values[i][j] is element Positions[j] of sample Indices[i]
	Bound     float64     `json:"bound"`         // largest difference allowed, as a share of the value range
	Pixels    string      `json:"pixels_sha256"` // of the samples' 8-bit pixels, in order; holds for equal Numerics
}

// Encode returns the metadata_props of m.
func (m *Metadata) Encode() (map[string]string, error) {
	props := map[string]string{keyVersion: m.Version, keyNumerics: strconv.Itoa(m.Numerics), keySpec: string(m.Spec), keyStep: strconv.Itoa(m.Step)}
	values := map[string]any{keyLatent: m.Latent, keyRange: m.Range, keyData: m.Data}
	if m.Golden != nil {
		values[keyGolden] = m.Golden
	}
	for key, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("onnx: metadata %s: %w", key, err)
		}
		props[key] = string(b)
	}
	if _, err := ParseMetadata(props); err != nil {
		return nil, err
	}
	return props, nil
}

// ParseMetadata reads the gantry.* keys among the metadata_props of a file. It
// returns nil and no error if there are none: the file is not one of ours. It is
// strict about our own keys: each must be there (but for gantry.golden), none
// may be unknown, and its value must be what Encode writes.
func ParseMetadata(props map[string]string) (*Metadata, error) {
	size, ours := 0, 0
	for key, value := range props {
		if strings.HasPrefix(key, keyPrefix) {
			size += len(value)
			ours++
		}
	}
	switch {
	case ours == 0:
		return nil, nil
	case size > maxMetadata:
		return nil, formatError("metadata", fmt.Sprintf("%d bytes in gantry.* keys", size), "at most %d", maxMetadata)
	}
	m := new(Metadata)
	known := 0
	for _, field := range []struct {
		key   string
		parse func(string) error
	}{
		{keyVersion, m.parseVersion},
		{keyNumerics, func(s string) error { return natural(s, 1, &m.Numerics) }},
		{keySpec, m.parseSpec},
		{keyLatent, m.parseLatent},
		{keyRange, m.parseRange},
		{keyData, m.parseData},
		{keyStep, func(s string) error { return natural(s, 0, &m.Step) }},
		{keyGolden, m.parseGolden},
	} {
		value, ok := props[field.key]
		if !ok {
			if field.key == keyGolden {
				continue
			}
			return nil, formatError("metadata", "no key "+field.key, "one beside the other gantry.* keys")
		}
		known++
		if err := field.parse(value); err != nil {
			return nil, formatError("metadata "+field.key, clip(err.Error()), "the value that Gantry writes")
		}
	}
	if known != ours {
		var extra []string
		for key := range props {
			if strings.HasPrefix(key, keyPrefix) && !slices.Contains([]string{keyVersion, keyNumerics, keySpec, keyLatent, keyRange, keyData, keyStep, keyGolden}, key) {
				extra = append(extra, key)
			}
		}
		return nil, formatError("metadata", "key "+quote(slices.Min(extra)), "a gantry.* key that this version knows")
	}
	return m, nil
}

// ParseSampling reads the keys that sampling needs, gantry.latent and gantry.range; each result is nil
// if its key is missing. It does not look at other keys, which a newer Gantry may have written, but
// a value that it does not understand is an error: other latents would give other images.
func ParseSampling(props map[string]string) (latent *models.Input, values *[2]float32, err error) {
	m := new(Metadata)
	parse := func(key string, parse func(string) error) bool {
		value, ok := props[key]
		if !ok || err != nil {
			return false
		}
		if len(value) > maxMetadata {
			err = formatError("metadata "+key, fmt.Sprintf("%d bytes", len(value)), "at most %d", maxMetadata)
		} else if e := parse(value); e != nil {
			err = formatError("metadata "+key, clip(e.Error()), "the value that Gantry writes")
		}
		return err == nil
	}
	if parse(keyLatent, m.parseLatent) {
		latent = &m.Latent
	}
	if parse(keyRange, m.parseRange) {
		values = &m.Range
	}
	if err != nil {
		return nil, nil, err
	}
	return latent, values, nil
}

func (m *Metadata) parseVersion(s string) error {
	if s == "" || len(s) > 64 {
		return fmt.Errorf("%d bytes", len(s))
	}
	m.Version = s
	return nil
}

func (m *Metadata) parseSpec(s string) error {
	spaces := false
	err := readJSON(s, func(r *jsonReader) {
		r.skip(maxNesting)
		spaces = r.spaces
	})
	if err != nil {
		return err
	}
	if spaces || s[0] != '{' {
		return fmt.Errorf("not a compact JSON object")
	}
	m.Spec = json.RawMessage(s)
	return nil
}

func (m *Metadata) parseLatent(s string) error {
	in := &m.Latent
	err := readJSON(s, func(r *jsonReader) {
		r.object(func(key string) {
			switch key {
			case "name":
				in.Name = r.text()
			case "size":
				in.Size = int(r.natural(31))
			case "distribution":
				in.Distribution = r.text()
			case "bounds":
				in.Bounds = r.pair()
			default:
				r.unknown(key)
			}
		})
	})
	switch {
	case err != nil:
		return err
	case in.Name == "" || in.Size < 1 || in.Size > 1<<20:
		return fmt.Errorf("name %q, size %d", in.Name, in.Size)
	case in.Distribution == models.Normal && in.Bounds == [2]float32{}:
	case in.Distribution == models.Uniform && in.Bounds[0] < in.Bounds[1]:
	default:
		return fmt.Errorf("distribution %q, bounds %v", in.Distribution, in.Bounds)
	}
	return nil
}

func (m *Metadata) parseRange(s string) error {
	err := readJSON(s, func(r *jsonReader) { m.Range = r.pair() })
	if err == nil && !(m.Range[0] < m.Range[1]) {
		return fmt.Errorf("%v", m.Range)
	}
	return err
}

func (m *Metadata) parseData(s string) error {
	err := readJSON(s, func(r *jsonReader) {
		r.object(func(key string) {
			switch key {
			case "name":
				m.Data.Name = r.text()
			case "sha256":
				m.Data.SHA256 = r.text()
			default:
				r.unknown(key)
			}
		})
	})
	if err == nil && m.Data.SHA256 != "" && !isSHA256(m.Data.SHA256) {
		return fmt.Errorf("sha256 %q", m.Data.SHA256)
	}
	return err
}

func (m *Metadata) parseGolden(s string) error {
	g := new(Golden)
	err := readJSON(s, func(r *jsonReader) {
		r.object(func(key string) {
			switch key {
			case "seed":
				g.Seed = r.natural(64)
			case "indices":
				r.array(func() { g.Indices = append(g.Indices, r.natural(64)) })
			case "positions":
				r.array(func() { g.Positions = append(g.Positions, int(r.natural(31))) })
			case "values":
				r.array(func() {
					var v []float32
					r.array(func() { v = append(v, float32(r.float(32))) })
					g.Values = append(g.Values, v)
				})
			case "bound":
				g.Bound = r.float(64)
			case "pixels_sha256":
				g.Pixels = r.text()
			default:
				r.unknown(key)
			}
		})
	})
	switch {
	case err != nil:
		return err
	case len(g.Indices) == 0 || len(g.Indices) > maxGolden || len(g.Values) != len(g.Indices):
		return fmt.Errorf("%d indices, %d lists of values", len(g.Indices), len(g.Values))
	case len(g.Positions) == 0 || len(g.Positions) > maxGolden:
		return fmt.Errorf("%d positions", len(g.Positions))
	case !(g.Bound > 0 && g.Bound <= 1):
		return fmt.Errorf("bound %g", g.Bound)
	case !isSHA256(g.Pixels):
		return fmt.Errorf("pixels_sha256 %q", g.Pixels)
	}
	for i, v := range g.Values {
		if len(v) != len(g.Positions) {
			return fmt.Errorf("%d values of sample %d for %d positions", len(v), i, len(g.Positions))
		}
	}
	m.Golden = g
	return nil
}

// natural reads a decimal number of at least least, as strconv.Itoa writes it.
func natural(s string, least int, n *int) error {
	v, err := strconv.Atoi(s)
	if err != nil || v < least || v > math.MaxInt32 || strconv.Itoa(v) != s {
		return fmt.Errorf("number %q", s)
	}
	*n = v
	return nil
}

// isSHA256 says whether s is a SHA-256 in lower-case hexadecimal.
func isSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && strings.ToLower(s) == s
}
