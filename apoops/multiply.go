package apoops

import "gorgonia.org/tensor"

// Preconditioner computes Eq. 10 outside of a graph, with the arithmetic of
// Precondition: dst = B(S²∘BᵀGA)Aᵀ for an n×m gradient G. The zero value is
// ready; it keeps scratch memory and must not be used by two goroutines at
// once.
type Preconditioner[T Float] struct {
	k precondition[T]
	a args[T]
}

// Multiply writes the product to dst. A has m², B n², S, g and dst n·m
// elements.
func (p *Preconditioner[T]) Multiply(dst, a, b, s, g []T, n, m int) {
	if p.a.in == nil {
		p.a.in, p.a.shapes = make([][]T, 4), make([]tensor.Shape, 4)
	}
	p.a.in[0], p.a.in[1], p.a.in[2], p.a.in[3] = a, b, s, g
	if p.k.n != n || p.k.m != m {
		p.a.shapes[3] = tensor.Shape{n, m}
	}
	p.a.out = dst
	p.k.multiply(&p.a)
}
