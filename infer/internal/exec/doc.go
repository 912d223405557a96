// Package exec holds the operators, one topic in a file, and the machine that runs plans.
//
// An operator registers itself with plan.Register from its file's init: how many arguments it has,
// how its attributes are read at each opset, how types follow, and how it computes. Nothing else
// names it, so a new operator is a new file (and its reference in package ref).
package exec
