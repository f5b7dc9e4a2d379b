package apoops

import (
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// UseLibraries opens the libraries that the machine has, or those that the
// environment variables APO_BLAS and APO_DNN name, hands Gorgonia the BLAS and
// returns its name. A variable with an unknown value, or one that names a library
// which cannot be opened, is an error; so is a value of APO_SIMD that names no vector
// instructions or such that the processor does not have.
func UseLibraries() (name string, err error) {
	if name, err = blas.Use(); err != nil {
		return "", err
	}
	if err = dnn.Check(); err != nil {
		return name, err
	}
	return name, simd.Check()
}
