package repro

import (
	"fmt"
	"strings"
)

// String returns the table, for people: the paper's and ours.
func (t *ParzenTable) String() string {
	var b strings.Builder
	line := func(name, nats string) { fmt.Fprintf(&b, "%-52s %s\n", name, nats) }
	line("MNIST, log-likelihood of the test images", "nats")
	line("DBN (in the paper)", "138 ± 2")
	line("Stacked CAE (in the paper)", "121 ± 1.6")
	line("Deep GSN (in the paper)", "214 ± 1.1")
	line("Adversarial nets (in the paper)", "225 ± 2")
	for _, row := range t.Rows {
		fmt.Fprintln(&b, row.Name)
		for _, s := range row.Scores {
			line(fmt.Sprintf("  seed %d, step %s, sigma %.3f, held-out %.1f", s.Seed, grouped(s.Step), s.Test.Sigma, s.Validation), fmt.Sprintf("%.1f ± %.1f", s.Test.Test, s.Test.StdErr))
		}
		if row.Test.N > 1 {
			line(fmt.Sprintf("  mean of %d runs", row.Test.N), row.Test.text(1, 1))
		}
	}
	fmt.Fprintf(&b, "± is the standard error, over test images, and of the mean over runs.\n")
	fmt.Fprintf(&b, "Of the checkpoints of every %s of %s steps, the best on held-out images.\n", grouped(t.Every), grouped(t.Steps))
	return b.String()
}
