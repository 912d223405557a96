#!/bin/sh
# Writes onnx.pb.go from onnx.proto into the folder $1 (default: here). It needs
# protoc; the plugin is built from the module that go.mod pins.
set -e
gogo=$(go list -m -f '{{.Dir}}' github.com/gogo/protobuf)
bin=$(mktemp -d)
trap 'rm -r "$bin"' EXIT
go build -o "$bin/protoc-gen-gogofaster" github.com/gogo/protobuf/protoc-gen-gogofaster
PATH=$bin:$PATH protoc -I . -I "$gogo" -I "$gogo/protobuf" --gogofaster_out=paths=source_relative:"${1:-.}" onnx.proto
# 250 calls that are not worth a copy each: 16 KB of every program.
awk '/^func (sov|encodeVarint)Onnx/ { print "//go:noinline" } { print }' "${1:-.}/onnx.pb.go" >"$bin/onnx.pb.go"
cp "$bin/onnx.pb.go" "${1:-.}/onnx.pb.go"
