#include "textflag.h"
#include "edge_amd64.h"

// The loops of moments.go. The registers are those of elem_amd64.s.

// PAIRS sets the elements at DI to those of OP, by Y0 from the elements at a and Y1 from
// those at b.
#define PAIRS(a, b, OP) \
	XORQ BX, BX; \
	SUBQ $8, CX; \
	JLT  last; \
loop: \
	VMOVUPS (a)(BX*1), Y0; \
	VMOVUPS (b)(BX*1), Y1; \
	OP; \
	VMOVUPS Y0, (DI)(BX*1); \
	ADDQ $32, BX; \
	SUBQ $8, CX; \
	JGE  loop; \
last: \
	ADDQ $8, CX; \
	JEQ  done; \
	EDGE; \
	VMASKMOVPS (a)(BX*1), Y11, Y0; \
	VMASKMOVPS (b)(BX*1), Y11, Y1; \
	OP; \
	VMASKMOVPS Y0, Y11, (DI)(BX*1); \
done: \
	VZEROUPPER; \
	RET

// COMBINE is f·Y0 + h·Y1.
#define COMBINE \
	VMULPS Y12, Y0, Y0; \
	VMULPS Y13, Y1, Y1; \
	VADDPS Y1, Y0, Y0

// SQUARES is f·Y0 + h·Y1·Y1.
#define SQUARES \
	VMULPS Y12, Y0, Y0; \
	VMULPS Y13, Y1, Y2; \
	VMULPS Y1, Y2, Y2; \
	VADDPS Y2, Y0, Y0

// DIVIDE is f·Y0/(root·√Y1 + eps).
#define DIVIDE \
	VMULPS Y12, Y0, Y0; \
	VSQRTPS Y1, Y1; \
	VMULPS Y13, Y1, Y1; \
	VADDPS Y14, Y1, Y1; \
	VDIVPS Y1, Y0, Y0

// func combine(y, a, b []float32, f, h float32)
TEXT ·combine(SB), NOSPLIT, $0-80
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ a_base+24(FP), SI
	MOVQ b_base+48(FP), DX
	VBROADCASTSS f+72(FP), Y12
	VBROADCASTSS h+76(FP), Y13
	PAIRS(SI, DX, COMBINE)

// func averageSquares(v, x []float32, f, h float32)
TEXT ·averageSquares(SB), NOSPLIT, $0-56
	MOVQ v_base+0(FP), DI
	MOVQ v_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	VBROADCASTSS f+48(FP), Y12
	VBROADCASTSS h+52(FP), Y13
	PAIRS(DI, SI, SQUARES)

// func divideByRoots(y, x, v []float32, f, root, eps float32)
TEXT ·divideByRoots(SB), NOSPLIT, $0-84
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ v_base+48(FP), DX
	VBROADCASTSS f+72(FP), Y12
	VBROADCASTSS root+76(FP), Y13
	VBROADCASTSS eps+80(FP), Y14
	PAIRS(SI, DX, DIVIDE)
