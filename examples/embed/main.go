// Embed serves the images of a generator that it holds: http://localhost:8080/7 is image 0 of seed 7.
package main

import (
	_ "embed"
	"image/png"
	"log"
	"net/http"
	"strconv"

	"gantry/infer"
)

//go:embed generator.onnx
var file []byte

func main() {
	model, err := infer.LoadBytes(file, infer.Options{})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("localhost:8080", handler{model}))
}

type handler struct{ *infer.Model } // a model may serve many requests at once; a sampler is for one

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seed, err := strconv.ParseUint(r.URL.Path[1:], 10, 64)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	sampler, err := infer.NewSampler(h.Model, infer.SamplerOptions{Batch: 1})
	if err != nil {
		log.Fatal(err) // it is the same for each request
	}
	img, err := sampler.Image(r.Context(), infer.Key{Seed: seed})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	png.Encode(w, img)
}
