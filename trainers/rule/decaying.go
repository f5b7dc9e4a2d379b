package rule

import "github.com/apo-gorgonia/apo/apoops"

// Decaying is a Rule, or an update with a learned preconditioner, that can leave elements
// out of its weight decay.
type Decaying interface {
	// DecayFirst has weight decay move the first n[i] elements of parameter i alone. It is
	// called before the first step.
	DecayFirst(n []int)
}

// Decayed says which elements of each parameter have weight decay. What embeds it is
// Decaying. The zero value is for all elements.
type Decayed struct{ first []int } // nil for all

// DecayFirst implements Decaying.
func (k *Decayed) DecayFirst(n []int) { k.first = n }

// DecayLen is how many of the size elements of parameter i, the first ones, have weight decay.
func (k *Decayed) DecayLen(i, size int) int {
	if k.first == nil {
		return size
	}
	return min(k.first[i], size)
}

// decayView shows a kernel the weights of a parameter, whose first elements alone have weight
// decay: it sees zeros in the place of the others.
type decayView[T apoops.Float] struct {
	w     []T
	first int
	zeros []T // a block of them, where there are others
}

// part is what a kernel sees of the elements from lo on, at most to hi: a part ends where
// weight decay does.
func (v decayView[T]) part(lo, hi int) (w []T, end int) {
	end = min(lo+elementBlock, hi)
	if lo >= v.first {
		return v.zeros[:end-lo], end
	}
	end = min(end, v.first)
	return v.w[lo:end], end
}

// view is that of parameter i.
func (e *elementwise[T]) view(i int) decayView[T] {
	w := apoops.Elements[T](e.params[i].Value)
	v := decayView[T]{w: w, first: e.DecayLen(i, len(w)), zeros: e.zeros}
	if v.first < len(w) && v.zeros == nil {
		v.zeros = make([]T, elementBlock)
		e.zeros = v.zeros
	}
	return v
}
