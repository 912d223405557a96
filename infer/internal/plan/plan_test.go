package plan

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestLimitsCheck(t *testing.T) {
	lim := Limits{Elements: 1000, ArenaBytes: 1}
	for _, c := range []struct {
		shape []int
		limit bool // the error wraps ErrLimit
		ok    bool
	}{
		{[]int{}, false, true},
		{[]int{10, 100}, false, true},
		{[]int{0, 1000}, false, true},
		{[]int{10, 101}, true, false},
		{[]int{0, 1001}, true, false},
		{[]int{1 << 62, 1 << 62}, true, false},
		{[]int{1 << 32, 1 << 32}, true, false},
		{[]int{0, 1 << 62, 1 << 62}, true, false},
		{[]int{-1}, false, false},
		{make([]int, MaxRank+1), true, false},
	} {
		err := lim.Check(Type{Float32, c.shape})
		if (err == nil) != c.ok || errors.Is(err, ErrLimit) != c.limit {
			t.Errorf("%v: got %v", c.shape, err)
		}
	}
	if lim.Check(Type{0, nil}) == nil {
		t.Error("no dtype: no error")
	}
}

func TestBroadcast(t *testing.T) {
	for _, c := range []struct{ a, b, want []int }{
		{[]int{2, 3}, []int{3}, []int{2, 3}},
		{[]int{}, []int{4}, []int{4}},
		{[]int{2, 1}, []int{1, 5}, []int{2, 5}},
		{[]int{1}, []int{0}, []int{0}},
		{[]int{0, 3}, []int{1, 3}, []int{0, 3}},
		{[]int{2}, []int{3}, nil},
		{[]int{0}, []int{3}, nil},
	} {
		for range 2 {
			got, err := Broadcast(c.a, c.b)
			if (err != nil) != (c.want == nil) || !slices.Equal(got, c.want) {
				t.Errorf("%v and %v: got %v, %v, want %v", c.a, c.b, got, err, c.want)
			}
			c.a, c.b = c.b, c.a
		}
	}
}

func TestAxis(t *testing.T) {
	for _, c := range []struct {
		axis       int64
		rank, want int
	}{{0, 2, 0}, {1, 2, 1}, {-1, 2, 1}, {-2, 2, 0}, {2, 2, -1}, {-3, 2, -1}, {0, 0, -1}, {-1 << 63, 2, -1}, {1<<63 - 1, 2, -1}} {
		got, err := Axis(c.axis, c.rank)
		if (err != nil) != (c.want < 0) || err == nil && got != c.want {
			t.Errorf("axis %d of rank %d: got %d, %v, want %d", c.axis, c.rank, got, err, c.want)
		}
	}
}

func TestDecl(t *testing.T) {
	attrs := map[string]any{"i": int64(2), "f": float32(0.5), "b": int64(2), "extra": "x"}
	d := &Decl{Attrs: attrs}
	if d.Int("i", 7) != 2 || d.Int("missing", 7) != 7 || d.Float("f", 1) != 0.5 {
		t.Error("an attribute has another value")
	}
	if err := d.close(); err == nil || !strings.Contains(err.Error(), `"b" is not known`) {
		t.Errorf("got %v, want the first unread attribute", err)
	}
	d.Bool("b", false)
	if err := d.close(); err == nil || !strings.Contains(err.Error(), "attribute b is 2, want 0 or 1") {
		t.Errorf("got %v", err)
	}
	d = &Decl{Attrs: attrs}
	if d.Choice("missing", "y", "x") != "y" || d.Choice("extra", "y", "x") != "x" || d.err != nil {
		t.Errorf("got %v, want no error", d.err)
	}
	d.Choice("extra", "y", "z")
	if err := d.close(); err == nil || err.Error() != `attribute extra is "x", want one of y, z` {
		t.Errorf("got %v", err)
	}
	d = &Decl{Attrs: attrs}
	d.Float("i", 1)
	if err := d.close(); err == nil || !strings.Contains(err.Error(), "attribute i is int64, want float32") {
		t.Errorf("got %v", err)
	}
}

func TestGraphCheck(t *testing.T) {
	graph := func(nodes ...Node) *Graph {
		return &Graph{Values: []Value{{Name: "x"}, {Name: "y"}, {Name: "z"}}, Inputs: []int{0}, Outputs: []int{1}, Nodes: nodes}
	}
	for _, c := range []struct {
		g    *Graph
		want string
	}{
		{graph(Node{Kind: "Relu", In: []int{0, Absent}, Out: []int{1}}), ""},
		{graph(), `output "y" is never computed`},
		{graph(Node{Kind: "Relu", In: []int{2}, Out: []int{1}}), `node 0 (Relu): input "z" is not computed before it`},
		{graph(Node{Kind: "Relu", In: []int{0}, Out: []int{0}}), `node 0 (Relu): value "x" is defined twice`},
	} {
		err := c.g.Check()
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// stopper is an Op that cancels a context while it is planned.
type stopper struct{ cancel context.CancelFunc }

func (s stopper) Infer(in []*Arg) (Result, error) {
	s.cancel()
	return Result{Out: []Type{in[0].Type}}, nil
}

func (stopper) Run(*Context, []*Tensor, []*Tensor) error { return nil }

// TestCompileStops: planning may compute much that is known, so it looks at the context before each node.
func TestCompileStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	op := stopper{cancel}
	g := &Graph{Values: make([]Value, 3), Inputs: []int{0}, Outputs: []int{2}, Nodes: []Node{{Op: op, In: []int{0}, Out: []int{1}}, {Op: op, In: []int{1}, Out: []int{2}}}}
	if _, err := Compile(ctx, g, []*Arg{{Type: Type{DType: Float32}}}, Limits{1, 1 << 10}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
