package graph

import (
	"fmt"
	"reflect"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
)

// pureOps are Gorgonia's ops without state of their own and with right values
// and gradients, by type name: one instance may stand in several graphs.
var pureOps = map[string]bool{
	"elemBinOp": true, "elemUnaryOp": true, "linAlgBinOp": true, "tensordotOp": true,
	"sumOp": true, "maxOp": true, "repeatOp": true, "sizeOp": true, "transposeOp": true,
	"concatOp": true, "byIndicesOp": true, "upsampleOp": true, "im2colOp": true, "diagFlatOp": true,
	"minBetween": true, "maxBetween": true, "dtConvOp": true,
}

// wrongOps are those that cannot be had in the rebuilt passes, with the reason and
// what to do instead.
var wrongOps = map[string]string{
	"yoloOp":   "Gorgonia's YOLOv3 has no gradient: let cost and output be made of its input, and apply it to values of the output in a graph of its own",
	"randomOp": "a random node draws other numbers in each pass: make an input of its shape instead, list it among the problem's inputs, and bind new numbers to it (gorgonia.Let) before each run",
}

// checkStock refuses Gorgonia's ops that are known to be wrong, and foreign ops
// that nothing is known about.
func checkStock(op gorgonia.Op) error {
	name := typeName(op)
	if reason, ok := wrongOps[name]; ok {
		return errors.New(reason)
	}
	if !pureOps[name] {
		return errors.Errorf("nothing is known about ops of type %T: let it implement apoops.Cloner", op)
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

// isTransposedProduct reports whether the op is Gorgonia's Aᵀ·B of matrices.
func isTransposedProduct(op gorgonia.Op) bool {
	return typeName(op) == "linAlgBinOp" && fmt.Sprint(op) == "Aᵀ × B"
}
