package repro

import (
	"encoding/json"
	"fmt"
	"math"
)

// A MeanErr is a mean over runs and its standard error.
type MeanErr struct {
	Mean   Number `json:"mean"`
	StdErr Number `json:"std_err"` // NaN for a single run
	N      int    `json:"n"`
}

// A Number is a float64 that may be NaN, which JSON has as null.
type Number float64

// MarshalJSON implements [json.Marshaler].
func (x Number) MarshalJSON() ([]byte, error) {
	if v := float64(x); math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(x))
}

func meanErr(x []float64) MeanErr {
	m := MeanErr{Number(math.NaN()), Number(math.NaN()), len(x)}
	if len(x) == 0 {
		return m
	}
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	n := float64(len(x))
	mean, squares := sum/n, 0.0
	for _, v := range x {
		squares += float64((v - mean) * (v - mean))
	}
	m.Mean = Number(mean)
	if len(x) > 1 {
		m.StdErr = Number(math.Sqrt(squares / (n - 1) / n))
	}
	return m
}

// text prints the mean and the standard error times a factor.
func (m MeanErr) text(factor float64, digits int) string {
	if math.IsNaN(float64(m.Mean)) {
		return "-"
	}
	s := fmt.Sprintf("%.*f", digits, factor*float64(m.Mean))
	if !math.IsNaN(float64(m.StdErr)) {
		s += fmt.Sprintf(" ± %.*f", digits, factor*float64(m.StdErr))
	}
	return s
}

// grouped writes a whole number with commas between thousands.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}
