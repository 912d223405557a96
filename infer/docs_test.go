package infer

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gantry/infer/internal/plan"
)

// TestDocsNameOperators compares the list of docs/infer.md with the operators that there are.
func TestDocsNameOperators(t *testing.T) {
	page, err := os.ReadFile("../docs/infer.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, ok := strings.Cut(string(page), "\n## What runs\n")
	if !ok {
		t.Fatal("docs/infer.md has no section What runs")
	}
	_, list, _ = strings.Cut(list, "\n- **")
	list, _, _ = strings.Cut(list, "\n\n")
	names := regexp.MustCompile(`\b[A-Z]\w+`).FindAllString(list, -1)
	slices.Sort(names)
	if want := plan.Operators(); !slices.Equal(names, want) {
		for _, n := range want {
			if !slices.Contains(names, n) {
				t.Errorf("docs/infer.md does not name %s", n)
			}
		}
		for i, n := range names {
			if !slices.Contains(want, n) || i > 0 && n == names[i-1] {
				t.Errorf("docs/infer.md names %s, which is no operator or there twice", n)
			}
		}
	}
}
