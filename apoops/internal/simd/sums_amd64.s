#include "textflag.h"
#include "edge_amd64.h"

// Loops over float32 that are computed or added up in float64, eight elements at a
// time. The order of operations is that of the twins in sums.go and softmax.go.
//
// All routines of this file have
//
//	DI, R10      the results, or where they are added to
//	SI, DX, R8   the operands, in the order of the arguments
//	BX           the offset in bytes of the next elements
//	CX           the number of elements that are left
//	Y4, Y5       partial sums 0..3 and 4..7, the first kind
//	Y6, Y7       partial sums 0..3 and 4..7, the second kind
//	Y11          the elements of the last vector that are there, of 32 bits each
//	Y12, Y13     its two halves, of 64 bits each
//	Y14, Y15     the numbers among the arguments, in their order

// HALVES sets Y11 to the CX < 8 lowest elements, Y12 and Y13 to its halves, of 64 bits
// each.
#define HALVES \
	EDGE; \
	VPMOVSXDQ X11, Y12; \
	VEXTRACTI128 $1, Y11, X13; \
	VPMOVSXDQ X13, Y13

// WIDEN sets the float64 lo and hi to the eight float32 of x, whose lower half is xlow.
#define WIDEN(x, xlow, lo, hi) \
	VCVTPS2PD xlow, lo; \
	VEXTRACTF128 $1, x, xlow; \
	VCVTPS2PD xlow, hi

// TIMESLESS sets Y0 to y·(dy - dot) of Y0 = y and Y1 = dy.
#define TIMESLESS \
	WIDEN(Y0, X0, Y2, Y3); \
	WIDEN(Y1, X1, Y4, Y5); \
	VSUBPD Y14, Y4, Y4; \
	VSUBPD Y14, Y5, Y5; \
	VMULPD Y4, Y2, Y2; \
	VMULPD Y5, Y3, Y3; \
	VCVTPD2PSY Y2, X0; \
	VCVTPD2PSY Y3, X1; \
	VINSERTF128 $1, X1, Y0, Y0

// func timesLess(dx, y, dy []float32, dot float64)
TEXT ·timesLess(SB), NOSPLIT, $0-80
	MOVQ dx_base+0(FP), DI
	MOVQ dx_len+8(FP), CX
	MOVQ y_base+24(FP), SI
	MOVQ dy_base+48(FP), DX
	VBROADCASTSD dot+72(FP), Y14
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	TIMESLESS
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	HALVES
	VMASKMOVPS (SI)(BX*1), Y11, Y0
	VMASKMOVPS (DX)(BX*1), Y11, Y1
	TIMESLESS
	VMASKMOVPS Y0, Y11, (DI)(BX*1)

done:
	VZEROUPPER
	RET

// func sum(lanes *Lanes, x []float32)
TEXT ·sum(SB), NOSPLIT, $0-32
	MOVQ x_base+8(FP), SI
	MOVQ x_len+16(FP), CX
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5
	SUBQ $8, CX
	JLT  last

loop:
	VCVTPS2PD (SI), Y2
	VCVTPS2PD 16(SI), Y3
	VADDPD Y2, Y4, Y4
	VADDPD Y3, Y5, Y5
	ADDQ $32, SI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	HALVES
	VMASKMOVPS (SI), Y11, Y0
	WIDEN(Y0, X0, Y2, Y3)
	VADDPD Y2, Y4, Y4
	VADDPD Y3, Y5, Y5

done:
	MOVQ lanes+0(FP), AX
	VMOVUPD Y4, (AX)
	VMOVUPD Y5, 32(AX)
	VZEROUPPER
	RET

// DOT adds the products of Y0 and Y1. Those of elements that are not there are 0.
#define DOT \
	WIDEN(Y0, X0, Y2, Y3); \
	WIDEN(Y1, X1, Y8, Y9); \
	VMULPD Y8, Y2, Y2; \
	VMULPD Y9, Y3, Y3; \
	VADDPD Y2, Y4, Y4; \
	VADDPD Y3, Y5, Y5

// func dot(lanes *Lanes, x, y []float32)
TEXT ·dot(SB), NOSPLIT, $0-56
	MOVQ x_base+8(FP), SI
	MOVQ x_len+16(FP), CX
	MOVQ y_base+32(FP), DX
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	DOT
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	HALVES
	VMASKMOVPS (SI)(BX*1), Y11, Y0
	VMASKMOVPS (DX)(BX*1), Y11, Y1
	DOT

done:
	MOVQ lanes+0(FP), AX
	VMOVUPD Y4, (AX)
	VMOVUPD Y5, 32(AX)
	VZEROUPPER
	RET

