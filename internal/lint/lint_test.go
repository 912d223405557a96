package lint

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// maxLines is the longest hand-written Go file that this tree accepts: past
// it, a file is about two things.
const maxLines = 500

// goFiles returns the hand-written and generated Go files of the tree, as
// slash paths below the root.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "testdata" || name == "runs" || strings.HasPrefix(name, ".") && name != "..") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".go") {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			files = append(files, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("found %d Go files below %s, want the whole tree", len(files), root)
	}
	return files
}

func TestFilesAreFormattedAndShort(t *testing.T) {
	for _, name := range goFiles(t) {
		src, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".pb.go") {
			continue
		}
		want, err := format.Source(src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(src, want) {
			t.Errorf("%s: not formatted; run gofmt -w %s", name, name)
		}
		if n := bytes.Count(src, []byte("\n")); n > maxLines {
			t.Errorf("%s: %d lines, want at most %d: split it by topic", name, n, maxLines)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	documented := map[string]bool{}
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		documented[dir] = documented[dir] || f.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: no package comment; begin one with the sentence that says what the package is for", dir)
		}
	}
}

// machineDependent lists the functions of package math whose results differ
// between architectures (assembly on some, fused multiply-add on others).
// Weights, latents and images must be the same bits everywhere, so the
// packages that compute them use internal/kernel and internal/rng instead.
var machineDependent = []string{"Exp", "Exp2", "Expm1", "Log", "Log2", "Log10", "Log1p", "Pow", "Sin", "Cos", "Sincos", "Tan", "Tanh", "Sinh", "Cosh", "Erf", "Cbrt"}

// samebits are the packages that machineDependent and math/rand may not enter.
var samebits = []string{"internal/kernel", "internal/rng", "internal/graph", "internal/fold", "internal/imaging", "train", "export", "infer", "models"}

// slow is the reference that infer is compared with, within a bound.
const slow = "infer/internal/ref/"

func TestSameBitsEverywhere(t *testing.T) {
	for _, name := range goFiles(t) {
		within := slices.ContainsFunc(samebits, func(p string) bool { return strings.HasPrefix(name, p+"/") })
		if !within || strings.HasPrefix(name, slow) || strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, filepath.Join(root, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			if p := strings.Trim(imp.Path.Value, `"`); p == "math/rand" || p == "math/rand/v2" {
				t.Errorf("%s imports %s; random numbers are addressed: use internal/rng", name, p)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "math" && slices.Contains(machineDependent, sel.Sel.Name) {
				t.Errorf("%s: math.%s gives other bits on other machines; use internal/kernel or internal/rng", fset.Position(n.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
}

// arrows are the imports that the design forbids: no package below the key
// may depend on any of the values. What ganinfer must not have of the standard
// library costs 100 KB and more: RATIONALE.md, "What is ganinfer made of?".
var arrows = map[string][]string{
	"gantry/cmd/ganinfer": {"gonum.org/v1/plot", "golang.org/x/image/font", "gorgonia.org/gorgonia", "gantry/train", "gantry/export", "gantry/internal/graph",
		"crypto/sha256", "image/gif", "image/png", "net/http", "text/template"},
	"gantry/infer":           {"gorgonia.org/gorgonia", "gantry/train", "gantry/export", "gantry/internal/graph"},
	"gantry/infer/onnxgo":    {"gorgonia.org/gorgonia", "gantry/infer"},
	"gantry/export":          {"gantry/train"},
	"gantry/train/dataset":   {"gorgonia.org/gorgonia"},
	"gantry/train":           {"gantry/train/dataset/mnist"},
	"gantry/train/metric":    {"gorgonia.org/gorgonia", "gantry/train", "gantry/infer"},
	"gantry/models":          {"gantry/internal/kernel", "gantry/internal/graph"},
	"gantry/internal/kernel": {"gantry/models", "gantry/internal/rng", "gantry/internal/onnx"},
	"gantry/internal/rng":    {"gantry/internal/kernel", "gantry/models"},
}

func TestArrowsPointDown(t *testing.T) {
	for pkg, forbidden := range arrows {
		cmd := exec.Command("go", "list", "-deps", pkg)
		cmd.Dir = root
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", pkg, err)
		}
		deps := strings.Fields(string(out))
		for _, dep := range forbidden {
			if slices.Contains(deps, dep) {
				t.Errorf("%s depends on %s, which the layering forbids", pkg, dep)
			}
		}
	}
}

func TestGorgoniaGlobalsAreLeftAlone(t *testing.T) {
	for _, name := range goFiles(t) {
		if strings.HasPrefix(name, "internal/lint/") {
			continue
		}
		src, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range []string{"gorgonia.Use(", "tensor.Use("} {
			if bytes.Contains(src, []byte(call)) {
				t.Errorf("%s calls %s...), which changes a global of every program that imports us", name, call)
			}
		}
	}
}
