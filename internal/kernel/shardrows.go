package kernel

// In HWNC the images of a shard do not stand together: each pixel has some of
// them. Sums over images that are taken in shards read a copy in which they do,
// so that a shard's rows are those that a machine with this shard alone has.

// ToShards copies images from x [pixels,n,c] to dst [shards,pixels,n/shards,c].
// dst must not overlap x.
func ToShards(p *Pool, dst, x []float32, pixels, n, c, shards int) {
	moveShards(p, dst, x, pixels, n, c, shards, true)
}

// FromShards copies images back: x is [shards,pixels,n/shards,c], dst
// [pixels,n,c]. dst must not overlap x.
func FromShards(p *Pool, dst, x []float32, pixels, n, c, shards int) {
	moveShards(p, x, dst, pixels, n, c, shards, false)
}

// shardJob is a [Task]: a part is a pixel.
type shardJob struct {
	sharded, whole []float32
	pixels, row    int // row: floats of a shard's images in one pixel
	shards         int
	to             bool
}

var shardJobs freeList[shardJob]

func moveShards(p *Pool, sharded, whole []float32, pixels, n, c, shards int, to bool) {
	needShards(n, shards)
	size := needShape("images", pixels, n, c)
	need("sharded images", len(sharded), size)
	need("images", len(whole), size)
	j := shardJobs.get()
	j.sharded, j.whole, j.pixels, j.row, j.shards, j.to = sharded, whole, pixels, n/shards*c, shards, to
	p.Do(pixels, j)
	*j = shardJob{}
	shardJobs.put(j)
}

// Run copies one pixel.
func (j *shardJob) Run(part int) {
	for s := range j.shards {
		sharded := j.sharded[(s*j.pixels+part)*j.row:][:j.row]
		whole := j.whole[(part*j.shards+s)*j.row:][:j.row]
		if j.to {
			copy(sharded, whole)
		} else {
			copy(whole, sharded)
		}
	}
}
