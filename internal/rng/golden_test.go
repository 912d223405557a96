package rng

var (
	goldenNormal      = []float32{-0.37973726, -0.697366, -0.74927634, 0.71140003, -0.8711282, -1.8688259, 1.7212709}
	goldenUniform     = []float32{0.79535514, 0.5911138, 0.29929957, -0.41871956, -1.3186071, 0.62554026, -0.98991007}
	goldenKeep        = []float32{0, 0, 2, 0, 2, 2, 0, 0}
	goldenPermutation = []uint32{0, 6, 3, 2, 4, 1, 5, 7, 8, 9}
)

// goldenHash is the FNV-1a hash of elements 0..99 of normal vectors 0..999 of
// seed 7.
const goldenHash = 0x9a9b38fd0c98425b
