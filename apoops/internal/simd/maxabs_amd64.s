#include "textflag.h"
#include "edge_amd64.h"

// The largest absolute value. Without their signs numbers are ordered as their bits are, and
// a NaN's are the largest.
//
//	SI      the next elements
//	CX      the number of elements that are left
//	Y0..3   maxima
//	Y4..7   elements
//	Y10     all bits but the sign
//	Y11     the elements of the last vector that are there

// func maxAbs(x []float32) float32
TEXT ·maxAbs(SB), NOSPLIT, $0-28
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), CX
	VPCMPEQD Y10, Y10, Y10
	VPSRLD $1, Y10, Y10
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	SUBQ $32, CX
	JLT  fewer

loop:
	VPAND 0(SI), Y10, Y4
	VPAND 32(SI), Y10, Y5
	VPAND 64(SI), Y10, Y6
	VPAND 96(SI), Y10, Y7
	VPMAXSD Y4, Y0, Y0
	VPMAXSD Y5, Y1, Y1
	VPMAXSD Y6, Y2, Y2
	VPMAXSD Y7, Y3, Y3
	ADDQ $128, SI
	SUBQ $32, CX
	JGE  loop

fewer:
	ADDQ $24, CX
	JLT  last

single:
	VPAND (SI), Y10, Y4
	VPMAXSD Y4, Y0, Y0
	ADDQ $32, SI
	SUBQ $8, CX
	JGE  single

last:
	ADDQ $8, CX
	JEQ  reduce
	EDGE
	VMASKMOVPS (SI), Y11, Y4
	VPAND Y4, Y10, Y4
	VPMAXSD Y4, Y0, Y0

reduce:
	VPMAXSD Y1, Y0, Y0
	VPMAXSD Y3, Y2, Y2
	VPMAXSD Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPMAXSD X1, X0, X0
	VPSHUFD $0x0e, X0, X1
	VPMAXSD X1, X0, X0
	VPSHUFD $0x01, X0, X1
	VPMAXSD X1, X0, X0
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET
