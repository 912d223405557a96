package kernel

// tierInfo describes the kernels for one instruction set.
type tierInfo struct {
	name  string
	lanes int   // float32 in a vector
	nr    int   // columns of a panel: the width of the widest tile
	rows  []int // heights of tiles, falling; the last is 1
	every bool  // tiles of all heights up to the first exist, those not above for contiguous rows of A and packed B
	id    tierID

	narrow *tierInfo // the same with panels of two vectors, or nil
}

type tierID uint8

const (
	tierGo tierID = iota
	tierAVX2
	tierAVX512
	tierNEON
)

// goTier is the reference that every other tier is compared with.
var goTier = tierInfo{name: "go", lanes: 4, nr: 8, rows: []int{4, 3, 2, 1}, every: true, id: tierGo}

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

// most is height where A's rows are contiguous and B is packed.
func (t *tierInfo) most(rows int) int {
	if t.every {
		return min(rows, t.rows[0])
	}
	return t.height(rows)
}

// forWidth returns the tier with panels for n columns: narrow ones where wide ones
// would leave a last panel of one vector, whose tiles are slow.
func (t *tierInfo) forWidth(n int) *tierInfo {
	if vecs := (n + t.lanes - 1) / t.lanes; t.narrow != nil && vecs%3 == 1 && vecs%2 == 0 && vecs <= 16 {
		return t.narrow
	}
	return t
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
