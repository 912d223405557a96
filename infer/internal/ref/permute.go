package ref

func init() {
	operators["Transpose"] = func(n node, in []*Tensor) (*Tensor, error) {
		x := in[0]
		rank := len(x.Shape)
		perm := n.ints("perm", rank, 0)
		if _, ok := n.attrs["perm"]; !ok {
			for i := range perm {
				perm[i] = rank - 1 - i
			}
		}
		shape := make([]int, rank)
		for i, a := range perm {
			shape[i] = x.Shape[a]
		}
		y := newLike(x, shape)
		from := make([]int, rank)
		each(shape, func(i int, c []int) {
			for k, a := range perm {
				from[a] = c[k]
			}
			y.move(i, x, index(from, x.Shape))
		})
		return y, nil
	}
	operators["DepthToSpace"] = func(n node, in []*Tensor) (*Tensor, error) {
		x, b := in[0], int(n.int("blocksize", 1))
		channels := x.Shape[1] / (b * b)
		y := newLike(x, []int{x.Shape[0], channels, x.Shape[2] * b, x.Shape[3] * b})
		each(y.Shape, func(i int, c []int) {
			from := (c[2]%b*b+c[3]%b)*channels + c[1]
			if n.text("mode", "DCR") == "CRD" {
				from = (c[1]*b+c[2]%b)*b + c[3]%b
			}
			y.move(i, x, index([]int{c[0], from, c[2] / b, c[3] / b}, x.Shape))
		})
		return y, nil
	}
	operators["SpaceToDepth"] = func(n node, in []*Tensor) (*Tensor, error) {
		x, b := in[0], int(n.int("blocksize", 1))
		y := newLike(x, []int{x.Shape[0], x.Shape[1] * b * b, x.Shape[2] / b, x.Shape[3] / b})
		each(y.Shape, func(i int, c []int) {
			block, channel := c[1]/x.Shape[1], c[1]%x.Shape[1]
			if n.text("mode", "DCR") == "CRD" {
				block, channel = c[1]%(b*b), c[1]/(b*b)
			}
			y.move(i, x, index([]int{c[0], channel, c[2]*b + block/b, c[3]*b + block%b}, x.Shape))
		})
		return y, nil
	}
}
