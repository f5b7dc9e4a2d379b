package methods

import (
	"bytes"
	"embed"
	"encoding/json"
	"hash/fnv"
	"io/fs"
	"math"
	"math/rand/v2"
	"path"
	"slices"

	"github.com/pkg/errors"
)

//go:embed spaces
var spaceFiles embed.FS

// Space is the search space of a method's hyperparameters, in the order in which
// they are sampled.
type Space []Dimension

// Dimension is the search space of one hyperparameter. It is a range, sampled
// log-uniformly or, with Linear, uniformly; a list of choices; or, with neither, a
// fixed number.
type Dimension struct {
	Name    string    `json:"name"`
	Default float64   `json:"default"`
	Min     float64   `json:"min,omitempty"`
	Max     float64   `json:"max,omitempty"`
	Linear  bool      `json:"linear,omitempty"`
	Choices []float64 `json:"choices,omitempty"`
	Why     string    `json:"why,omitempty"`
}

func (d Dimension) ranged() bool { return d.Max != d.Min }

func (d Dimension) check() error {
	switch {
	case d.Name == "":
		return errors.New("a hyperparameter has no name")
	case d.ranged() && len(d.Choices) > 0:
		return errors.Errorf("%s has a range and choices", d.Name)
	case d.ranged() && (d.Min > d.Max || !d.Linear && d.Min <= 0):
		return errors.Errorf("%s: the range from %v to %v is impossible", d.Name, d.Min, d.Max)
	case d.ranged() && (d.Default < d.Min || d.Default > d.Max):
		return errors.Errorf("%s: the default %v is not in the range", d.Name, d.Default)
	}
	return nil
}

func (d Dimension) draw(rng *rand.Rand) float64 {
	u := rng.Float64()
	switch {
	case len(d.Choices) > 0:
		return d.Choices[int(u*float64(len(d.Choices)))]
	case !d.ranged():
		return d.Default
	case d.Linear:
		return d.Min + u*(d.Max-d.Min)
	}
	return round(d.Min * math.Pow(d.Max/d.Min, u))
}

// round rounds to three significant digits.
func round(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v))-2)
	return math.Round(v/unit) * unit
}

// SearchSpace reads the method's space from a folder below spaces, which serves
// tasks of one kind, or from spaces itself if the folder does not have it.
func (m *Method) SearchSpace(folder string) (Space, error) {
	name := path.Join("spaces", folder, m.Space+".json")
	text, err := spaceFiles.ReadFile(name)
	if folder != "" && errors.Is(err, fs.ErrNotExist) {
		name = path.Join("spaces", m.Space+".json")
		text, err = spaceFiles.ReadFile(name)
	}
	if err != nil {
		return nil, errors.Wrapf(err, "space of %s", m.Name)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var s Space
	if err := dec.Decode(&s); err != nil {
		return nil, errors.Wrap(err, name)
	}
	for i, d := range s {
		if v, ok := m.Defaults[d.Name]; ok {
			d.Default, s[i].Default = v, v
		}
		if err := d.check(); err != nil {
			return nil, errors.WithMessage(err, name)
		}
	}
	return s, nil
}

// Fixed reports a space that has one configuration alone.
func (s Space) Fixed() bool {
	return !slices.ContainsFunc(s, func(d Dimension) bool { return d.ranged() || len(d.Choices) > 1 })
}

// Defaults are the values of a method that was not tuned.
func (s Space) Defaults() Values {
	v := make(Values, len(s))
	for _, d := range s {
		v[d.Name] = d.Default
	}
	return v
}

// Sample returns the values of configuration i. Configuration 0 has the defaults,
// the others are random. The same seed, method and i give the same values.
func (s Space) Sample(method string, seed uint64, i int) Values {
	if i == 0 {
		return s.Defaults()
	}
	h := fnv.New64a()
	h.Write([]byte(method))
	rng := rand.New(rand.NewPCG(seed^h.Sum64(), uint64(i)))
	v := make(Values, len(s))
	for _, d := range s {
		v[d.Name] = d.draw(rng)
	}
	return v
}
