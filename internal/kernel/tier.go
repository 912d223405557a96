package kernel

// tierInfo describes the kernels for one instruction set.
type tierInfo struct {
	name  string
	lanes int   // float32 in a vector
	nr    int   // columns of a panel: the width of the widest tile
	rows  []int // heights of tiles, falling; the last is 1
	id    tierID
}

type tierID uint8

const (
	tierGo tierID = iota
	tierAVX2
	tierAVX512
	tierNEON
)

// goTier is the reference that every other tier is compared with.
var goTier = tierInfo{name: "go", lanes: 4, nr: 8, rows: []int{4, 3, 2, 1}, id: tierGo}

// tiers lists what this processor can run, best first; goTier is the last.
var tiers = append(archTiers(), &goTier)

// tier is the one in use. Only tests change it.
var tier = tiers[0]

// Tier names the kernels in use: "avx512", "avx2", "neon" or "go". All give the
// same bits.
func Tier() string { return tier.name }

// height returns the height of the tile to use where rows are left.
func (t *tierInfo) height(rows int) int {
	for _, h := range t.rows {
		if h <= rows {
			return h
		}
	}
	return 1
}

// width rounds a number of columns up to whole vectors.
func (t *tierInfo) width(cols int) int {
	return (cols + t.lanes - 1) / t.lanes * t.lanes
}

// tile computes one tile.
func (t *tierInfo) tile(a *tileArgs) {
	a.ldcBytes = 4 * a.ldc
	if !archTile(t.id, a) {
		tileGeneric(a)
	}
}
