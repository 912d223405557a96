package ref

import (
	"math"
	"slices"
)

func init() {
	operators["GatherElements"] = func(n node, in []*Tensor) (*Tensor, error) {
		y := newLike(in[0], in[1].Shape)
		each(y.Shape, func(i int, c []int) { y.move(i, in[0], element(n, in, i, c)) })
		return y, nil
	}
	operators["ScatterElements"] = func(n node, in []*Tensor) (*Tensor, error) {
		y := duplicate(in[0])
		each(in[1].Shape, func(i int, c []int) { y.join(n, element(n, in, i, c), in[2], i) })
		return y, nil
	}
	operators["GatherND"] = func(n node, in []*Tensor) (*Tensor, error) {
		x, indices, batch := in[0], in[1], int(n.int("batch_dims", 0))
		r := len(indices.Shape) - 1
		rest := x.Shape[batch+indices.Shape[r]:]
		y := newLike(x, slices.Concat(indices.Shape[:r], rest))
		each(indices.Shape[:r], func(i int, c []int) {
			for j := range size(rest) {
				y.move(i*size(rest)+j, x, tuple(x, indices, i, c[:batch])*size(rest)+j)
			}
		})
		return y, nil
	}
	operators["ScatterND"] = func(n node, in []*Tensor) (*Tensor, error) {
		y, indices := duplicate(in[0]), in[1]
		r := len(indices.Shape) - 1
		rest := size(y.Shape[indices.Shape[r]:])
		each(indices.Shape[:r], func(i int, c []int) {
			for j := range rest {
				y.join(n, tuple(y, indices, i, nil)*rest+j, in[2], i*rest+j)
			}
		})
		return y, nil
	}
	operators["OneHot"] = oneHot
	operators["TopK"] = func(n node, in []*Tensor) (*Tensor, error) {
		y, places := topK(n, in)
		return []*Tensor{y, places}[n.result], nil
	}
}

func duplicate(x *Tensor) *Tensor {
	return &Tensor{DType: x.DType, Shape: x.Shape, V: slices.Clone(x.V), E: slices.Clone(x.E), I: slices.Clone(x.I)}
}

// element returns which element of in[0] index i, at c, stands for.
func element(n node, in []*Tensor, i int, c []int) int {
	x := in[0].Shape
	axis := n.axis(0, len(x))
	at := 0
	for k, d := range x {
		j := c[k]
		if k == axis {
			j = (int(in[1].I[i]) + d) % d
		}
		at = at*d + j
	}
	return at
}

// tuple returns which piece of x tuple i of indices, behind the coordinates of the batch, stands for.
func tuple(x, indices *Tensor, i int, batch []int) int {
	at, k := 0, indices.Shape[len(indices.Shape)-1]
	for j, b := range batch {
		at = at*x.Shape[j] + b
	}
	for j := range k {
		d := x.Shape[len(batch)+j]
		at = at*d + (int(indices.I[i*k+j])+d)%d
	}
	return at
}

// join joins element j of x with element i of t as a reduction says.
func (t *Tensor) join(n node, i int, x *Tensor, j int) {
	how := n.text("reduction", "none")
	if x.V == nil {
		t.I[i] = map[string]func(a, b int64) int64{
			"none": func(_, b int64) int64 { return b },
			"add":  func(a, b int64) int64 { return a + b },
			"mul":  func(a, b int64) int64 { return a * b },
			"max":  func(a, b int64) int64 { return max(a, b) },
			"min":  func(a, b int64) int64 { return min(a, b) },
		}[how](t.I[i], x.I[j])
		return
	}
	a, b, ea, eb := t.V[i], x.V[j], t.E[i], x.E[j]
	switch how {
	case "none":
		t.move(i, x, j)
	case "add":
		t.set(i, a+b, ea+eb)
	case "mul":
		t.set(i, a*b, math.Abs(a)*eb+math.Abs(b)*ea+ea*eb)
	case "max":
		t.V[i], t.E[i] = max(a, b), max(ea, eb)
	case "min":
		t.V[i], t.E[i] = min(a, b), max(ea, eb)
	}
}

func oneHot(n node, in []*Tensor) (*Tensor, error) {
	number := func(t *Tensor, i int) int {
		if t.V != nil {
			return int(t.V[i])
		}
		return int(t.I[i])
	}
	x, depth, values := in[0], number(in[1], 0), in[2]
	axis := n.axis(-1, len(x.Shape)+1)
	y := newLike(values, slices.Insert(slices.Clone(x.Shape), axis, depth))
	each(y.Shape, func(i int, c []int) {
		at := number(x, index(slices.Delete(slices.Clone(c), axis, axis+1), x.Shape))
		y.move(i, values, 0)
		if at == c[axis] || at+depth == c[axis] && n.opset >= 11 {
			y.move(i, values, 1)
		}
	})
	return y, nil
}

func topK(n node, in []*Tensor) (values, places *Tensor) {
	x := in[0]
	k := int(n.int("k", 0))
	if n.opset >= 10 {
		k = int(in[1].I[0])
	}
	axis := n.axis(-1, len(x.Shape))
	shape := slices.Clone(x.Shape)
	shape[axis] = k
	values, places = newLike(x, shape), &Tensor{Shape: shape, I: make([]int64, size(shape))}
	each(shape, func(i int, c []int) {
		// element c[axis] of the order: it has as many before it
		at := func(p int) int {
			c := slices.Clone(c)
			c[axis] = p
			return index(c, x.Shape)
		}
		value := func(p int) float64 {
			v := 0.0
			if x.V != nil {
				v = x.V[at(p)]
			} else {
				v = float64(x.I[at(p)])
			}
			if n.int("largest", 1) == 0 {
				v = -v
			}
			return v
		}
		for p := range x.Shape[axis] {
			before := 0
			for q := range x.Shape[axis] {
				if value(q) > value(p) || value(q) == value(p) && q < p {
					before++
				}
			}
			if before == c[axis] {
				values.move(i, x, at(p))
				places.I[i] = int64(p)
			}
		}
	})
	return values, places
}
