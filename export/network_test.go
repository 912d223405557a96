package export

import (
	"bytes"
	"strings"
	"testing"

	"gantry/infer"
	"gantry/internal/graph"
	"gantry/models"
)

// classifier returns an initialised network of two outputs.
func classifier(t *testing.T) *graph.Net {
	t.Helper()
	no := false
	network, err := models.NewNetwork("classifier", "c", []int{1, 6, 6}, []models.Layer{
		{Type: models.Conv, Channels: 4, Kernel: 3, Stride: 2, Pad: 1, Bias: &no}, {Type: models.BatchNorm}, {Type: models.Relu},
		{Type: models.Flatten}, {Type: models.Linear, Units: 8}, {Type: models.Relu, Name: "features"}, {Type: models.Linear, Units: 3, Name: "logits"},
	})
	if err != nil {
		t.Fatal(err)
	}
	net := graph.NewNet(network)
	if err := net.Init(models.Distribution{Type: models.FanInUniform}, 1); err != nil {
		t.Fatal(err)
	}
	return net
}

var classifierOutputs = []Output{{"features", "features"}, {"scores", "logits"}}

func TestNetwork(t *testing.T) {
	net := classifier(t)
	file, r, err := Network(net, "image", classifierOutputs, map[string]string{"key": "value"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Folded != 1 || r.Nodes != 6 || r.Params != 4*9+4+8*36+8+3*8+3 || !(r.MaxDiff <= bound) {
		t.Errorf("report is %+v", r)
	}
	again, _, err := Network(net, "image", classifierOutputs, map[string]string{"key": "value"})
	if err != nil || !bytes.Equal(file, again) {
		t.Errorf("the second file differs, %v", err)
	}
	m, err := infer.LoadBytes(file, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Inputs()[0].String(); got != "image float32 [N 1 6 6]" || m.Metadata()["key"] != "value" {
		t.Errorf("input is %s, metadata %v", got, m.Metadata())
	}
	var got []string
	for _, y := range m.Outputs() {
		got = append(got, y.String())
	}
	if s := strings.Join(got, ", "); s != "features float32 [N 8], scores float32 [N 3]" {
		t.Errorf("outputs are %s", s)
	}
	for _, layer := range []string{"0", "none", ""} {
		if _, _, err := Network(net, "image", []Output{{"y", layer}}, nil); err == nil || !strings.Contains(err.Error(), `output "y": classifier has no layer`) {
			t.Errorf("layer %q: got %v", layer, err)
		}
	}
}

// TestNetworkOutputBeforeNorm: a batch norm is not folded into a layer whose own
// result is an output.
func TestNetworkOutputBeforeNorm(t *testing.T) {
	network, err := models.NewNetwork("classifier", "c", []int{5}, []models.Layer{
		{Type: models.Linear, Units: 4, Name: "features"}, {Type: models.BatchNorm}, {Type: models.Linear, Units: 3, Name: "logits"},
	})
	if err != nil {
		t.Fatal(err)
	}
	net := graph.NewNet(network)
	if err := net.Init(models.Distribution{Type: models.FanInUniform}, 1); err != nil {
		t.Fatal(err)
	}
	_, r, err := Network(net, "x", classifierOutputs, nil)
	if err != nil || r.Folded != 0 {
		t.Errorf("report is %+v, %v", r, err)
	}
}
