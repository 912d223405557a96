package onnx

// Raw is the type of every bytes field of the bindings. Decoding makes it a
// slice of the file instead of a copy, so that reading a model costs no second
// copy of its weights; the file must not be changed while a Raw of it is used.
//
// The methods are those that the generated code calls.
type Raw []byte

// Size returns the encoded length in bytes.
func (r Raw) Size() int { return len(r) }

// Marshal returns the bytes themselves.
func (r Raw) Marshal() ([]byte, error) { return r, nil }

// MarshalTo copies the bytes into dst, which is at least Size bytes long.
func (r Raw) MarshalTo(dst []byte) (int, error) { return copy(dst, r), nil }

// Unmarshal makes r an alias of data. Its capacity ends where data ends, so an
// append cannot reach the rest of the file.
func (r *Raw) Unmarshal(data []byte) error {
	*r = data[:len(data):len(data)]
	return nil
}
