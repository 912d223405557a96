package plan

import (
	"errors"
	"fmt"
)

// MaxRank is the largest rank of a tensor.
const MaxRank = 16

// Limits bounds what a plan may ask for. All fields must be above zero.
type Limits struct {
	Elements   int64 // of any one tensor
	ArenaBytes int64 // of all intermediate tensors of a plan, and of copies of its results
}

// ErrLimit is wrapped by the errors of plans that ask for more than their limits allow.
var ErrLimit = errors.New("above the limit")

// Check returns an error unless a tensor of type t is within the limits. The product is taken over
// max(d, 1), so that a zero cannot hide dimensions whose products overflow elsewhere.
func (l Limits) Check(t Type) error {
	if t.DType < Float32 || t.DType > Bool {
		return fmt.Errorf("element type %v is not supported", t.DType)
	}
	if len(t.Shape) > MaxRank {
		return fmt.Errorf("rank %d is %w, %d", len(t.Shape), ErrLimit, MaxRank)
	}
	n := int64(1)
	for _, d := range t.Shape {
		if d < 0 {
			return fmt.Errorf("shape %v has a negative dimension", t.Shape)
		}
		if d := int64(max(d, 1)); n > l.Elements/d {
			return fmt.Errorf("a tensor of shape %s is %w of %d elements", ShapeString(t.Shape), ErrLimit, l.Elements)
		} else {
			n *= d
		}
	}
	return nil
}

// CheckCopies returns an error unless copies of all ts are within the limits together. Views share
// memory, their copies do not.
func (l Limits) CheckCopies(ts []*Tensor) error {
	total := int64(0)
	for _, t := range ts {
		if total += int64(t.Count()) * int64(t.DType.Size()); total > l.ArenaBytes {
			return fmt.Errorf("the outputs take more than %d MiB together, which is %w", l.ArenaBytes>>20, ErrLimit)
		}
	}
	return nil
}
