package parity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"sort"

	"github.com/pkg/errors"
)

// object is a JSON object in a fixture. Its methods return zero values for fields that
// are missing or wrong. The first such error of the file is kept; it has the path of
// the field, such as "steps[3].meta.q".
type object struct {
	path   string
	values map[string]any
	first  *error
}

// parse parses a file of one JSON object.
func parse(data []byte) (object, error) {
	var values map[string]any
	data = bytes.Clone(data)
	hideNonFinite(data)
	err := json.Unmarshal(data, &values)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return object{}, errors.Errorf("byte %d: %v", syntax.Offset, err)
	case err != nil:
		return object{}, errors.WithStack(err)
	case values == nil:
		return object{}, errors.New("the file holds null, not an object")
	}
	showNonFinite(values)
	return object{values: values, first: new(error)}, nil
}

// err is the first error.
func (o object) err() error { return *o.first }

// keep keeps an error if it is the first.
func (o object) keep(err error) {
	if *o.first == nil {
		*o.first = err
	}
}

// fail reports an error in a field.
func (o object) fail(key, format string, a ...any) {
	o.keep(errors.Errorf("%s %s", o.at(key), fmt.Sprintf(format, a...)))
}

// wrongKind reports a field that is missing or of another kind than want.
func (o object) wrongKind(key, want string) {
	if !o.has(key) {
		o.fail(key, "is missing")
		return
	}
	o.fail(key, "%s, not %s", kindOf(o.values[key]), want)
}

// at is the path of a field.
func (o object) at(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

// has reports whether a field exists and is not null.
func (o object) has(key string) bool { return o.values[key] != nil }

// number is a finite number.
func (o object) number(key string) float64 {
	if v := o.array(key); len(v) == 1 {
		return v[0]
	}
	return 0
}

// notNegative is a number that is at least 0.
func (o object) notNegative(key string) float64 {
	v := o.number(key)
	if v < 0 {
		o.fail(key, "is %v: it must be 0 or more", v)
	}
	return v
}

// whole is an integer that is at least 0.
func (o object) whole(key string) int {
	v := o.notNegative(key)
	n, ok := wholeNumber(v)
	if !ok {
		o.fail(key, "is %v, not a whole number", v)
	}
	return n
}

func wholeNumber(v float64) (int, bool) {
	if v < 0 || v > math.MaxInt32 || v != math.Trunc(v) {
		return 0, false
	}
	return int(v), true
}

func (o object) text(key string) string {
	v, ok := o.values[key].(string)
	if !ok {
		o.wrongKind(key, "a string")
	}
	return v
}

func (o object) flag(key string) bool {
	v, ok := o.values[key].(bool)
	if !ok {
		o.wrongKind(key, "true or false")
	}
	return v
}

func (o object) object(key string) object {
	v, ok := o.values[key].(map[string]any)
	if !ok {
		o.wrongKind(key, "an object")
	}
	return object{path: o.at(key), values: v, first: o.first}
}

// objects is a list of objects, at least one.
func (o object) objects(key string) []object {
	list, ok := o.values[key].([]any)
	if !ok {
		o.wrongKind(key, "a list")
	} else if len(list) == 0 {
		o.fail(key, "is empty")
	}
	all := make([]object, len(list))
	for i, v := range list {
		path := fmt.Sprintf("%s[%d]", o.at(key), i)
		values, ok := v.(map[string]any)
		if !ok {
			o.keep(errors.Errorf("%s %s, not an object", path, kindOf(v)))
		}
		all[i] = object{path: path, values: values, first: o.first}
	}
	return all
}

// array returns the finite numbers of nested lists with the given dims, row by row;
// without dims, one number.
func (o object) array(key string, dims ...int) []float64 {
	x := o.outcome(key, dims...)
	if !finite(x) {
		o.fail(key, "is not finite")
	}
	return x
}

// outcome is array for a result of the run, which need not be finite.
func (o object) outcome(key string, dims ...int) []float64 {
	if !o.has(key) {
		o.fail(key, "is missing")
		return nil
	}
	x, err := flatten(nil, o.values[key], o.at(key), dims)
	if err != nil {
		o.keep(err)
	}
	return x
}

// arrays returns the arrays of a list. The object must have no others.
func (o object) arrays(list []entry) [][]float64 {
	o.only(list)
	all := make([][]float64, len(list))
	for i, e := range list {
		all[i] = o.array(e.name, e.dims...)
	}
	return all
}

// outcomes is arrays for results of the run.
func (o object) outcomes(list []entry) [][]float64 {
	o.only(list)
	all := make([][]float64, len(list))
	for i, e := range list {
		all[i] = o.outcome(e.name, e.dims...)
	}
	return all
}

// only reports fields that are not in a list.
func (o object) only(list []entry) {
	known := make(map[string]bool, len(list))
	for _, e := range list {
		known[e.name] = true
	}
	var extra []string
	for key := range o.values {
		if !known[key] {
			extra = append(extra, key)
		}
	}
	if len(extra) > 0 {
		sort.Strings(extra)
		o.fail(extra[0], "does not belong to the model and rule")
	}
}

// kindOf names the JSON type of a value.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "is null"
	case float64:
		return "is a number"
	case string:
		return "is a string"
	case bool:
		return "is true or false"
	case []any:
		return "is a list"
	}
	return "is an object"
}
