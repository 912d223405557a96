package rng

import "testing"

// TestPhilox compares with the known-answer tests of Random123 1.14, file
// tests/kat_vectors, lines "philox4x32 10".
func TestPhilox(t *testing.T) {
	for _, tt := range []struct {
		ctr  [4]uint32
		key  [2]uint32
		want [4]uint32
	}{
		{want: [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{
			ctr:  [4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
			key:  [2]uint32{0xffffffff, 0xffffffff},
			want: [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		},
		{
			ctr:  [4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
			key:  [2]uint32{0xa4093822, 0x299f31d0},
			want: [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		if got := Philox(tt.ctr, tt.key); got != tt.want {
			t.Errorf("Philox(%08x, %08x) = %08x, want %08x", tt.ctr, tt.key, got, tt.want)
		}
	}
}

func TestBlockAddress(t *testing.T) {
	got := Block(0x299f31d0a4093822, Stream(0x44), 0x037073, 0x85a308d3243f6a88, 0x13198a2e)
	if want := [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}; got != want {
		t.Errorf("got %08x, want %08x", got, want)
	}
	for _, f := range []func(){
		func() { Block(0, 256, 0, 0, 0) },
		func() { Block(0, 0, MaxSub+1, 0, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic for an address outside its range")
				}
			}()
			f()
		}()
	}
}

// TestBlocksDistinct checks that each part of an address changes the block.
func TestBlocksDistinct(t *testing.T) {
	seen := map[[4]uint32]string{}
	add := func(name string, b [4]uint32) {
		if other, ok := seen[b]; ok {
			t.Errorf("%s and %s give the same block", name, other)
		}
		seen[b] = name
	}
	add("zero", Block(0, 0, 0, 0, 0))
	for bit := range 64 {
		add("seed", Block(1<<bit, 0, 0, 0, 0))
		add("index", Block(0, 0, 0, 1<<bit, 0))
		if bit < 32 {
			add("block", Block(0, 0, 0, 0, 1<<bit))
		}
		if bit < 24 {
			add("sub", Block(0, 0, 1<<bit, 0, 0))
		}
		if bit < 8 {
			add("stream", Block(0, 1<<bit, 0, 0, 0))
		}
	}
}

func BenchmarkPhilox(b *testing.B) {
	b.SetBytes(16)
	var c [4]uint32
	for b.Loop() {
		c = Philox(c, [2]uint32{1, 2})
	}
}

func TestPair(t *testing.T) {
	for _, block := range []uint32{0, 1, 1<<32 - 2} {
		got := pair(1<<40+5, tag(Dropout, 77), 1<<50+9, block)
		a, b := Block(1<<40+5, Dropout, 77, 1<<50+9, block), Block(1<<40+5, Dropout, 77, 1<<50+9, block+1)
		if [4]uint32(got[:4]) != a || [4]uint32(got[4:]) != b {
			t.Errorf("pair at block %d = %08x, want %08x %08x", block, got, a, b)
		}
	}
}
