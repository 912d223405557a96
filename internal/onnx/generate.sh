#!/bin/sh
# Writes onnx.pb.go from onnx.proto into the folder $1 (default: here). It needs
# protoc; the plugin is built from the module that go.mod pins.
set -e
gogo=$(go list -m -f '{{.Dir}}' github.com/gogo/protobuf)
bin=$(mktemp -d)
trap 'rm -r "$bin"' EXIT
go build -o "$bin/protoc-gen-gogofaster" github.com/gogo/protobuf/protoc-gen-gogofaster
PATH=$bin:$PATH protoc -I . -I "$gogo" -I "$gogo/protobuf" --gogofaster_out=paths=source_relative:"${1:-.}" onnx.proto
# Calls of two small functions are not worth a copy each: 16 KB of every program.
# Without a registry, which nobody asks, methods that nobody calls are left out: 32 KB.
awk '/^func init\(\)/ { skip = 1 }
	/^func (sov|encodeVarint)Onnx/ { print "//go:noinline" }
	!skip { print }
	/}$/ { skip = 0 }' "${1:-.}/onnx.pb.go" | gofmt >"$bin/onnx.pb.go"
cp "$bin/onnx.pb.go" "${1:-.}/onnx.pb.go"
