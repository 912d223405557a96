package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestDCGANChannels: the networks take the channels of the data, whatever the
// preset has, unless --channels says otherwise; a resumed run keeps its own.
func TestDCGANChannels(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	writeImages(t, "grey", func(v uint8) color.Color { return color.RGBA{v, v, v, 255} })
	writeImages(t, "colour", func(v uint8) color.Color { return color.RGBA{v, 255 - v, 9, 255} })
	record := bytes.Repeat([]byte{1}, 2*(1+3*32*32))
	if err := os.WriteFile("cifar.bin", record, 0o666); err != nil {
		t.Fatal(err)
	}
	small := []string{"--nz=4", "--ngf=1", "--ndf=1", "--batch=2"}
	for args, want := range map[string]string{
		"--preset=dcgan64 --data=grey":                  "[1 64 64]",
		"--preset=dcgan64 --data=grey --channels=3":     "[3 64 64]",
		"--preset=dcgan28 --data=colour":                "[3 28 28]",
		"--preset=dcgan28 --data=colour --channels=1":   "[1 28 28]",
		"--preset=dcgan28 --data=colour --size=8":       "[3 8 8]",
		"--preset=dcgan28 --data=cifar.bin --resize=28": "[3 28 28]",
		"--preset=dcgan28 --data=cifar.bin --size=32":   "[3 32 32]",
		"--preset=dcgan64 --data=mnist --size=28":       "[1 28 28]",
		"--preset=dcgan32 --data=cifar.bin --resize=32": "[3 32 32]",
	} {
		code, stdout, stderr := call(append(append(strings.Fields(args), "-n"), small...)...)
		if code != 0 || !strings.Contains(stdout, " images of "+want+"\n") || !strings.Contains(stdout, " -> "+want) {
			t.Errorf("%s: exit %d, want %s\n%s%s", args, code, want, stdout, stderr)
		}
	}
	for args, want := range map[string]string{
		"--preset=dcgan28 --data=grey --resize=8":   "--resize 28 makes the images fit, --size 8 the networks",
		"--preset=dcgan64 --data=cifar.bin":         "--resize 64 makes the images fit, --size 32 the networks",
		"--preset=dcgan28 --data=colour --resize=9": "--resize 28 makes them fit;",
	} {
		code, _, stderr := call(append(append(strings.Fields(args), "-n"), small...)...)
		if code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, want %s\n%s", args, code, want, stderr)
		}
	}
	run := append(small, "--preset=dcgan28", "--size=8", "--data=colour", "--steps=1", "--out=run")
	if code, _, stderr := call(run...); code != 0 || !strings.Contains(stderr, "2 images of shape [3 8 8]") {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	same := append(small, "--preset=dcgan28", "--size=8", "--resume=run")
	if code, _, stderr := call(append(same, "--steps=2")...); code != 0 {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	if code, _, stderr := call(append(same, "--channels=1")...); code != 2 || !strings.Contains(stderr, "networks of other sizes") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}

// writeImages makes a folder of two images.
func writeImages(t *testing.T, dir string, of func(v uint8) color.Color) {
	t.Helper()
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		img := image.NewRGBA(image.Rect(0, 0, 8, 8))
		for k := range 64 {
			img.Set(k%8, k/8, of(uint8(k*(i+3))))
		}
		var b bytes.Buffer
		err := png.Encode(&b, img)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, strconv.Itoa(i)+".png"), b.Bytes(), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestDCGANSizes: sizes go into the networks; a resumed run takes those it has,
// and no others.
func TestDCGANSizes(t *testing.T) {
	t.Chdir(t.TempDir())
	code, stdout, stderr := call("--dry-run", "--preset=dcgan28", "--nz=7", "--ngf=3", "--ndf=2", "--batch=4")
	want := 7*6*49 + 2*6 + 6*3*16 + 2*3 + 3*16
	if code != 0 || !strings.Contains(stdout, "parameters: generator "+strconv.Itoa(want)+",") || !strings.Contains(stdout, "[2 14 14]") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	run := filepath.Join(t.TempDir(), "run")
	small := []string{"--preset=dcgan32", "--size=28", "--nz=4", "--ngf=1", "--ndf=1", "--batch=2", "--data=mnist", "--out=" + run}
	if code, _, stderr := call(append(small, "--steps=1")...); code != 0 {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"--ngf=2", "trains preset dcgan32 with networks of other sizes", 2},
		{"--preset=dcgan32", "trains preset dcgan32 with networks of other sizes", 2},
		{"--size=28 --steps=2", "", 0},
		{"--preset=dcgan32 --size=28 --nz=4 --ngf=1 --ndf=1 --steps=3", "", 0},
	} {
		if code, _, stderr := call(append([]string{"--resume=" + run}, strings.Fields(c.args)...)...); code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("--resume %s: exit %d\n%s", c.args, code, stderr)
		}
	}
}
