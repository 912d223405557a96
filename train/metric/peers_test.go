package metric

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gantry/internal/rng"
	"gantry/train/dataset/mnist"
)

// blobs returns n vectors around a few centers: seed chooses the vectors, and
// spread and shift say how wide and where they lie.
func blobs(n, dim int, seed uint64, spread, shift float32) Set {
	s := Set{make([]float32, n*dim), dim}
	center := make([]float32, dim)
	for i := range n {
		row := s.row(i)
		rng.Normal(row, seed, rng.SampleLatent, 0, uint64(i))
		rng.Uniform(center, 0, 1, 99, rng.TrainLatent, 0, uint64(i%7))
		for j := range row {
			row[j] = center[j] + spread*row[j]*(1+float32(j%3)) + shift
		}
	}
	return s
}

// A peerCase is a metric of some sets, by our code and, in job, for bench/fixtures_metric.py.
type peerCase struct {
	Metric  string        `json:"metric"`
	Dim     int           `json:"dim"`
	Files   []string      `json:"sets"`
	K       int           `json:"k,omitempty"`
	Subsets [][2][]uint32 `json:"subsets,omitempty"`

	sets []Set
	ours func(sets []Set) (map[string]float64, error)
}

// fields returns the numbers of a result by their names in JSON.
func fields(result any) (map[string]float64, error) {
	b, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	m := map[string]float64{}
	return m, json.Unmarshal(b, &m)
}

func peerCases() []peerCase {
	const subsets, size, seed = 7, 50, 3
	parzen := func(s []Set) (map[string]float64, error) {
		r, err := Parzen(s[0], s[1], s[2], Options{Threads: 2})
		if err != nil {
			return nil, err
		}
		return fields(r)
	}
	frechet := func(s []Set) (map[string]float64, error) {
		a, err := NewMoments(s[0])
		if err != nil {
			return nil, err
		}
		b, err := NewMoments(s[1])
		if err != nil {
			return nil, err
		}
		d, err := Frechet(a, b)
		return map[string]float64{"frechet": d}, err
	}
	kid := func(s []Set) (map[string]float64, error) {
		r, err := KID(s[0], s[1], subsets, size, seed, Options{Threads: 2})
		if err != nil {
			return nil, err
		}
		return fields(r)
	}
	prdc := func(k int) func(s []Set) (map[string]float64, error) {
		return func(s []Set) (map[string]float64, error) {
			r, err := PRDC(s[0], s[1], k, Options{Threads: 2})
			if err != nil {
				return nil, err
			}
			return fields(r)
		}
	}
	cases := []peerCase{
		{Metric: "parzen", ours: parzen, sets: []Set{blobs(300, 40, 1, 0.1, 0), blobs(90, 40, 2, 0.1, 0), blobs(130, 40, 3, 0.1, 0.01)}},
		{Metric: "parzen", ours: parzen, sets: []Set{blobs(300, 300, 1, 0.02, 0), blobs(30, 300, 2, 0.02, 0), blobs(70, 300, 3, 0.02, 0)}}, // the narrowest
		{Metric: "parzen", ours: parzen, sets: []Set{blobs(40, 5, 1, 1, 0), blobs(50, 5, 2, 2, 0), blobs(60, 5, 3, 2, 0)}},                 // the widest
		{Metric: "frechet", ours: frechet, sets: []Set{blobs(300, 16, 1, 0.3, 0), blobs(250, 16, 2, 0.4, 0.2)}},
		{Metric: "frechet", ours: frechet, sets: []Set{blobs(2500, 12, 1, 0.3, 0), blobs(1500, 12, 2, 0.3, 0)}}, // nearly 0
		{Metric: "kid", ours: kid, sets: []Set{blobs(300, 16, 1, 0.3, 0), blobs(200, 16, 2, 0.4, 0.2)}},
		{Metric: "prdc", K: 5, ours: prdc(5), sets: []Set{blobs(300, 16, 1, 0.3, 0), blobs(200, 16, 2, 0.25, 0.1)}},
		{Metric: "prdc", K: 1, ours: prdc(1), sets: []Set{blobs(150, 64, 1, 0.1, 0), blobs(230, 64, 2, 0.12, 0)}},
	}
	if train, err := mnist.Train(); err == nil { // images, and images with noise for samples
		digits := func(first, n int, noise float32) Set {
			s := Set{make([]float32, n*784), 784}
			indices := make([]int, n)
			for i := range indices {
				indices[i] = first + i
			}
			if err := train.Read(s.X, indices); err != nil {
				panic(err)
			}
			z := make([]float32, 784)
			for i := range n {
				rng.Normal(z, 1, rng.SampleLatent, 0, uint64(i))
				for j, v := range s.row(i) {
					s.row(i)[j] = max(0, min(v+noise*z[j], 1))
				}
			}
			return s
		}
		cases = append(cases, peerCase{Metric: "parzen", ours: parzen, sets: []Set{digits(0, 1000, 0.1), digits(50000, 100, 0), digits(55000, 150, 0)}})
	}
	for i := range cases {
		c := &cases[i]
		c.Dim = c.sets[0].Dim
		for j := range c.sets {
			c.Files = append(c.Files, fmt.Sprintf("%d-%d.bin", i, j))
		}
		if c.Metric == "kid" {
			for s := range subsets {
				c.Subsets = append(c.Subsets, [2][]uint32{subset(c.sets[0].Len(), seed, 2*s)[:size], subset(c.sets[1].Len(), seed, 2*s+1)[:size]})
			}
		}
	}
	return cases
}

