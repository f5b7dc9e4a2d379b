package graph

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
)

// pureOps are Gorgonia's ops without state of their own and with right values
// and gradients, by type name: one instance may stand in several graphs.
var pureOps = map[string]bool{
	"elemBinOp": true, "elemUnaryOp": true, "linAlgBinOp": true, "tensordotOp": true,
	"sumOp": true, "maxOp": true, "repeatOp": true, "sizeOp": true, "transposeOp": true,
	"concatOp": true, "byIndicesOp": true, "upsampleOp": true, "im2colOp": true, "diagFlatOp": true,
	"minBetween": true, "maxBetween": true, "atOp": true,
}

// wrongOps are those that cannot be used a second time, or not at all, with the
// reason and what to use instead.
var wrongOps = map[string]string{
	"softmaxOp":           "Gorgonia takes the row maximum of every row from the first element of the tensor (rows far apart give NaN), and Log of it changes the node itself: use apoops.Softmax, apoops.LogSoftmax or apoops.SoftmaxCrossEntropy",
	"dropoutOp":           "Gorgonia's Dropout cannot draw the same mask twice and scales its gradient by 1/p: use apoops.Dropout",
	"randomOp":            "random ops draw other numbers in the lookahead: use apoops.Dropout, or feed the numbers as an input",
	"sliceOp":             "Gorgonia's Slice merges ranges that agree modulo 256: use apoops.Segment, or feed the parts as inputs",
	"avgPoolOp":           "Gorgonia's AveragePool divides by the width of its input",
	"globalAveragePoolOp": "Gorgonia's GlobalAveragePool2D has no gradient",
	"clampOp":             "Gorgonia's Clamp has a wrong gradient",
	"GroupNormOp":         "its buffers cannot be copied",
	"ctcLossOp":           "its buffers cannot be copied",
	"sparsemaxOp":         "its buffers cannot be copied",
}

// checkStock refuses Gorgonia's ops that are known to be wrong, and foreign ops
// that nothing is known about.
func checkStock(op gorgonia.Op) error {
	name := typeName(op)
	if reason, ok := wrongOps[name]; ok {
		return errors.New(reason)
	}
	switch {
	case !pureOps[name]:
		return errors.Errorf("nothing is known about ops of type %T: implement apoops.Fresher", op)
	case name == "elemUnaryOp":
		return checkUnary(op)
	}
	return nil
}

func checkUnary(op gorgonia.Op) error {
	for _, wrong := range []string{"log2", "invSqrt"} {
		if strings.HasPrefix(fmt.Sprint(op), wrong) {
			return errors.Errorf("Gorgonia's %s has a wrong gradient: use Log or Sqrt and Inverse", wrong)
		}
	}
	return nil
}

func isConstant(op gorgonia.Op) bool {
	name := typeName(op)
	return name == "constantScalar" || name == "constantTensor"
}

// typeName is the name of the op's type, of Gorgonia's own ops only.
func typeName(op gorgonia.Op) string {
	t := reflect.TypeOf(op)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.PkgPath() != "gorgonia.org/gorgonia" {
		return t.PkgPath() + "." + t.Name()
	}
	return t.Name()
}

// isTransposedProduct tells whether the op is Gorgonia's Aᵀ·B of matrices.
func isTransposedProduct(op gorgonia.Op) bool {
	return typeName(op) == "linAlgBinOp" && fmt.Sprint(op) == "Aᵀ × B"
}
