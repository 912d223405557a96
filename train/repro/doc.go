// Package repro repeats the experiments of Goodfellow et al., "Generative
// Adversarial Nets" (2014), and of Lin et al., "PacGAN" (2018), as functions that
// return their tables and draw their figures.
//
// # Concepts
//
// Every function takes [Options], and what its experiment has of its own. It
// writes its pictures to the directory Options.Out and returns a result, which is
// JSON by its tags and a table by its String. A result is a function of the
// arguments: the seed decides every bit, threads none.
//
// [Parzen] and [Modes] train for long. They keep their runs in Options.Out: called again, they
// go on where they were stopped, or report at once what is complete.
package repro
