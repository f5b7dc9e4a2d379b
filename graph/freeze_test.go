package graph

import (
	"slices"
	"testing"

	"gorgonia.org/tensor"
)

// TestFreeze has blocks numbered anew, and one that is partly frozen taken apart.
func TestFreeze(t *testing.T) {
	param := func(name string, matrix bool, shape ...int) *Param {
		return &Param{Name: name, Value: tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float64)), Matrix: matrix}
	}
	mean := param("mean", false, 3)
	mean.Statistic = true
	params := []*Param{param("a", true, 4, 3), mean, param("w", true, 3, 2), param("b", true, 1, 2), param("z", false, 5)}
	blocks := BlockPerParam(params)
	blocks[1].Params, blocks[1].Rows = []int{1, 2}, 4 // w and b
	blocks = slices.Delete(blocks, 2, 3)

	same, whole := Freeze(params, blocks, func(*Param) bool { return false })
	if !slices.Equal(same, params) || len(whole) != 3 || !slices.Equal(whole[1].Params, []int{1, 2}) {
		t.Errorf("nothing is frozen: %v, %v", same, whole)
	}
	model, left := Freeze(params, blocks, func(p *Param) bool { return p.Name == "a" || p.Name == "b" })
	if !model[0].Frozen || !model[0].Matrix || model[0].Value != params[0].Value || params[0].Frozen || model[2] != params[2] {
		t.Errorf("%+v, before %+v", model[0], params[0])
	}
	if err := CheckParams(model); err != nil {
		t.Error(err)
	}
	learned := Learned(model)
	if len(learned) != 2 || learned[0].Name != "w" || learned[1].Name != "z" {
		t.Fatalf("%v learn", learned)
	}
	if err := CheckBlocks(left, learned); err != nil {
		t.Fatal(err)
	}
	if b := left[0]; b.Name != "w" || b.Rows != 3 || b.Cols != 2 || !b.Matrix {
		t.Errorf("the block of w is %+v", b)
	}
}
