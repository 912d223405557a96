package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"gantry/models"
)

// A recipeFlag sets one or more fields of a recipe.
type recipeFlag struct {
	name   string
	fields func(r *models.Recipe) []any // *int, *float32, *float64, *string, *models.Distribution or *models.EMA
}

// recipeFlags has a flag for every field, in the order in which they apply.
var recipeFlags = []recipeFlag{
	{"batch", func(r *models.Recipe) []any { return []any{&r.Batch} }},
	{"k", func(r *models.Recipe) []any { return []any{&r.K} }},
	{"shards", func(r *models.Recipe) []any { return []any{&r.Shards} }},
	{"update", func(r *models.Recipe) []any { return []any{&r.Update} }},
	{"g-latents", func(r *models.Recipe) []any { return []any{&r.GLatents} }},
	{"g-loss", func(r *models.Recipe) []any { return []any{&r.GLoss} }},
	{"g-loss-scale", func(r *models.Recipe) []any { return []any{&r.GLossScale} }},
	{"d-loss-scale", func(r *models.Recipe) []any { return []any{&r.DLossScale} }},
	{"solver", func(r *models.Recipe) []any { return []any{&r.Solver.Type} }},
	{"lr", func(r *models.Recipe) []any { return []any{&r.Solver.GLR, &r.Solver.DLR} }},
	{"g-lr", func(r *models.Recipe) []any { return []any{&r.Solver.GLR} }},
	{"d-lr", func(r *models.Recipe) []any { return []any{&r.Solver.DLR} }},
	{"beta1", func(r *models.Recipe) []any { return []any{&r.Solver.Beta1} }},
	{"beta2", func(r *models.Recipe) []any { return []any{&r.Solver.Beta2} }},
	{"eps", func(r *models.Recipe) []any { return []any{&r.Solver.Eps} }},
	{"momentum", func(r *models.Recipe) []any { return []any{&r.Solver.Momentum} }},
	{"momentum-final", func(r *models.Recipe) []any { return []any{&r.Solver.MomentumFinal} }},
	{"momentum-start", func(r *models.Recipe) []any { return []any{&r.Solver.MomentumStart} }},
	{"momentum-saturate", func(r *models.Recipe) []any { return []any{&r.Solver.MomentumSaturate} }},
	{"lr-decay", func(r *models.Recipe) []any { return []any{&r.Solver.LRDecay} }},
	{"lr-min", func(r *models.Recipe) []any { return []any{&r.Solver.LRMin} }},
	{"g-init", func(r *models.Recipe) []any { return []any{&r.Init.G} }},
	{"d-init", func(r *models.Recipe) []any { return []any{&r.Init.D} }},
	{"gamma-std", func(r *models.Recipe) []any { return []any{&r.Init.GammaStd} }},
	{"g-output-bias", func(r *models.Recipe) []any { return []any{&r.Init.GOutputBias} }},
	{"ema", func(r *models.Recipe) []any { return []any{&r.EMA} }},
}

// set applies the flag's text to a recipe.
func (f *recipeFlag) set(r *models.Recipe, text string) error {
	if f.name == "solver" && text != r.Solver.Type {
		r.Solver = otherSolver(r.Solver, text)
	}
	for _, field := range f.fields(r) {
		switch p := field.(type) {
		case *int:
			n, err := strconv.Atoi(text)
			if err != nil {
				return errors.New("must be a whole number")
			}
			*p = n
		case *float32:
			v, err := strconv.ParseFloat(text, 32)
			if err != nil {
				return errors.New("must be a number")
			}
			*p = float32(v)
		case *float64:
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return errors.New("must be a number")
			}
			*p = v
		case *string:
			*p = word(text)
		case *models.Distribution:
			d, err := distribution(text)
			if err != nil {
				return err
			}
			*p = d
		case *models.EMA:
			e, err := halfLife(text)
			if err != nil {
				return err
			}
			*p = e
		}
	}
	return nil
}

// word is a JSON value as it may be written on a command line.
func word(text string) string {
	if text == "none" {
		return ""
	}
	return strings.ReplaceAll(text, "-", "_")
}

// distribution reads TYPE:SCALE, or fan_in_uniform alone.
func distribution(text string) (models.Distribution, error) {
	kind, scale, found := strings.Cut(text, ":")
	d := models.Distribution{Type: word(kind)}
	if found {
		v, err := strconv.ParseFloat(scale, 32)
		if err != nil {
			return d, fmt.Errorf("must be TYPE:SCALE, such as normal:0.02")
		}
		d.Scale = float32(v)
	}
	return d, nil
}

// halfLife reads a half-life in images, or off.
func halfLife(text string) (models.EMA, error) {
	if text == "off" {
		return models.EMA{}, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return models.EMA{}, errors.New("must be a half-life in images, such as 10000, or off")
	}
	return models.EMA{HalfLifeImages: n}, nil
}

// otherSolver keeps what both solvers have, and sets the usual values of the
// rest: a solver's own fields are errors with the other.
func otherSolver(s models.Solver, kind string) models.Solver {
	t := models.Solver{Type: kind, GLR: s.GLR, DLR: s.DLR, LRDecay: s.LRDecay, LRMin: s.LRMin}
	if kind == models.Adam {
		t.Beta1, t.Beta2, t.Eps = 0.5, 0.999, 1e-8
	}
	return t
}

// recipeText is the pflag.Value of a recipe flag: the text, applied later to
// the recipe that preset or run directory give.
type recipeText struct {
	flag *recipeFlag
	text string
}

// String implements pflag.Value.
func (t *recipeText) String() string { return t.text }

// Type implements pflag.Value.
func (t *recipeText) Type() string { return "value" }

// Set implements pflag.Value.
func (t *recipeText) Set(text string) error {
	t.text = text
	return t.flag.set(new(models.Recipe), text)
}

func addRecipeFlags(fs *pflag.FlagSet) {
	for i := range recipeFlags {
		fs.Var(&recipeText{flag: &recipeFlags[i]}, recipeFlags[i].name, "")
	}
}

const recipeHint = "leave it out for the preset's own, or see gantrain --help"

// applyRecipeFlags changes r as the given flags say. An error names the flag
// whose value is at fault, or those of which one must go.
func applyRecipeFlags(fs *pflag.FlagSet, r *models.Recipe) error {
	var given []*recipeFlag
	for i := range recipeFlags {
		if fs.Changed(recipeFlags[i].name) {
			given = append(given, &recipeFlags[i])
		}
	}
	text := func(f *recipeFlag) string { return fs.Lookup(f.name).Value.String() }
	apply := func(flags []*recipeFlag) (models.Recipe, error) {
		changed := *r
		for _, f := range flags {
			if err := f.set(&changed, text(f)); err != nil {
				return changed, err
			}
		}
		return changed, changed.Validate()
	}
	changed, err := apply(given)
	if err == nil {
		*r = changed
		return nil
	}
	for i := range given {
		if _, err := apply(given[i : i+1]); err != nil {
			return misused(recipeHint, "--%s %s: %w", given[i].name, text(given[i]), err)
		}
	}
	var one []string
	for i, f := range given {
		if _, err := apply(slices.Delete(slices.Clone(given), i, i+1)); err == nil {
			one = append(one, "--"+f.name)
		}
	}
	if len(one) == 0 {
		return misused(recipeHint, "%w", err)
	}
	return misused("leave out "+strings.Join(one, " or "), "%w", err)
}
