package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cifar is a file of n records; record i has label i mod 10 and pixels from first+i.
func cifar(n, first int) []byte {
	var b []byte
	for i := range n {
		b = append(b, byte(i%10))
		for k := range cifarImage {
			b = append(b, byte(first+i+k/7))
		}
	}
	return b
}

func cifarDir(t testing.TB) map[string][]byte {
	files := map[string][]byte{"test_batch.bin": cifar(2, 100), "batches.meta.txt": nil}
	for i := range 5 {
		files[fmt.Sprintf("data_batch_%d.bin", i+1)] = cifar(3, 10*i)
	}
	return files
}

func TestCIFAR(t *testing.T) {
	dir := folder(t, cifarDir(t))
	d := mustOpen(t, dir, Options{})
	if s := fmt.Sprint(d.Name(), d.Len(), d.Shape(), d.Label(14), d.Report().Classes[2]); s != "faces15 [3 32 32] 2bird" {
		t.Errorf("got %s", s)
	}
	if got, want := pixels(t, d, 14), cifar(3, 40)[2*cifarRecord+1:]; !bytes.Equal(got, want) {
		t.Error("other pixels")
	}
	one := mustOpen(t, filepath.Join(dir, "test_batch.bin"), Options{Mirror: true})
	if s := fmt.Sprint(one.Name(), one.Len(), one.Report().Kind); s != "test_batch4CIFAR-10" {
		t.Errorf("got %s", s)
	}

	small := mustOpen(t, dir, Options{Resize: 8, Shape: []int{1, 8, 8}})
	if s := fmt.Sprint(small.Len(), small.Shape(), small.Label(13), small.Report().Classes[1]); s != "15 [1 8 8] 1automobile" {
		t.Errorf("got %s", s)
	}
	want := make([]byte, 3*64)
	for p := range 3 {
		copy(want[p*64:], scaled(cifar(3, 40)[2*cifarRecord+1+p*1024:][:1024], 32, 8))
	}
	grey := make([]byte, 64)
	convert(grey, want, 1, 3)
	if !bytes.Equal(pixels(t, small, 14), grey) {
		t.Error("resized: other pixels")
	}
	if same := mustOpen(t, dir, Options{Resize: 32}); same.Digest() != d.Digest() {
		t.Error("resized to its own size: other pixels")
	}
}

func TestCIFARErrors(t *testing.T) {
	bad := cifar(3, 0)
	bad[cifarRecord] = 10
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"data_batch_4.bin", nil, "data_batch_4.bin: 0 bytes, want a positive multiple of 3073"},
		{"data_batch_2.bin", cifar(1, 0)[:3072], "data_batch_2.bin: 3072 bytes, want a positive multiple of 3073"},
		{"data_batch_2.bin", append(cifar(1, 0), 0), "3074 bytes"},
		{"data_batch_5.bin", bad, "data_batch_5.bin: record 1 has label 10, want 0 to 9"},
	} {
		files := cifarDir(t)
		files[c.name] = c.file
		if d, err := open(t, folder(t, files), Options{}); err == nil || d != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, %v; want an error with %q", d, err, c.want)
		}
	}
	files := cifarDir(t)
	delete(files, "data_batch_3.bin")
	if _, err := open(t, folder(t, files), Options{}); err == nil || !strings.Contains(err.Error(), "data_batch_3.bin") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file is missing: got %v", err)
	}
	if _, err := open(t, folder(t, cifarDir(t)), Options{Resize: 5000}); err == nil || !strings.Contains(err.Error(), "want 1 to 1024") {
		t.Errorf("too large: got %v", err)
	}
}

func FuzzCIFAR(f *testing.F) {
	f.Add(cifar(2, 0), int64(0))
	f.Add(cifar(1, 0)[:100], int64(cifarRecord-100))
	f.Add([]byte{}, int64(0))
	f.Fuzz(func(t *testing.T, b []byte, more int64) {
		size := int64(len(b)) + more%(1<<40) // what the file system says
		p, l, err := readCIFAR(nil, nil, "fuzz", size, bytes.NewReader(b))
		if err != nil {
			if p != nil || l != nil {
				t.Errorf("pixels came with the error %v", err)
			}
			return
		}
		if len(l) != len(b)/cifarRecord || len(p) != len(l)*cifarImage {
			t.Errorf("%d labels and %d pixels of %d bytes", len(l), len(p), len(b))
		}
	})
}
