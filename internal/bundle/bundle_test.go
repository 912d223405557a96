package bundle

import (
	"bytes"
	"strings"
	"testing"
)

func bundled(t testing.TB, program, file string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, strings.NewReader(program), []byte(file)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func find(b []byte) (*File, error) { return Find(bytes.NewReader(b), int64(len(b))) }

// TestBytes holds the format, as Python's zlib.crc32 and struct write it: a change of it needs another magic.
func TestBytes(t *testing.T) {
	const record = "\x00gantry\x01\x05\x00\x00\x00\x00\x00\x00\x00\xd9r\x95\xd7\xe5^\x16\xa8"
	if got := string(bundled(t, "program", "model")); got != "program"+record+"model"+record {
		t.Errorf("got %q", got)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, program := range []string{"", "program", strings.Repeat("x", 5000) + string(magic) + "not a record" + string(magic)} {
		if f, err := find([]byte(program)); f != nil || err != nil || Lost(strings.NewReader(program), int64(len(program))) != nil {
			t.Errorf("a program without a file: got %v, %v", f, err)
		}
		for _, file := range []string{"", "model", strings.Repeat(string(magic), 100)} {
			f, err := find(bundled(t, program, file))
			if err != nil || f.At != int64(len(program)) || f.Size != int64(len(file)) {
				t.Fatalf("got %+v, %v", f, err)
			}
			if b, err := f.Read(); err != nil || string(b) != file {
				t.Errorf("got %q, %v, want %q", b, err, file)
			}
		}
	}
}

// TestDamage cuts a program off everywhere and changes each of its bytes: the file is never read as another, and only what
// is before it may go unnoticed.
func TestDamage(t *testing.T) {
	const program, file = "program", "a model"
	whole := bundled(t, program, file)
	for n := len(program) + recordSize; n < len(whole); n++ {
		cut := whole[:n]
		f, err := find(cut)
		if err == nil && f == nil {
			err = Lost(bytes.NewReader(cut), int64(n))
		}
		if err == nil {
			t.Errorf("cut after %d of %d bytes: no error", n, len(whole))
		}
	}
	for i := len(program); i < len(whole); i++ {
		for bit := range 8 {
			b := bytes.Clone(whole)
			b[i] ^= 1 << bit
			f, err := find(b)
			if err == nil && f == nil {
				err = Lost(bytes.NewReader(b), int64(len(b)))
			} else if err == nil {
				_, err = f.Read()
			}
			if err == nil {
				t.Errorf("bit %d of byte %d is another: no error", bit, i)
			}
		}
	}
	if err := Lost(bytes.NewReader(whole[:len(whole)-recordSize-2]), int64(len(whole)-recordSize-2)); err == nil || !strings.Contains(err.Error(), "a file of 7 bytes begins there, but only 5 bytes follow") {
		t.Errorf("got %v", err)
	}
	huge := append([]byte("x"), record(1<<63, 0)...)
	huge = append(huge, record(1<<63, 0)...)
	if _, err := find(huge); err == nil || !strings.Contains(err.Error(), "speaks of 9223372036854775808 bytes, want at most 1") {
		t.Errorf("got %v", err)
	}
}

func FuzzFind(f *testing.F) {
	f.Add(bundled(f, "program", "model"))
	f.Add(magic)
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := find(b)
		if (err != nil) && found != nil {
			t.Fatal("a file and an error")
		}
		if found == nil {
			Lost(bytes.NewReader(b), int64(len(b)))
			return
		}
		if file, err := found.Read(); err == nil && !bytes.Equal(bundled(t, string(b[:found.At]), string(file)), b) {
			t.Errorf("%q is read as %q behind %q, which is written otherwise", b, file, b[:found.At])
		}
	})
}
