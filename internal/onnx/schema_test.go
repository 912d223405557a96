package onnx

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// TestSchema compares the scanner's tables with the generated bindings.
func TestSchema(t *testing.T) {
	seen := map[*messageSchema]bool{}
	var check func(m *messageSchema, typ reflect.Type)
	check = func(m *messageSchema, typ reflect.Type) {
		if seen[m] {
			return
		}
		seen[m] = true
		fields := map[int]reflect.StructField{}
		add := func(typ reflect.Type) {
			for i := range typ.NumField() {
				if tag := typ.Field(i).Tag.Get("protobuf"); tag != "" {
					num, err := strconv.Atoi(strings.Split(tag, ",")[1])
					if err != nil {
						t.Fatal(err)
					}
					fields[num] = typ.Field(i)
				}
			}
		}
		add(typ)
		if o, ok := reflect.New(typ).Interface().(interface{ XXX_OneofWrappers() []any }); ok {
			for _, w := range o.XXX_OneofWrappers() {
				add(reflect.TypeOf(w).Elem())
			}
		}
		for num := range m.fields {
			got, want := m.fields[num], fieldSchema{}
			if f, ok := fields[num]; ok {
				want = wantField(f, got.message)
				delete(fields, num)
				if want.kind == kindMessage {
					elem := f.Type
					if want.repeated {
						elem = elem.Elem()
					}
					check(got.message, elem.Elem())
				}
			}
			if got != want {
				t.Errorf("%s field %d: got %+v, want %+v", m.name, num, got, want)
			}
		}
		for num := range fields {
			t.Errorf("%s field %d is in the bindings only", m.name, num)
		}
		if m.size < int64(typ.Size()) {
			t.Errorf("%s: size %d, want at least %d", m.name, m.size, typ.Size())
		}
	}
	check(modelSchema, reflect.TypeOf(ModelProto{}))
	if len(seen) != 12 {
		t.Errorf("compared %d messages, want 12", len(seen))
	}
	if bits := unsafe.Sizeof(uint32(0)) * 8; len(modelSchema.fields) > int(bits) {
		t.Errorf("%d fields do not fit into the scanner's %d bits", len(modelSchema.fields), bits)
	}
}

// wantField derives a field's schema from the struct tag of its binding.
func wantField(f reflect.StructField, m *messageSchema) fieldSchema {
	tag := strings.Split(f.Tag.Get("protobuf"), ",")
	want := fieldSchema{repeated: tag[2] == "rep"}
	want.wire = map[string]wireType{"varint": varint, "fixed32": fixed32, "fixed64": fixed64, "bytes": delimited}[tag[0]]
	switch elem := f.Type; {
	case want.wire != delimited && want.repeated:
		want.kind, want.size = kindList, int64(elem.Elem().Size())
	case want.wire != delimited:
		want.kind = kindNumber
	case strings.Contains(f.Tag.Get("protobuf"), "customtype=Raw"):
		want.kind = kindBytes
	case elem.Kind() == reflect.String || want.repeated && elem.Elem().Kind() == reflect.String:
		want.kind = kindText
	default:
		want.kind, want.message = kindMessage, m
	}
	return want
}

// TestGenerated runs the generator and compares.
func TestGenerated(t *testing.T) {
	for _, tool := range []string{"protoc", "sh", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: cannot generate onnx.pb.go to compare", tool)
		}
	}
	dir := t.TempDir()
	if out, err := exec.Command("sh", "generate.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := os.ReadFile("onnx.pb.go")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(dir, "onnx.pb.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("onnx.pb.go is not what onnx.proto gives: run go generate ./internal/onnx")
	}
}

func TestScanAllocatesNothing(t *testing.T) {
	name := "v"
	m := &ModelProto{Graph: &GraphProto{Node: []*NodeProto{{Input: []string{name, name}, Attribute: []*AttributeProto{{Ints: []int64{1, 2, 3}}}}}}}
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	lim := DefaultLimits()
	mem := budget{lim.Memory, lim.Memory}
	if n := testing.AllocsPerRun(100, func() {
		if err := scan(file, lim, &mem); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
