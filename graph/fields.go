package graph

import (
	"reflect"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
)

// fields reads the settings of one of Gorgonia's ops, which Gorgonia keeps to
// itself. The first one that is not as in the version this was written for is the
// error.
type fields struct {
	of  reflect.Value
	err error
}

func fieldsOf(op gorgonia.Op) *fields { return &fields{of: reflect.Indirect(reflect.ValueOf(op))} }

// field is the field of the given name, if it is of the kind.
func (f *fields) field(name string, kind reflect.Kind) (v reflect.Value, ok bool) {
	if f.of.Kind() == reflect.Struct {
		v = f.of.FieldByName(name)
	}
	if v.Kind() == kind {
		return v, true
	}
	f.fail(name)
	return v, false
}

func (f *fields) fail(name string) {
	if f.err == nil {
		f.err = errors.Errorf("the field %s of Gorgonia's %v is not what it was in the version that this package was written for", name, f.of.Type())
	}
}

func (f *fields) integer(name string) int {
	v, ok := f.field(name, reflect.Int)
	if !ok {
		return 0
	}
	return int(v.Int())
}

func (f *fields) number(name string) float64 {
	v, ok := f.field(name, reflect.Float64)
	if !ok {
		return 0
	}
	return v.Float()
}

func (f *fields) truth(name string) bool {
	v, ok := f.field(name, reflect.Bool)
	return ok && v.Bool()
}

// integers are the elements of a slice of int.
func (f *fields) integers(name string) []int {
	v, ok := f.field(name, reflect.Slice)
	if !ok {
		return nil
	}
	all := make([]int, v.Len())
	for i := range all {
		if v.Index(i).Kind() != reflect.Int {
			f.fail(name)
			return nil
		}
		all[i] = int(v.Index(i).Int())
	}
	return all
}
