// Package metric measures generators: functions of samples, or of features of
// samples, and nothing else.
//
// # Concepts
//
// A set of vectors is a [Set]: images as they are, or what a network makes of
// them. [Parzen] and [Modes] look at samples; [Frechet], [KID] and [PRDC] compare
// the features of generated images with those of real ones, and mean
// nothing without the name of the network that made the features.
//
// All but [Frechet], which leaves the decomposition of a matrix to gonum, give the
// same bits on every machine and for every number of threads, so that a
// checkpoint may be chosen by them. They are safe for concurrent use.
package metric
