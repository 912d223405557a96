//go:build purego || (!amd64 && !arm64)

package kernel

// Without assembly the reference is the only tier.

func archTiers() []*tierInfo { return nil }

func archTile(tierID, *tileArgs) bool { return false }

func archPackRows(_ *tierInfo, _, _ []float32, _, _, _ int) bool { return false }

func archTranspose(_ *tierInfo, _, _ []float32, _, _, _ int) bool { return false }

func archVector(tierID, vectorOp, *elemJob, int, int) bool { return false }

func archVectorTraining(tierID, vectorOp, *elemJob, int, int) bool { return false }

func archFinite(tierID, []float32) bool { return false }

func archWino(tierID, winoOp, *winoArgs, int) bool { return false }

func archWinoGrad(tierID, winoOp, *winoArgs, int) bool { return false }
