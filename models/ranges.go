package models

import (
	"fmt"
	"math"
	"strings"
)

func intRange(key string, v, lo, hi int) error {
	switch {
	case v < lo:
		return fmt.Errorf("%s: %d, want at least %d", key, v, lo)
	case v > hi:
		return fmt.Errorf("%s: %d, want at most %d", key, v, hi)
	}
	return nil
}

// floatMin is the lower end of a range, which may itself be excluded.
type floatMin struct {
	v        float32
	excluded bool
}

func above(v float32) floatMin   { return floatMin{v, true} }
func atLeast(v float32) floatMin { return floatMin{v, false} }

// floatRange refuses v below lo, above hi and NaN.
func floatRange(key string, v float32, lo floatMin, hi float32) error {
	switch {
	case lo.excluded && !(v > lo.v):
		return fmt.Errorf("%s: %v, want above %v", key, v, lo.v)
	case !(v >= lo.v):
		return fmt.Errorf("%s: %v, want at least %v", key, v, lo.v)
	case !(v <= hi):
		return fmt.Errorf("%s: %v, want at most %v", key, v, hi)
	}
	return nil
}

// probabilityBelowOne is the range [0, 1) of decay rates.
func probabilityBelowOne[T float32 | float64](key string, v T) error {
	if !(v >= 0 && v < 1) {
		return fmt.Errorf("%s: %v, want at least 0 and below 1", key, v)
	}
	return nil
}

// interval checks a lowest and a highest value. The bound on both keeps their
// difference finite and its quotients meaningful.
func interval(key string, v [2]float32) error {
	const most = 1e6
	for _, x := range v {
		if !(math.Abs(float64(x)) <= most) {
			return fmt.Errorf("%s: %v, want values from -%v to %v", key, v, float32(most), float32(most))
		}
	}
	if !(v[0] < v[1]) {
		return fmt.Errorf("%s: %v, want the lower value first", key, v)
	}
	return nil
}

// shapeRange checks the dimensions of one sample and their product.
func shapeRange(key string, shape []int, rank int) error {
	if len(shape) < 1 || len(shape) > rank {
		return fmt.Errorf("%s: %d dimensions, want 1..%d", key, len(shape), rank)
	}
	n := 1
	for _, d := range shape {
		if d < 1 {
			return fmt.Errorf("%s: %v, want dimensions of at least 1", key, shape)
		}
		if d > maxElements/n {
			return fmt.Errorf("%s: %v, want at most %d elements", key, shape, maxElements)
		}
		n *= d
	}
	return nil
}

func oneOf(key, got string, want ...string) error {
	for _, w := range want {
		if got == w {
			return nil
		}
	}
	return fmt.Errorf("%s: %q, want %s%s", key, clip(got), strings.Join(want, " or "), didYouMean(got, want))
}
