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
	ArenaBytes int64 // of all intermediate tensors of a plan
}

// ErrLimit is wrapped by the errors of plans that ask for more than their limits allow.
var ErrLimit = errors.New("above the limit")

// Check returns an error unless a tensor of type t is within the limits. The product is taken over
// max(d, 1), so that a zero cannot hide dimensions whose products overflow elsewhere.
func (l Limits) Check(t Type) error {
	if t.DType != Float32 && t.DType != Int64 {
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
