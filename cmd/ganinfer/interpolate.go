package main

import (
	"context"
	"fmt"
	"sort"

	"github.com/spf13/pflag"

	"gantry/infer"
)

var interpolateCommand = command{"interpolate", `Usage: ganinfer interpolate --model g.onnx WHICH WHERE

Walks from latent to latent: --frames samples in all, evenly spaced, among
them those of the latents themselves. A list that ends with its first seed
makes an animation that goes round.

WHICH latents:
    --seeds 1,4,9                        latent 0 of each seed
    --seed 7 --first 0 --count 5         latents 0 to 4 of seed 7
    --z z.npy                            latents of your own, float32 [n, nz]
WHERE the frames go:
    --out walk.gif                       an animation
    --out DIR                            a PNG file for each
    --out walk.npy                       an array, as sample writes it

Examples:
    ganinfer interpolate --model g.onnx --seeds 1,4,9 --frames 60 --out walk.gif
    ganinfer interpolate --model g.onnx --seeds 1,4,1 --out frames
    ganinfer interpolate --model g.onnx --seeds 1-3 --mode linear --out walk.gif
`, interpolateFlags}

func interpolateFlags(fs *pflag.FlagSet) action {
	var o samplerFlags
	frames := fs.Int("frames", 60, "number of frames")
	mode := fs.String("mode", "", "linear or spherical; left out, spherical for normal latents, linear for uniform ones")
	out := fs.String("out", "", "a .gif `file`, a directory for PNG files, or an .npy file")
	o.bind(fs)
	return func(ctx context.Context, args []string, std streams) error {
		if *out == "" {
			return misusef("--out walk.gif makes an animation, --out DIR a file for each frame", "no output: --out is missing")
		}
		if extension(*out) != ".gif" {
			if err := checkOutputs("", *out, "--out walk.gif makes an animation", std); err != nil {
				return err
			}
		}
		if *mode != "" && *mode != "linear" && *mode != "spherical" {
			return misusef("leave it out for what suits the model", "--mode %s: want linear or spherical", *mode)
		}
		d, err := o.open(args, func(src *source) error {
			if src.count < 2 {
				return misusef("for example --seeds 1,4,9", "one latent is no way to walk: want at least 2")
			}
			if *frames < src.count || *frames > 1<<20 {
				return misusef("", "--frames %d: must be at least the number of latents, %d, and at most %d", *frames, src.count, 1<<20)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(d.labels) > 1 {
			return misusef("an animation has one class, as in --label 3", "--label %s: %d classes", o.label, len(d.labels))
		}
		d.source = d.walk(*frames, *mode == "spherical" || *mode == "" && !d.sampler.Uniform())
		sink, err := newSink(d, "", *out, std)
		if err != nil {
			return err
		}
		return sink.write(ctx)
	}
}

// walk returns the source of the frames between d's latents: latent k is frame k·(frames-1)/(count-1), rounded down.
func (d *drawing) walk(frames int, spherical bool) *source {
	way, last := d.source, d.count-1
	at := func(k int) int { return k * (frames - 1) / last }
	next := make([]float32, d.sampler.LatentSize())
	return &source{
		count: frames,
		name:  func(i int) string { return fmt.Sprintf("frame%04d", i) },
		latent: func(s *infer.Sampler, z []float32, i int) infer.Key {
			still := way.latent(s, z, 0)                                    // random numbers of the model itself do not flicker
			k := sort.Search(last, func(k int) bool { return at(k+1) > i }) // the latent before frame i
			if way.latent(s, z, k); at(k) == i {
				return still
			}
			way.latent(s, next, k+1)
			t := float64(i-at(k)) / float64(at(k+1)-at(k))
			if spherical {
				infer.Slerp(z, z, next, t)
			} else {
				infer.Lerp(z, z, next, t)
			}
			return still
		},
	}
}