// func squares(sum, square *Lanes, x []float32, x0 float64)
TEXT ·squares(SB), NOSPLIT, $0-48
	MOVQ x_base+16(FP), SI
	MOVQ x_len+24(FP), CX
	VBROADCASTSD x0+40(FP), Y14
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5
	VXORPD Y6, Y6, Y6
	VXORPD Y7, Y7, Y7
	SUBQ $8, CX
	JLT  last

loop:
	VCVTPS2PD (SI), Y2
	VCVTPS2PD 16(SI), Y3
	VSUBPD Y14, Y2, Y2
	VSUBPD Y14, Y3, Y3
	VADDPD Y2, Y4, Y4
	VADDPD Y3, Y5, Y5
	VMULPD Y2, Y2, Y2
	VMULPD Y3, Y3, Y3
	VADDPD Y2, Y6, Y6
	VADDPD Y3, Y7, Y7
	ADDQ $32, SI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	HALVES
	VMASKMOVPS (SI), Y11, Y0
	WIDEN(Y0, X0, Y2, Y3)
	VSUBPD Y14, Y2, Y2
	VSUBPD Y14, Y3, Y3
	VANDPD Y12, Y2, Y2
	VANDPD Y13, Y3, Y3
	VADDPD Y2, Y4, Y4
	VADDPD Y3, Y5, Y5
	VMULPD Y2, Y2, Y2
	VMULPD Y3, Y3, Y3
	VADDPD Y2, Y6, Y6
	VADDPD Y3, Y7, Y7

done:
	MOVQ sum+0(FP), AX
	VMOVUPD Y4, (AX)
	VMOVUPD Y5, 32(AX)
	MOVQ square+8(FP), AX
	VMOVUPD Y6, (AX)
	VMOVUPD Y7, 32(AX)
	VZEROUPPER
	RET

// XHAT sets Y0 to x̂ of Y0 = x, Y2 to h of Y1 = dy and of Y2 = gain, and Y3 to h·x̂.
#define XHAT \
	VSUBPS Y14, Y0, Y0; \
	VMULPS Y15, Y0, Y0; \
	VMULPS Y2, Y1, Y2; \
	VMULPS Y0, Y2, Y3

// TOSUMS adds h and h·x̂.
#define TOSUMS \
	WIDEN(Y2, X2, Y8, Y9); \
	VADDPD Y8, Y4, Y4; \
	VADDPD Y9, Y5, Y5; \
	WIDEN(Y3, X3, Y8, Y9); \
	VADDPD Y8, Y6, Y6; \
	VADDPD Y9, Y7, Y7

// func normSums(sum, product *Lanes, dgain, dshift, x, dy, gain []float32, mean, inv float32)
TEXT ·normSums(SB), NOSPLIT, $0-144
	MOVQ dgain_base+16(FP), DI
	MOVQ dshift_base+40(FP), R10
	MOVQ x_base+64(FP), SI
	MOVQ dy_base+88(FP), DX
	MOVQ dy_len+96(FP), CX
	MOVQ gain_base+112(FP), R8
	VBROADCASTSS mean+136(FP), Y14
	VBROADCASTSS inv+140(FP), Y15
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5
	VXORPD Y6, Y6, Y6
	VXORPD Y7, Y7, Y7
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	VMOVUPS (R8)(BX*1), Y2
	XHAT
	VMULPS Y0, Y1, Y0
	VADDPS (DI)(BX*1), Y0, Y0
	VMOVUPS Y0, (DI)(BX*1)
	VADDPS (R10)(BX*1), Y1, Y1
	VMOVUPS Y1, (R10)(BX*1)
	TOSUMS
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	HALVES
	VMASKMOVPS (SI)(BX*1), Y11, Y0
	VMASKMOVPS (DX)(BX*1), Y11, Y1
	VMASKMOVPS (R8)(BX*1), Y11, Y2
	XHAT
	VANDPS Y11, Y3, Y3
	VMULPS Y0, Y1, Y0
	VMASKMOVPS (DI)(BX*1), Y11, Y8
	VADDPS Y8, Y0, Y0
	VMASKMOVPS Y0, Y11, (DI)(BX*1)
	VMASKMOVPS (R10)(BX*1), Y11, Y8
	VADDPS Y8, Y1, Y1
	VMASKMOVPS Y1, Y11, (R10)(BX*1)
	TOSUMS

done:
	MOVQ sum+0(FP), AX
	VMOVUPD Y4, (AX)
	VMOVUPD Y5, 32(AX)
	MOVQ product+8(FP), AX
	VMOVUPD Y6, (AX)
	VMOVUPD Y7, 32(AX)
	VZEROUPPER
	RET
