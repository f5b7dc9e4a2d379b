package form

import (
	"strings"

	"github.com/pkg/errors"
)

// forms are all forms of this package, a line each.
var forms = []Form{
	Kronecker{},
	Diagonal{},
	Scalar{},
	Full{},
	LowRank{Rank: DefaultRank},
}

// Names lists the names that ByName knows.
func Names() []string {
	names := make([]string, len(forms))
	for i, f := range forms {
		names[i] = f.Name()
	}
	return names
}

// ByName is the form of that name; an unknown one is an error.
func ByName(name string) (Form, error) {
	for _, f := range forms {
		if f.Name() == name {
			return f, nil
		}
	}
	return nil, errors.Errorf("form: unknown form %q: one of %s", name, strings.Join(Names(), ", "))
}
