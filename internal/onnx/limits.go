package onnx

// Limits bounds what a file may ask for. A field that is zero has its value of
// [DefaultLimits].
type Limits struct {
	FileBytes  int64 // length of the file, with what it keeps in others
	Memory     int64 // bytes that Prepare allocates in all, the file itself not counted
	Messages   int   // protobuf messages of any type
	Nodes      int   // nodes of the graph
	NodeValues int   // inputs and outputs of one node together
	Edges      int   // inputs times outputs, summed over the nodes: what onnx-go will make
	Values     int   // inputs and outputs of the graph together
	Elements   int64 // of all weights together, and of one declared shape
}

// DefaultLimits returns limits that every generator we know of stays far below,
// and within which any file costs less than 256 MiB beyond its own length.
func DefaultLimits() Limits {
	return Limits{
		FileBytes:  512 << 20,
		Memory:     192 << 20,
		Messages:   1 << 20,
		Nodes:      1 << 15,
		NodeValues: 1024,
		Edges:      1 << 18,
		Values:     1024,
		Elements:   128 << 20,
	}
}

// withDefaults fills the fields that are zero.
func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	fill := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	fill64 := func(p *int64, v int64) {
		if *p == 0 {
			*p = v
		}
	}
	fill64(&l.FileBytes, d.FileBytes)
	fill64(&l.Memory, d.Memory)
	fill(&l.Messages, d.Messages)
	fill(&l.Nodes, d.Nodes)
	fill(&l.NodeValues, d.NodeValues)
	fill(&l.Edges, d.Edges)
	fill(&l.Values, d.Values)
	fill64(&l.Elements, d.Elements)
	return l
}

// budget counts down the bytes that may still be allocated.
type budget struct{ left, limit int64 }

// has books n bytes and says whether they may be allocated.
func (b *budget) has(n int64) bool {
	if n > b.left {
		return false
	}
	b.left -= n
	return true
}

// take books n bytes for the thing that where names.
func (b *budget) take(n int64, where string) error {
	if !b.has(n) {
		return memoryError(where, b)
	}
	return nil
}

func memoryError(where string, b *budget) error {
	return formatError(where, "the file takes more memory to decode than is allowed", "at most %d bytes (Limits.Memory)", b.limit)
}
