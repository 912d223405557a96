package mnistnet

import (
	"fmt"
	"testing"

	"gantry/infer"
	"gantry/train/dataset/mnist"
)

func TestAccuracy(t *testing.T) {
	m, err := infer.LoadBytes(ONNX, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	test, err := mnist.Test()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Accuracy(m, test)
	if err != nil {
		t.Fatal(err)
	}
	if got < 0.985 || fmt.Sprintf("%.4f", got) != m.Metadata()["test_accuracy"] {
		t.Errorf("accuracy is %v, the file says %s, want at least 0.985", got, m.Metadata()["test_accuracy"])
	}
	if len(ONNX) > 200_000 {
		t.Errorf("the file has %d bytes, want at most 200,000", len(ONNX))
	}
	if m.Inputs()[0].String() != "image float32 [N 1 28 28]" || m.Outputs()[0].String() != "features float32 [N 64]" || m.Outputs()[1].String() != "logits float32 [N 10]" {
		t.Errorf("inputs and outputs are %v and %v", m.Inputs(), m.Outputs())
	}
}
