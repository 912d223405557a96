package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/pflag"

	"gantry/infer"
	"gantry/internal/atomicfile"
	"gantry/internal/bundle"
)

var packCommand = command{"pack", `Usage: ganinfer pack --model g.onnx -o PROGRAM

Makes one program that holds the model: a ganinfer in which every command has
that model unless another is named, and sample is the command where none is.
It needs no other file. For another system or processor it is made from a
ganinfer-OS-ARCH beside this program (ganinfer-windows-amd64.exe), or, in
Gantry's source and with Go installed, from one that is built for it.

Examples:
    ganinfer pack --model g.onnx -o mygan    ./mygan --seeds 0-9 --grid x.png
    ganinfer pack g.onnx -o mygan --os linux
    ganinfer pack g.onnx --out mygan
`, packFlags}

func packFlags(fs *pflag.FlagSet) action {
	var m modelFlags
	out := fs.StringP("out", "o", "", "the program to make, a `file`")
	system := fs.String("os", runtime.GOOS, "its operating system: linux, darwin, windows")
	arch := fs.String("arch", runtime.GOARCH, "its processor: amd64, arm64")
	m.bindFile(fs)
	m.limits.bind(fs)
	return func(_ context.Context, args []string, std streams) error {
		switch {
		case *out == "" || *out == "-":
			return misusef("name the program to make: -o mygan", "--out is missing")
		case *system == "" || *arch == "" || strings.ContainsAny(*system+*arch, `/\.`):
			return misusef("for example --os linux --arch arm64", "--os %s --arch %s: there is no such platform", *system, *arch)
		}
		file, err := m.file(args)
		if err != nil {
			return err
		}
		if file == "" {
			return misusef("say which file: --model g.onnx", "--model is missing")
		}
		o, err := m.options()
		if err != nil {
			return err
		}
		if _, err := m.load(args); err != nil { // one that cannot run is not packed
			return err
		}
		model, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if _, err := infer.LoadBytes(model, o); err != nil {
			return &hinted{fmt.Errorf("%s: %w", file, err), "a packed model is one file, with all weights in it"}
		}
		program, err := programFor(*system, *arch)
		if err != nil {
			return err
		}
		if !bundle.Reads(program) {
			return fmt.Errorf("the program for %s/%s is no ganinfer that can hold a model", *system, *arch)
		}
		if bytes.Contains(program[:min(len(program), 1<<12)], []byte("/ld-")) { // what loads a dynamic program is named in its first page
			fmt.Fprintf(std.err, "ganinfer: warning: %s will need this system's C library; a ganinfer built with CGO_ENABLED=0 makes one that needs nothing\n", *out)
		}
		return atomicfile.WriteFileChecked(*out,
			func(w io.Writer) error { return bundle.Write(named{w, *out}, bytes.NewReader(program), model) },
			func(name string) error {
				st, err := os.Stat(name)
				if err != nil {
					return err
				}
				return os.Chmod(name, st.Mode()|st.Mode()&0o444>>2) // who may read it may run it
			})
	}
}

// programFor returns a ganinfer without a model for a platform.
func programFor(system, arch string) ([]byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if system == runtime.GOOS && arch == runtime.GOARCH {
		return programAt(self)
	}
	name := "ganinfer-" + system + "-" + arch
	if system == "windows" {
		name += ".exe"
	}
	beside := filepath.Join(filepath.Dir(self), name)
	program, err := programAt(beside)
	if !errors.Is(err, os.ErrNotExist) {
		return program, err
	}
	dir, err := os.MkdirTemp("", "ganinfer")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	built := filepath.Join(dir, name)
	if err := build(built, system, arch); err != nil {
		return nil, &hinted{fmt.Errorf("there is no %s, and building it failed: %w", beside, err),
			fmt.Sprintf("in Gantry's source: GOOS=%s GOARCH=%s CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o %s ./cmd/ganinfer", system, arch, beside)}
	}
	return programAt(built)
}

// programAt returns the program in a file, without the model that it may hold.
func programAt(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := bundle.Find(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if f != nil {
		b = b[:f.At]
	}
	return b, nil
}

// build builds ganinfer from the module in which the program runs.
func build(path, system, arch string) error {
	tool := "go"
	if runtime.GOOS == "windows" {
		tool += ".exe"
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if st, err := os.Stat(filepath.Join(dir, tool)); err == nil && st.Mode().IsRegular() && filepath.IsAbs(dir) {
			tool = filepath.Join(dir, tool)
			break
		}
	}
	if !filepath.IsAbs(tool) {
		return errors.New("there is no Go in PATH")
	}
	p, err := os.StartProcess(tool, []string{tool, "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "gantry/cmd/ganinfer"}, &os.ProcAttr{
		Env:   append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0"),
		Files: []*os.File{nil, nil, os.Stderr},
	})
	if err != nil {
		return err
	}
	st, err := p.Wait()
	if err == nil && !st.Success() {
		err = errors.New("go build: " + st.String())
	}
	return err
}

// packed returns the model that this program holds, or nil if it holds none.
func packed() (*bundle.File, error) {
	path := self()
	f, err := os.Open(path)
	if err != nil {
		return nil, nil // a program that cannot be read says nothing of a model
	}
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b, err := bundle.Find(f, st.Size()) // which reads from f as long as the process lives
	if err != nil {
		return nil, damaged(path, err)
	}
	return b, nil
}

// lost returns an error if this program held a model whose end is missing.
func lost() error {
	path := self()
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	st, err := f.Stat()
	if err == nil {
		err = bundle.Lost(f, st.Size())
	}
	return damaged(path, err)
}

func damaged(path string, err error) error {
	if err == nil {
		return nil
	}
	return &hinted{fmt.Errorf("%s: its model: %w", path, err), "copy the program again, or pack it again"}
}

// self names this program's file: where the system does not know (no /proc), it is what was called.
func self() string {
	path, _ := os.Executable()
	return cmp.Or(path, os.Args[0])
}
