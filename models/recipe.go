package models

import (
	"encoding/json"
	"fmt"
)

// Order of the updates within one step, [Recipe.Update].
const (
	Alternating  = "alternating"  // D first; G learns from the updated D
	Simultaneous = "simultaneous" // both gradients are taken before either update
)

// Which latents the generator's update uses, [Recipe.GLatents].
const (
	Same  = "same"  // those of D's last update: one forward pass of G serves both
	Fresh = "fresh" // its own, as Algorithm 1 has it
)

// The generator's loss on D's logits, [Recipe.GLoss].
const (
	NonSaturating = "non_saturating" // BCE(D(G(z)), 1)
	Minimax       = "minimax"        // -BCE(D(G(z)), 0), the paper's value function
)

// Solvers, [Solver.Type].
const (
	Adam = "adam" // PyTorch's definition
	SGD  = "sgd"  // with momentum: v = momentum·v - lr·g, w = w + v
)

// Distributions of initial weights, [Distribution.Type]. The third,
// [Uniform], and [Normal] take a scale and leave biases at 0.
const FanInUniform = "fan_in_uniform" // U(±1/√fan-in), weights and biases: PyTorch's default for linear layers

// Marginals is a value of [Init.GOutputBias]: the bias of G's output layer
// starts where G's output is the data set's mean pixel.
const Marginals = "marginals"

// Recipe says how to train a [Spec]: everything that decides the result besides
// architecture, data and seed. Threads, paths and cadence are not part of it.
//
//	L_D = d_loss_scale·(BCE(D(x), 1) + BCE(D(G(z)), 0))
//	L_G = g_loss_scale·(BCE(D(G(z)), 1) or -BCE(D(G(z)), 0))
type Recipe struct {
	Batch      int     `json:"batch"`        // samples per update
	K          int     `json:"k"`            // updates of D for each of G
	Shards     int     `json:"shards"`       // equal parts of the batch that are summed alone; divides Batch
	Update     string  `json:"update"`       // Alternating or Simultaneous
	GLatents   string  `json:"g_latents"`    // Same or Fresh; Simultaneous requires Same
	GLoss      string  `json:"g_loss"`       // NonSaturating or Minimax
	GLossScale float32 `json:"g_loss_scale"` // factor of G's loss
	DLossScale float32 `json:"d_loss_scale"` // factor of D's loss
	Solver     Solver  `json:"solver"`
	Init       Init    `json:"init"`
	EMA        EMA     `json:"ema,omitzero"` // left out: none
}

// Solver is an optimiser with its schedules. A step is an update of one
// network, counted from 0; an epoch is a pass through the data set. What is taken
// to the power of the step, and what 1-x is taken of, is a float64: rounded to
// float32, 1-0.999 would be off by 1.3e-5 of itself.
type Solver struct {
	Type             string  `json:"type"`                       // Adam or SGD
	GLR              float32 `json:"g_lr"`                       // learning rate of G
	DLR              float32 `json:"d_lr"`                       // learning rate of D
	Beta1            float64 `json:"beta1,omitzero"`             // Adam: decay of the mean gradient, in [0,1)
	Beta2            float64 `json:"beta2,omitzero"`             // Adam: decay of the mean square, in [0,1)
	Eps              float32 `json:"eps,omitzero"`               // Adam: added to the root
	Momentum         float32 `json:"momentum,omitzero"`          // SGD: in [0,1)
	MomentumFinal    float32 `json:"momentum_final,omitzero"`    // SGD: momentum from epoch MomentumSaturate on
	MomentumStart    int     `json:"momentum_start,omitzero"`    // SGD: epoch at which the linear change begins
	MomentumSaturate int     `json:"momentum_saturate,omitzero"` // SGD: epoch at which it ends; 0: momentum is constant
	LRDecay          float64 `json:"lr_decay,omitzero"`          // lr_t = lr/decay^t at step t; 0 or 1: constant
	LRMin            float32 `json:"lr_min,omitzero"`            // the learning rate does not fall below it
}

// Init is the distribution of the initial weights of both networks.
type Init struct {
	G           Distribution `json:"g"`
	D           Distribution `json:"d"`
	GOutputBias string       `json:"g_output_bias,omitzero"` // "" or Marginals
	GammaStd    float32      `json:"gamma_std,omitzero"`     // standard deviation of batch norms' scales around 1; 0: all are 1
}

// Distribution is a distribution of initial weights, centred at 0.
type Distribution struct {
	Type  string  `json:"type"`           // Uniform, Normal or FanInUniform
	Scale float32 `json:"scale,omitzero"` // Uniform: the bound; Normal: the standard deviation
}

// EMA asks for an exponential moving average of the generator, which is then
// what samples are drawn from and what is exported. It is counted in images, not
// in steps, so that it means the same for every batch size. The zero value is
// none.
type EMA struct {
	HalfLifeImages int `json:"half_life_images"` // images G draws for its updates until old weights count half
}

// ParseRecipe reads a recipe from strict JSON and validates it.
func ParseRecipe(data []byte) (*Recipe, error) {
	r := new(Recipe)
	if err := decode(data, "recipe", r); err != nil {
		return nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return r, nil
}

// JSON returns r as compact JSON with keys in a fixed order, as checkpoints
// hold it. ParseRecipe reads it back.
func (r *Recipe) JSON() ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("models: recipe: %w", err)
	}
	return b, nil
}