// TestPeers compares with numpy, scipy and prdc: with stored results always,
// with the packages themselves where GANTRY_PYTHON is set. Log-likelihoods agree
// to 1e-3 nats, all else to 1e-4 of its size.
func TestPeers(t *testing.T) {
	const stored = "testdata/peers.json"
	cases := peerCases()
	python := os.Getenv("GANTRY_PYTHON")
	if python == "" {
		t.Log("GANTRY_PYTHON is not set: compared with stored results only")
	} else {
		b := runPeers(t, python, cases)
		comparePeers(t, cases, b)
		if os.Getenv("UPDATE_GOLDEN") == "1" {
			if err := os.WriteFile(stored, append(b, '\n'), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	b, err := os.ReadFile(stored)
	if err != nil {
		t.Fatal(err)
	}
	comparePeers(t, cases, b)
}

// runPeers returns what bench/fixtures_metric.py makes of the cases.
func runPeers(t *testing.T, python string, cases []peerCase) []byte {
	t.Helper()
	dir := t.TempDir()
	for _, c := range cases {
		for j, s := range c.sets {
			b, err := binary.Append(nil, binary.LittleEndian, s.X)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, c.Files[j]), b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	b, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "job.json"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(python, "../../bench/fixtures_metric.py", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if b, err = os.ReadFile(filepath.Join(dir, "results.json")); err != nil {
		t.Fatal(err)
	}
	return b
}

func comparePeers(t *testing.T, cases []peerCase, results []byte) {
	t.Helper()
	var want []map[string]float64
	if err := json.Unmarshal(results, &want); err != nil || len(want) != len(cases) {
		t.Fatalf("%d results of %d: %v", len(want), len(cases), err)
	}
	for i, c := range cases {
		got, err := c.ours(c.sets)
		if err != nil {
			t.Errorf("case %d, %s: %v", i, c.Metric, err)
			continue
		}
		if len(want[i]) == 0 {
			t.Errorf("case %d, %s: no results of theirs", i, c.Metric)
		}
		for name, w := range want[i] {
			bound := 1e-4 * math.Abs(w)
			if c.Metric == "parzen" && name != "sigma" {
				bound = 1e-3
			}
			t.Logf("case %d, %s: %s is %.8g, theirs %.8g, differs by %.1e of %.1e", i, c.Metric, name, got[name], w, math.Abs(got[name]-w), bound)
			if !(math.Abs(got[name]-w) <= bound) {
				t.Errorf("case %d, %s: %s is %v, theirs %v", i, c.Metric, name, got[name], w)
			}
		}
	}
}
