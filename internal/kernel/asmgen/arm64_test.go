package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// TestWords decodes every instruction that stands as a number in the assembly
// for arm64, and compares it with the comment beside it.
func TestWords(t *testing.T) {
	names, err := filepath.Glob("../*_arm64.s")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^.*\bWORD\b.*$`)
	word := regexp.MustCompile(`^\tWORD \$0x([0-9a-f]{8}) // ((\w+) .*)$`)
	seen := map[string]int{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range line.FindAllString(string(text), -1) {
			m := word.FindStringSubmatch(l)
			if m == nil {
				t.Errorf("%s: %q is not a word with its text", name, l)
				continue
			}
			seen[m[3]]++
			code, err := strconv.ParseUint(m[1], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			inst, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, uint32(code)))
			if err != nil {
				t.Errorf("%s: %q: %v", name, l, err)
			} else if got := arm64asm.GNUSyntax(inst); got != m[2] {
				t.Errorf("%s: %08x is %q, and the comment says %q", name, code, got, m[2])
			}
		}
	}
	t.Logf("instructions: %v", seen)
	for _, name := range []string{"fmla", "fadd", "fdiv", "fsqrt", "fcmgt", "fcmlt", "fcmeq", "ucvtf"} {
		if seen[name] == 0 {
			t.Errorf("no %s in %v: is this test looking at the right files?", name, names)
		}
	}
}
