#include "textflag.h"
#include "edge_amd64.h"

// Loops over float32, eight elements at a time. The order of operations is that of the
// twins in elem.go.
//
// All routines of this file have
//
//	DI             the result
//	SI, DX, R8     the operands, in the order of the arguments
//	BX             the offset in bytes of the next elements
//	CX             the number of elements that are left
//	Y0..3          elements, Y0 the result at last
//	Y8             zeros
//	Y11            the elements of the last vector that are there
//	Y12..15        the numbers among the arguments, in their order

// RELU is max(Y0, 0): 0 where that is larger, else Y0, and of the zeros the positive one.
#define RELU \
	VMAXPS Y0, Y8, Y0; \
	VADDPS Y8, Y0, Y0

// AFFINE is (x - m)·f + b.
#define AFFINE \
	VSUBPS Y12, Y0, Y0; \
	VMULPS Y13, Y0, Y0; \
	VADDPS Y14, Y0, Y0

// NORMALISE is (x - mean)·inv·gain + shift.
#define NORMALISE \
	VSUBPS Y12, Y0, Y0; \
	VMULPS Y13, Y0, Y0; \
	VMULPS Y1, Y0, Y0; \
	VADDPS Y2, Y0, Y0

// NORMGRAD is (dy·gain - level - (x - mean)·inv·slope)·inv.
#define NORMGRAD \
	VMULPS Y2, Y1, Y1; \
	VSUBPS Y14, Y1, Y1; \
	VSUBPS Y12, Y0, Y0; \
	VMULPS Y13, Y0, Y0; \
	VMULPS Y15, Y0, Y0; \
	VSUBPS Y0, Y1, Y0; \
	VMULPS Y13, Y0, Y0

// WHERE is dy where y > 0.
#define WHERE \
	VCMPPS $0x1e, Y8, Y0, Y0; \
	VANDPS Y1, Y0, Y0

// func add(y, a, b []float32)
TEXT ·add(SB), NOSPLIT, $0-72
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ a_base+24(FP), SI
	MOVQ b_base+48(FP), DX
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	VADDPS Y1, Y0, Y0
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	EDGE
	VMASKMOVPS (SI)(BX*1), Y11, Y0
	VMASKMOVPS (DX)(BX*1), Y11, Y1
	VADDPS Y1, Y0, Y0
	VMASKMOVPS Y0, Y11, (DI)(BX*1)

done:
	VZEROUPPER
	RET

// func scale(y []float32, f float32)
TEXT ·scale(SB), NOSPLIT, $0-28
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	VBROADCASTSS f+24(FP), Y12
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (DI)(BX*1), Y0
	VMULPS Y12, Y0, Y0
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	EDGE
	VMASKMOVPS (DI)(BX*1), Y11, Y0
	VMULPS Y12, Y0, Y0
	VMASKMOVPS Y0, Y11, (DI)(BX*1)

done:
	VZEROUPPER
	RET

// func relu(y []float32)
TEXT ·relu(SB), NOSPLIT, $0-24
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	VXORPS Y8, Y8, Y8
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (DI)(BX*1), Y0
	RELU
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	EDGE
	VMASKMOVPS (DI)(BX*1), Y11, Y0
	RELU
	VMASKMOVPS Y0, Y11, (DI)(BX*1)

done:
	VZEROUPPER
	RET

// func wherePositive(dz, y, dy []float32)
TEXT ·wherePositive(SB), NOSPLIT, $0-72
	MOVQ dz_base+0(FP), DI
	MOVQ dz_len+8(FP), CX
	MOVQ y_base+24(FP), SI
	MOVQ dy_base+48(FP), DX
	VXORPS Y8, Y8, Y8
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	WHERE
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	EDGE
	VMASKMOVPS (SI)(BX*1), Y11, Y0
	VMASKMOVPS (DX)(BX*1), Y11, Y1
	WHERE
	VMASKMOVPS Y0, Y11, (DI)(BX*1)

done:
	VZEROUPPER
	RET

// func affine(y, x []float32, m, f, b float32)
TEXT ·affine(SB), NOSPLIT, $0-60
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	VBROADCASTSS m+48(FP), Y12
	VBROADCASTSS f+52(FP), Y13
	VBROADCASTSS b+56(FP), Y14
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*1), Y0
	AFFINE
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	EDGE
	VMASKMOVPS (SI)(BX*1), Y11, Y0
	AFFINE
	VMASKMOVPS Y0, Y11, (DI)(BX*1)

done:
	VZEROUPPER
	RET

// func normalise(y, x, gain, shift []float32, mean, inv float32)
TEXT ·normalise(SB), NOSPLIT, $0-104
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ gain_base+48(FP), DX
	MOVQ shift_base+72(FP), R8
	VBROADCASTSS mean+96(FP), Y12
	VBROADCASTSS inv+100(FP), Y13
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	VMOVUPS (R8)(BX*1), Y2
	NORMALISE
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	EDGE
	VMASKMOVPS (SI)(BX*1), Y11, Y0
	VMASKMOVPS (DX)(BX*1), Y11, Y1
	VMASKMOVPS (R8)(BX*1), Y11, Y2
	NORMALISE
	VMASKMOVPS Y0, Y11, (DI)(BX*1)

done:
	VZEROUPPER
	RET

// func normGrad(dx, x, dy, gain []float32, mean, inv, level, slope float32)
TEXT ·normGrad(SB), NOSPLIT, $0-112
	MOVQ dx_base+0(FP), DI
	MOVQ dx_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ dy_base+48(FP), DX
	MOVQ gain_base+72(FP), R8
	VBROADCASTSS mean+96(FP), Y12
	VBROADCASTSS inv+100(FP), Y13
	VBROADCASTSS level+104(FP), Y14
	VBROADCASTSS slope+108(FP), Y15
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	VMOVUPS (R8)(BX*1), Y2
	NORMGRAD
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	EDGE
	VMASKMOVPS (SI)(BX*1), Y11, Y0
	VMASKMOVPS (DX)(BX*1), Y11, Y1
	VMASKMOVPS (R8)(BX*1), Y11, Y2
	NORMGRAD
	VMASKMOVPS Y0, Y11, (DI)(BX*1)

done:
	VZEROUPPER
	RET
