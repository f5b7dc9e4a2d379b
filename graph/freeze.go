package graph

import "slices"

// Freeze marks learned parameters as Frozen where frozen says so, in copies over the same
// memory; the others stay the same. blocks becomes those of what is still learned: where
// parameters of a block are frozen, each of its others has a block of its own, as
// BlockPerParam makes it.
func Freeze(params []*Param, blocks []Block, frozen func(p *Param) bool) ([]*Param, []Block) {
	before := Learned(params)
	params = slices.Clone(params)
	for i, p := range params {
		if p.learned() && frozen(p) {
			still := *p
			still.Frozen = true
			params[i] = &still
		}
	}
	number := make(map[*Param]int)
	for i, p := range Learned(params) {
		number[p] = i
	}
	var rest []Block
	for _, b := range blocks {
		var left []int
		for _, i := range b.Params {
			if n, ok := number[before[i]]; ok {
				left = append(left, n)
			}
		}
		if len(left) == len(b.Params) {
			b.Params = left
			rest = append(rest, b)
			continue
		}
		for _, i := range b.Params {
			if n, ok := number[before[i]]; ok {
				own := BlockPerParam([]*Param{before[i]})[0]
				own.Params = []int{n}
				rest = append(rest, own)
			}
		}
	}
	return params, rest
}
