package rng

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const page = "../../docs/latents.md"

// blocks returns the code blocks of docs/latents.md in a language.
func blocks(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		all.WriteString(m[1])
	}
	if all.Len() == 0 {
		t.Fatalf("%s has no block in %s", page, language)
	}
	return all.String()
}

// vectors are the latents that the page's programs are asked for.
var vectors = []struct {
	seed, index uint64
	n           int
}{
	{0, 0, 100}, {0, 1, 7}, {1, 0, 1}, {42, 3, 2}, {7, 5_000_000, 5}, {1 << 32, 1<<32 + 1, 100},
	{math.MaxUint64, math.MaxUint64, 100}, {123456789, 987654321, 10_000},
}

const lo, hi = -1.7320508, 1.7320508

// TestPagePython and TestPageJavaScript run the programs of docs/latents.md.
func TestPagePython(t *testing.T) {
	var script strings.Builder
	script.WriteString(blocks(t, "python"))
	for _, v := range vectors {
		fmt.Fprintf(&script, "print(*normal(%d, %d, %d))\n", v.seed, v.index, v.n)
		fmt.Fprintf(&script, "print(*uniform(%d, %d, %d, %v, %v))\n", v.seed, v.index, v.n, float64(float32(lo)), float64(float32(hi)))
	}
	comparePage(t, "python3", script.String())
}

func TestPageJavaScript(t *testing.T) {
	var script strings.Builder
	script.WriteString(blocks(t, "javascript"))
	for _, v := range vectors {
		fmt.Fprintf(&script, "console.log(Array.from(normal(%dn, %dn, %d)).join(' '));\n", v.seed, v.index, v.n)
		fmt.Fprintf(&script, "console.log(Array.from(uniform(%dn, %dn, %d, %v, %v)).join(' '));\n", v.seed, v.index, v.n, float64(float32(lo)), float64(float32(hi)))
	}
	comparePage(t, "node", script.String())
}

// comparePage runs a script that prints, for each vector, a line of normals and
// one of uniforms, and compares them with this package's.
func comparePage(t *testing.T, interpreter, script string) {
	t.Helper()
	path, err := exec.LookPath(interpreter)
	if err != nil {
		t.Skipf("%s is not installed", interpreter)
	}
	cmd := exec.Command(path, "-")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", interpreter, err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 2*len(vectors) {
		t.Fatalf("%s printed %d lines, want %d", interpreter, len(lines), 2*len(vectors))
	}
	worst, total, equal := int64(0), 0, 0
	for i, line := range lines {
		v := vectors[i/2]
		name, want := "normal", make([]float32, v.n)
		if i%2 == 0 {
			Normal(want, v.seed, SampleLatent, 0, v.index)
		} else {
			name = "uniform"
			Uniform(want, lo, hi, v.seed, SampleLatent, 0, v.index)
		}
		got := strings.Fields(line)
		if len(got) != v.n {
			t.Fatalf("%s(%d, %d, %d) has %d elements", name, v.seed, v.index, v.n, len(got))
		}
		for j := range got {
			f, err := strconv.ParseFloat(got[j], 64)
			if err != nil {
				t.Fatal(err)
			}
			d := ulps32(float32(f), want[j])
			if d > 1 {
				t.Errorf("%s(%d, %d, %d)[%d] = %v, want %v within 1 ulp", name, v.seed, v.index, v.n, j, float32(f), want[j])
			}
			worst, total = max(worst, d), total+1
			if d == 0 {
				equal++
			}
		}
	}
	t.Logf("%s: %d of %d elements equal in all bits, the others within %d ulp", interpreter, equal, total, worst)
}

// TestPageNumbers checks the numbers that the page prints: each line is a
// function with its arguments and the first elements of its result.
func TestPageNumbers(t *testing.T) {
	line := regexp.MustCompile(`^(words|normal|uniform)\(seed (\d+), index (\d+)(?:, (\S+), (\S+))?\) +(.+)$`)
	seen := map[string]int{}
	for _, l := range strings.Split(strings.TrimSpace(blocks(t, "text")), "\n") {
		m := line.FindStringSubmatch(l)
		if m == nil {
			t.Errorf("cannot read %q", l)
			continue
		}
		seed, err1 := strconv.ParseUint(m[2], 10, 64)
		index, err2 := strconv.ParseUint(m[3], 10, 64)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		printed := strings.Fields(m[6])
		want := make([]string, len(printed))
		values := make([]float32, len(printed))
		switch m[1] {
		case "words":
			for i := range want {
				want[i] = fmt.Sprintf("%08x", Block(seed, SampleLatent, 0, index, uint32(i/4))[i%4])
			}
		case "normal":
			Normal(values, seed, SampleLatent, 0, index)
		case "uniform":
			lo, err1 := strconv.ParseFloat(m[4], 32)
			hi, err2 := strconv.ParseFloat(m[5], 32)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			Uniform(values, float32(lo), float32(hi), seed, SampleLatent, 0, index)
		}
		if m[1] != "words" {
			for i, v := range values {
				want[i] = strconv.FormatFloat(float64(v), 'g', -1, 32)
			}
		}
		if got, want := strings.Join(printed, " "), strings.Join(want, " "); got != want {
			t.Errorf("%s(seed %d, index %d): page says\n%s, want\n%s", m[1], seed, index, got, want)
		}
		seen[m[1]]++
	}
	if len(seen) != 3 {
		t.Errorf("page has numbers for %v, want words, normal and uniform", seen)
	}
}
