package train

import "testing"

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{"runs/00000-a": "runs/00000-a", "my run": "'my run'", "it's": `'it'\''s'`, "": "''", "$HOME": "'$HOME'"} {
		if got := Quote(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
