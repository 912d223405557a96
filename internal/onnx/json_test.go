package onnx

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// FuzzJSON compares the reader with encoding/json: what is valid JSON is read, and to the same values.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{}`, ` { "a" : [ 1 , -2.5e-3 , true ] , "b" : null }`, `[]`, `"x"`, `"\u003c\n\"\\"`, `"\ud800"`, "\"\xff\"", `0`, `-0`, `1e999`, `01`,
		`[1,]`, `[,1]`, `[1 2]`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1,}`, `nul`, `nullx`, `[`, `{`, `"`, ``, `1 2`, "`x`", `'x'`,
		`{"version":1,"inputs":[{"name":"z","size":4}]}`, strings.Repeat("[", 33) + strings.Repeat("]", 33), strings.Repeat("[", 1<<16),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		err := readJSON(s, func(r *jsonReader) { r.skip(maxNesting) })
		var v any
		if json.Unmarshal([]byte(s), &v) != nil {
			return // also what strconv takes beyond JSON
		}
		if err != nil && depth(v) <= maxNesting && !strings.Contains(s, `\`) {
			t.Fatalf("%q: %v", s, err)
		}
		switch want := v.(type) {
		case string:
			var got string
			if err := readJSON(s, func(r *jsonReader) { got = r.text() }); err == nil && got != want || err != nil && !strings.Contains(s, `\`) {
				t.Fatalf("%q is %q, %v, want %q", s, got, err, want)
			}
		case float64:
			var got float64
			if err := readJSON(s, func(r *jsonReader) { got = r.float(64) }); err != nil || math.Float64bits(got) != math.Float64bits(want) {
				t.Fatalf("%q is %v, %v, want %v", s, got, err, want)
			}
		}
	})
}

func depth(v any) int {
	deepest := -1
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
	case map[string]any:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
	}
	return deepest + 1
}

func TestJSONErrors(t *testing.T) {
	golden := func(s string) error { return new(Metadata).parseGolden(s) }
	latent := func(s string) error { return new(Metadata).parseLatent(s) }
	for _, c := range []struct {
		parse   func(string) error
		s, want string
	}{
		{latent, `{"name":"z","name":"y"}`, `want no second value of key "name"`},
		{latent, `{"Name":"z"}`, `want no value of unknown key "Name"`},
		{latent, `{"name":"z"} {}`, `want the end`},
		{latent, `{"name":z}`, `z}, want a string`},
		{latent, `{"size":"4"}`, `want a natural number of 31 bits instead of ""`},
		{latent, `{"size":2147483648}`, `want a natural number of 31 bits instead of "2147483648"`},
		{latent, `{"bounds":[1]}`, `want two numbers before it`},
		{latent, `{"bounds":[1,2,3]}`, `3]}, want two numbers`},
		{latent, `{"name":"z"`, `the end, want `},
		{latent, `[]`, `want '{'`},
		{latent, `{"bounds":[1;2]}`, `want ',' or ']'`},
		{golden, `{"indices":[-1]}`, `want a natural number of 64 bits instead of "-1"`},
		{golden, `{"values":[[1e39]]}`, `want a number within float32 instead of "1e39"`},
		{golden, `{"values":[1]}`, `want '['`},
	} {
		if err := c.parse(c.s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want …%s", c.s, err, c.want)
		}
	}
}
