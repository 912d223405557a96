package main

import (
	"image/png"
	"net/http/httptest"
	"testing"

	"gantry/infer"
)

// TestServe asks for images as a browser would.
func TestServe(t *testing.T) {
	model, err := infer.LoadBytes(file, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler{model}.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w
	}
	first, again, other := get("/7"), get("/7"), get("/8")
	if first.Body.String() != again.Body.String() || first.Body.String() == other.Body.String() {
		t.Error("an image is not a function of its seed")
	}
	if img, err := png.Decode(first.Body); err != nil || first.Code != 200 || img.Bounds().Dx() != 28 || img.Bounds().Dy() != 28 {
		t.Errorf("/7: %d, %v", first.Code, err)
	}
	for _, path := range []string{"/", "/favicon.ico", "/-1", "/18446744073709551616"} {
		if w := get(path); w.Code != 404 {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
}
