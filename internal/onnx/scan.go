package onnx

import "strconv"

// grown bounds what a slice that is appended to element by element allocates in
// all, in elements for each element it ends with: append grows by a quarter.
const grown = 7

// A scanner walks the wire format of a file.
type scanner struct {
	file     []byte
	lim      Limits
	mem      *budget
	messages int
	nodes    int
}

// scan walks a ModelProto without allocating (but for an error) and books what
// decoding it would allocate. A file that passes is decoded by the generated
// code without an error: scan is the stricter of the two. It refuses groups,
// varints and field numbers that overflow, lengths beyond the message that holds
// them, and a singular message given twice, which decoders merge.
//
// The messages of our schema do not nest in themselves, so neither does scan.
func scan(file []byte, lim Limits, mem *budget) error {
	s := scanner{file: file, lim: lim, mem: mem}
	return s.message(modelSchema, 0, len(file))
}

// message walks file[at:end], the body of a message of type m.
func (s *scanner) message(m *messageSchema, at, end int) error {
	if s.messages++; s.messages > s.lim.Messages {
		return s.errorf(m, at, "too many messages", "at most "+strconv.Itoa(s.lim.Messages)+" (Limits.Messages)")
	}
	if m == nodeSchema {
		if s.nodes++; s.nodes > s.lim.Nodes {
			return s.errorf(m, at, "too many nodes", "at most "+strconv.Itoa(s.lim.Nodes)+" (Limits.Nodes)")
		}
	}
	if !s.mem.has(m.size + m.size/8) {
		return s.tooLarge(m, at)
	}
	var (
		seen  uint32               // bit per field number
		count [len(m.fields)]int64 // elements of each list
		again [len(m.fields)]bool  // whether that list has been charged for growing
	)
	for at < end {
		start := at
		tag, next, ok := s.varint(at, end)
		if !ok {
			return s.errorf(m, start, "a bad varint", "a field tag")
		}
		at = next
		num, wire := tag>>3, wireType(tag&7)
		if num == 0 || num > 1<<29-1 {
			return s.errorf(m, start, "field number "+strconv.FormatUint(num, 10), "1 to 2^29-1")
		}
		if wire != varint && wire != fixed64 && wire != delimited && wire != fixed32 {
			return s.errorf(m, start, "wire type "+strconv.Itoa(int(wire)), "0, 1, 2 or 5: ONNX has no groups")
		}
		body, stop, ok := s.body(wire, at, end)
		if !ok {
			return s.errorf(m, start, "a field that ends beyond its message, or a number beyond 64 bits", "a complete field")
		}
		at = stop
		if num >= uint64(len(m.fields)) || m.fields[num].kind == kindSkipped {
			continue
		}
		f := &m.fields[num]
		packed := f.kind == kindList && wire == delimited
		if wire != f.wire && !packed {
			return s.errorf(m, start, "field "+strconv.FormatUint(num, 10)+" with wire type "+strconv.Itoa(int(wire)), "wire type "+strconv.Itoa(int(f.wire)))
		}
		var cost int64
		switch f.kind {
		case kindText:
			cost = 24 + int64(stop-body)*9/8
			if f.repeated {
				cost += 16 * grown
			}
		case kindBytes:
			cost = 24
			if f.repeated {
				cost *= grown
			}
		case kindList:
			n := int64(1)
			if packed {
				if n, ok = s.elements(f.wire, body, stop); !ok {
					return s.errorf(m, start, "a packed list cut within a number", "complete numbers")
				}
			}
			switch {
			case packed && count[num] == 0: // allocated at once
				cost = n*f.size*9/8 + 16
			case !again[num]:
				again[num] = true
				cost = grown*(count[num]+n)*f.size + 16
			default:
				cost = grown * n * f.size
			}
			count[num] += n
		case kindMessage:
			if bit := uint32(1) << num; f.repeated {
				cost = 8 * grown
			} else if seen&bit != 0 {
				return s.errorf(m, start, "a second "+f.message.name, "one")
			} else {
				seen |= bit
			}
		}
		if !s.mem.has(cost) {
			return s.tooLarge(m, start)
		}
		if f.kind == kindMessage {
			if err := s.message(f.message, body, stop); err != nil {
				return err
			}
		}
	}
	return nil
}

// body finds where the field at file[at:end] has its body and where it stops.
func (s *scanner) body(wire wireType, at, end int) (body, stop int, ok bool) {
	switch wire {
	case varint:
		_, next, ok := s.varint(at, end)
		return at, next, ok
	case fixed32:
		return at, at + 4, end-at >= 4
	case fixed64:
		return at, at + 8, end-at >= 8
	case delimited:
		n, next, ok := s.varint(at, end)
		if !ok || n > uint64(end-next) {
			return 0, 0, false
		}
		return next, next + int(n), true
	}
	return 0, 0, false
}

// varint reads the number at file[at:end] and returns where it ends.
func (s *scanner) varint(at, end int) (x uint64, next int, ok bool) {
	for shift := 0; shift < 64 && at < end; shift += 7 {
		b := s.file[at]
		at++
		x |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return x, at, shift < 63 || b <= 1
		}
	}
	return 0, 0, false
}

// elements counts the numbers in a packed list, and checks that the last one ends
// where the list does.
func (s *scanner) elements(wire wireType, at, end int) (n int64, ok bool) {
	switch wire {
	case fixed32:
		return int64(end-at) / 4, (end-at)%4 == 0
	case fixed64:
		return int64(end-at) / 8, (end-at)%8 == 0
	}
	for at < end {
		if s.file[at] < 0x80 { // one byte: most are
			at++
		} else if _, at, ok = s.varint(at, end); !ok {
			return 0, false
		}
		n++
	}
	return n, true
}

func (s *scanner) tooLarge(m *messageSchema, at int) error {
	return memoryError("byte "+strconv.Itoa(at)+" ("+m.name+")", s.mem)
}

// errorf makes the error for the byte at of the file, in a message of type m.
func (s *scanner) errorf(m *messageSchema, at int, seen, want string) error {
	return &FormatError{Where: "byte " + strconv.Itoa(at) + " (" + m.name + ")", Seen: seen, Want: want}
}
