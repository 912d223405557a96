package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gantry/internal/kernel"
)

// Op is an operator with its attributes checked and its opset settled. It never changes: one Op
// serves any number of plans and goroutines.
type Op interface {
	// Infer returns the types of the results for the given arguments; an argument that is left out
	// is nil. It is called once for a plan, and checks everything that Run relies on.
	Infer(in []*Arg) (Result, error)

	// Run computes out from in, whose types are those that Infer saw and returned. It never writes
	// to in, and out overlaps it only as InPlacer allows. What it allocates that grows with the tensors
	// is at most Result.Extra; its errors are about elements (an index out of range).
	Run(c *Context, in, out []*Tensor) error
}

// Arg is an argument of Infer. Known is its value where that is known while planning.
type Arg struct {
	Type
	Known *Tensor
}

// Result is what Infer returns.
type Result struct {
	Out     []Type
	Scratch int  // float32 elements that Run wants in Context.Scratch
	Extra   int  // float32 elements that Run may allocate besides
	View    bool // result 0 has the elements of argument 0 in another shape: it costs nothing in a plan
	Late    bool // the results wait for a run even if the arguments are known: they follow from more than these, or take long
}

// Context is what Run may use besides its arguments.
type Context struct {
	Pool    *kernel.Pool
	Scratch []float32 // as long as Infer asked for, or longer; the contents are arbitrary
	Seed    uint64    // of random numbers
	Samples []Sample  // what the rows of a batch are; nil if that is not known

	Done <-chan struct{} // closed when nobody waits for the results any more; nil for never
}

// Stopped reports whether nobody waits for the results any more, so that a long Run may return without them.
func (c *Context) Stopped() bool {
	select {
	case <-c.Done:
		return true
	default:
		return false
	}
}

// Sample names the random numbers of one sample: sample Index of Seed.
type Sample struct{ Seed, Index uint64 }

// InPlacer is an Op whose result 0 may share memory with an argument of the same type.
type InPlacer interface {
	InPlace() []int // positions of such arguments, the best first
}

// Runner is the part of an Op that computes.
type Runner interface {
	Run(c *Context, in, out []*Tensor) error
}

// Binder is an Op that prepares itself for the shapes of a plan. What Bind returns for the types that Infer
// saw runs in the Op's place. It belongs to that plan, so it may remember things between runs.
type Binder interface {
	Bind(in []*Arg) Runner
}

// ValueReader is an Op whose Infer reads the elements of some arguments (Arg.Known).
type ValueReader interface {
	ValueArgs() []int // positions
}

// TypeReader is an Op whose Infer and Run read nothing of the arguments but their types, if FromTypes says so: its results are
// known while planning.
type TypeReader interface{ FromTypes() bool }

// fromTypes reports whether op's results follow from the types of its arguments.
func fromTypes(op Op) bool {
	t, ok := op.(TypeReader)
	return ok && t.FromTypes()
}

// Describer is an Op that can say more of itself in a plan's text than its name.
type Describer interface{ Describe() string }

// Operator is a registered operator of ONNX's default domain.
type Operator struct {
	Name         string
	MinIn, MaxIn int   // arguments; MaxIn < 0 is any number
	MaxOut       int   // results
	Since        int64 // the opset that it begins with, where that is above MinOpset
	// New checks a node's declaration and returns its Op. It reads every attribute that the
	// operator has at the opset: what it leaves unread is an error.
	New func(d *Decl) (Op, error)
}

var operators = map[string]*Operator{}

// Register adds an operator. It is called from init functions; a second operator of one name panics. Out
// of line, for the size of programs: it has many callers.
//
//go:noinline
func Register(o Operator) {
	if operators[o.Name] != nil {
		panic("plan: internal error: operator " + o.Name + " is registered twice")
	}
	operators[o.Name] = &o
}

// Operators returns the names of all operators, sorted.
func Operators() []string {
	names := make([]string, 0, len(operators))
	for n := range operators {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// The opsets that operators know, up to that of onnx 1.23. Older ones broadcast by other rules; newer ones may change a
// meaning that nobody has checked.
const (
	MinOpset = 7
	MaxOpset = 28
)

// NewOp returns the Op of a node whose operator is called kind. It cuts inputs that are left out at
// the end from d.In; the node must lose them too.
func NewOp(kind string, d *Decl) (Op, error) {
	o := operators[kind]
	if o == nil {
		return nil, Unsupported(kind, d.Opset)
	}
	n := len(d.In)
	for n > 0 && !d.In[n-1] {
		n--
	}
	d.In = d.In[:n]
	switch {
	case d.Opset < o.Since:
		return nil, fmt.Errorf("begins with opset %d", o.Since)
	case n < o.MinIn || o.MaxIn >= 0 && n > o.MaxIn:
		return nil, fmt.Errorf("has %d inputs, want %s", n, span(o.MinIn, o.MaxIn))
	case d.Outs > o.MaxOut:
		return nil, fmt.Errorf("has %d outputs, want %s", d.Outs, span(1, o.MaxOut))
	}
	for i := range n {
		if !d.In[i] && (i < o.MinIn || o.MaxIn < 0) {
			return nil, fmt.Errorf("input %d is left out", i)
		}
	}
	op, err := o.New(d)
	if err == nil {
		err = d.close()
	}
	if err != nil {
		return nil, err
	}
	return op, nil
}

func span(lo, hi int) string {
	switch {
	case hi < 0:
		return fmt.Sprintf("at least %d", lo)
	case lo == hi:
		return fmt.Sprint(lo)
	}
	return fmt.Sprintf("%d to %d", lo, hi)
}

// UnsupportedError says that a model uses an operator that does not exist here.
type UnsupportedError struct {
	Op    string
	Opset int64
	Hint  string // what would help
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("operator %s of opset %d is not supported", e.Op, e.Opset)
}

// Unsupported returns the error for an operator that is not registered.
func Unsupported(kind string, opset int64) *UnsupportedError {
	e := &UnsupportedError{Op: kind, Opset: opset}
	switch kind {
	case "If", "Loop", "Scan":
		e.Hint = "control flow has no plan: export the model with fixed conditions, or simplify the file with onnxsim"
	case "NonZero", "Compress", "Unique", "NonMaxSuppression":
		e.Hint = "the shape of its result depends on data, so it has no plan: write the model with torch.where instead of a mask as an index"
	case "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear":
		e.Hint = "export the model before it is quantized"
	default:
		e.Hint = "operators that can run: " + strings.Join(Operators(), ", ")
	}
	return e
}

// ErrUnknownValue is returned by Infer when it needs the elements of an argument that are not known
// while planning.
var ErrUnknownValue = errors.New("depends on data, so the shape of the result cannot be planned")

// KnownInts returns the elements of an int64 or int32 argument of rank 0 or 1 that is known while planning.
func KnownInts(what string, a *Arg) ([]int64, error) {
	switch {
	case a.DType != Int64 && a.DType != Int32 || len(a.Shape) > 1:
		return nil, fmt.Errorf("%s is %v, want int64 of rank 1", what, a.Type)
	case a.Known == nil:
		return nil, fmt.Errorf("%s %w", what, ErrUnknownValue)
	}
	return a.Known.I, nil
}

// WantFloats returns an error unless every given argument is float32.
func WantFloats(in []*Arg) error {
	for i, a := range in {
		if a != nil && a.DType != Float32 {
			return fmt.Errorf("input %d is %v, want float32", i, a.Type)
		}
	}
	return nil
}
