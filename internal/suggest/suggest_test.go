package suggest

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"steps", "seed", "batch", "beta1", "beta2"}
	for got, want := range map[string]string{"stpes": "steps", "bach": "batch", "beta": "beta1", "xyzzy": "", "": "", strings.Repeat("x", 1000): ""} {
		if near := Nearest(got, names); near != want {
			t.Errorf("%s: got %q, want %q", got[:min(len(got), 9)], near, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"unit", "units", 1}, {"kitten", "sitting", 3}, {"mlp82", "mlp28", 2}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
