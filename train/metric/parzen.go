package metric

import (
	"math"

	"gantry/internal/kernel"
	"gantry/internal/rng"
)

// parzenSigmas are the bandwidths that [Parzen] chooses from: ten from 0.1 to 1,
// each the same factor above the one before.
var parzenSigmas = [...]float64{0.1, 0.12915496650148841, 0.1668100537200059, 0.21544346900318834, 0.2782559402207124,
	0.3593813663804628, 0.46415888336127786, 0.5994842503189409, 0.7742636826811272, 1}

// ParzenResult is an estimate of the log-likelihood of test data.
type ParzenResult struct {
	Sigma      float64 `json:"sigma"`        // bandwidth, the best on the validation data
	Validation float64 `json:"validation"`   // mean log-likelihood of the validation data under it, nats
	Test       float64 `json:"test"`         // mean of the test data's, nats
	StdErr     float64 `json:"test_std_err"` // standard deviation over the test data, divided by the root of their number
}

// Parzen estimates how likely test data are under a generator, as Goodfellow et
// al., "Generative Adversarial Nets" (2014), section 5, do it: under a mixture
// of Gaussians around samples of the generator, of the width in 0.1 to 1 under
// which the validation data are the likeliest. The paper's numbers take 10,000
// samples, 1,000 images to validate and 10,000 to test, with pixels in [0, 1].
// Without test data, Test and StdErr are 0.
//
// The estimate is biased and of high variance, and generators that are good to
// look at may have a bad one (Theis et al., "A note on the evaluation of generative
// models", 2016).
func Parzen(samples, validation, test Set, o Options) (*ParzenResult, error) {
	pool := kernel.NewPool(o.Threads)
	defer pool.Close()
	n := validation.Len() + test.Len()
	w, err := newWindow(samples, pool)
	if err != nil {
		return nil, err
	}
	part := func(offset int) Options {
		return Options{Progress: func(done, _ int) { o.tell(offset+done, n) }}
	}
	lls, err := w.logLikelihood("validation data", validation, parzenSigmas[:], part(0))
	if err != nil {
		return nil, err
	}
	r := &ParzenResult{Validation: math.Inf(-1)}
	for i, ll := range lls {
		if m, _ := meanStd(ll); m > r.Validation {
			r.Sigma, r.Validation = parzenSigmas[i], m
		}
	}
	if test.Len() == 0 {
		return r, nil
	}
	lls, err = w.logLikelihood("test data", test, []float64{r.Sigma}, part(validation.Len()))
	if err != nil {
		return nil, err
	}
	var std float64
	r.Test, std = meanStd(lls[0])
	r.StdErr = std / math.Sqrt(float64(test.Len()))
	return r, nil
}

// meanStd returns the mean of x and its standard deviation, that of x as a whole
// population.
func meanStd(x []float64) (mean, std float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		std += float64((v - mean) * (v - mean))
	}
	return mean, math.Sqrt(std / float64(len(x)))
}

// window is the density 1/n Σ N(x; sample, σ²I).
type window struct {
	*distances
	exps [blockRows][]float32 // scratch of each row
}

func newWindow(samples Set, pool *kernel.Pool) (*window, error) {
	if err := samples.check("samples", samples.Dim, 1); err != nil {
		return nil, err
	}
	return &window{distances: newDistances(samples, pool)}, nil
}

// negligible is how much likelier, in nats, one sample makes a point than
// another that is left out of the sum: 10,000 of these are 4e-14 of it.
const negligible = 40

// logLikelihood returns the logarithm of the density at each vector of x, in
// nats, for each of sigmas.
func (w *window) logLikelihood(name string, x Set, sigmas []float64, o Options) ([][]float64, error) {
	if err := x.check(name, w.to.Dim, 1); err != nil {
		return nil, err
	}
	ll := make([][]float64, len(sigmas))
	constant := make([]float64, len(sigmas)) // log n + log (σ√2π)^dim
	for k, s := range sigmas {
		ll[k] = make([]float64, x.Len())
		constant[k] = rng.Log(float64(w.to.Len())) + float64(float64(w.to.Dim)*rng.Log(s*math.Sqrt(2*math.Pi)))
	}
	w.from(x, &o, func(i int, d2 []float64) {
		nearest := math.Inf(1)
		for _, d := range d2 {
			nearest = min(nearest, d)
		}
		for k, s := range sigmas {
			scale := 1 / (2 * s * s)
			exps := w.exps[i%blockRows][:0]
			for _, d := range d2 {
				if e := (d - nearest) * scale; e < negligible {
					exps = append(exps, -float32(e))
				}
			}
			w.exps[i%blockRows] = exps
			kernel.Exp(nil, exps, exps)
			sum := 0.0
			for _, e := range exps {
				sum += float64(e)
			}
			ll[k][i] = rng.Log(sum) - float64(nearest*scale) - constant[k]
		}
	})
	return ll, nil
}
