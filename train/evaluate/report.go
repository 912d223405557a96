package evaluate

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gantry/train/dataset"
	"gantry/train/metric"
)

// A Report is a result and what it is of.
type Report struct {
	Metric      string     `json:"metric"` // parzen, modes, frechet, kid or prdc
	Result      any        `json:"result"` // *metric.ParzenResult, *ModesResult, *FrechetResult, *metric.KIDResult or *metric.PRDCResult
	Model       string     `json:"model"`  // the file
	ModelSHA256 string     `json:"model_sha256"`
	Samples     int        `json:"samples"`
	Seed        uint64     `json:"seed"`
	Data        string     `json:"data"`
	DataSHA256  string     `json:"data_sha256"`
	Images      int        `json:"images,omitempty"`   // of the data, that samples are compared with
	Features    *Extractor `json:"features,omitempty"` // what made features of both; nil for parzen and modes
	Seconds     float64    `json:"seconds"`
}

func newReport(name string, g *Generator, data dataset.Dataset, o Options) *Report {
	return &Report{Metric: name, Model: g.path, ModelSHA256: g.digest, Samples: o.Count, Seed: o.Seed, Data: data.Name(), DataSHA256: data.Digest()}
}

func (r *Report) finish(result any, images int, start time.Time) *Report {
	r.Result, r.Images = result, images
	r.Seconds = math.Round(time.Since(start).Seconds()*1000) / 1000
	return r
}

// String writes r for people: a line with the result, and what it is of.
func (r *Report) String() string {
	var b strings.Builder
	against := fmt.Sprintf("%d images of %s", r.Images, r.Data)
	switch x := r.Result.(type) {
	case *metric.ParzenResult:
		fmt.Fprintf(&b, "Parzen window log-likelihood: %.1f ± %.1f nats\n", x.Test, x.StdErr)
		fmt.Fprintf(&b, "  mean and standard error over %d test images of %s\n", r.Images, r.Data)
		fmt.Fprintf(&b, "  sigma %.3f, the best of 10 on held-out training images (%.1f)\n", x.Sigma, x.Validation)
	case *ModesResult:
		kl := "none"
		if x.ReverseKL != nil {
			kl = fmt.Sprintf("%.3f", *x.ReverseKL)
		}
		fmt.Fprintf(&b, "modes of %s: %d of %d hit, high quality %.1f %%, reverse KL %s\n", r.Data, x.Hit, x.Modes, 100*x.Share, kl)
		fmt.Fprintf(&b, "  high quality: within 3 standard deviations; samples of each mode %d to %d\n", slices.Min(x.Counts), slices.Max(x.Counts))
	case *FrechetResult:
		fmt.Fprintf(&b, "Fréchet distance of %s features: %.3f\n  to %s\n", r.Features.Name, x.Distance, against)
	case *metric.KIDResult:
		fmt.Fprintf(&b, "KID of %s features: %.5f ± %.5f\n", r.Features.Name, x.Mean, x.Std)
		fmt.Fprintf(&b, "  to %s; mean and standard deviation over %d subsets of %d\n", against, x.Subsets, x.Size)
	case *metric.PRDCResult:
		fmt.Fprintf(&b, "precision %.3f, recall %.3f, density %.3f, coverage %.3f of %s features\n", x.Precision, x.Recall, x.Density, x.Coverage, r.Features.Name)
		fmt.Fprintf(&b, "  among %s; %d nearest neighbours\n", against, x.K)
	}
	if r.Features != nil {
		fmt.Fprintf(&b, "  features: %s\n", r.Features)
	}
	fmt.Fprintf(&b, "  %d samples of %s, seed %d; %.1f s\n", r.Samples, r.Model, r.Seed, r.Seconds)
	return b.String()
}
