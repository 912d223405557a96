//go:build purego || !amd64

package kernel

// Without assembly the Go loops do everything.

func archNormLanes(tierID) int { return 0 }

func archNormSums(tierID, *normArgs) {}

func archNormRows(tierID, *normArgs) {}
