#include "textflag.h"
#include "edge_amd64.h"

// Loops of batch norm's gradient, eight float32 at a time; sums are in float64. The
// order of operations is that of the twins in batchnorm.go.
//
// All routines of this file have
//
//	DI           the result
//	SI, DX       x and dy
//	BX           the offset in bytes of the next elements
//	CX           the number of elements that are left
//	Y4, Y5       partial sums 0..3 and 4..7 of the products
//	Y6, Y7       those of dy
//	Y10          1 in all elements for the sums, f for the gradients
//	Y11          the elements of the last vector that are there
//	Y12, Y13     mean, f
//	Y14          shift
//	Y15, Y9      slope and level, for the gradients
//	Y8           zeros

// WIDEN sets the float64 lo and hi to the eight float32 of x, whose lower half is xlow.
#define WIDEN(x, xlow, lo, hi) \
	VCVTPS2PD xlow, lo; \
	VEXTRACTF128 $1, x, xlow; \
	VCVTPS2PD xlow, hi

// RELU multiplies Y1 = dy by Y10 where Y0 = x - mean passes ReLU, by 0 elsewhere. Y8 is
// 0.
#define RELU \
	VMULPS Y13, Y0, Y2; \
	VADDPS Y14, Y2, Y2; \
	VCMPPS $0x1e, Y8, Y2, Y2; \
	VANDPS Y10, Y2, Y2; \
	VMULPS Y2, Y1, Y1

// TOSUMS adds Y2 = dy·(x - mean) and Y1 = dy.
#define TOSUMS \
	WIDEN(Y2, X2, Y3, Y9); \
	VADDPD Y3, Y4, Y4; \
	VADDPD Y9, Y5, Y5; \
	WIDEN(Y1, X1, Y3, Y9); \
	VADDPD Y3, Y6, Y6; \
	VADDPD Y9, Y7, Y7

// func batchSums(product, sum *Lanes, x, dy []float32, mean float32)
TEXT ·batchSums(SB), NOSPLIT, $0-68
	MOVQ x_base+16(FP), SI
	MOVQ dy_base+40(FP), DX
	MOVQ dy_len+48(FP), CX
	VBROADCASTSS mean+64(FP), Y12
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5
	VXORPD Y6, Y6, Y6
	VXORPD Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	VSUBPS Y12, Y0, Y0
	VMULPS Y0, Y1, Y2
	TOSUMS
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	EDGE
	VMASKMOVPS (SI)(BX*1), Y11, Y0
	VMASKMOVPS (DX)(BX*1), Y11, Y1
	VSUBPS Y12, Y0, Y0
	VMULPS Y0, Y1, Y2
	VANDPS Y11, Y2, Y2
	VANDPS Y11, Y1, Y1
	TOSUMS

done:
	MOVQ product+0(FP), AX
	VMOVUPD Y4, (AX)
	VMOVUPD Y5, 32(AX)
	MOVQ sum+8(FP), AX
	VMOVUPD Y6, (AX)
	VMOVUPD Y7, 32(AX)
	VZEROUPPER
	RET

// func batchReLUSums(product, sum *Lanes, x, dy []float32, mean, f, shift float32)
TEXT ·batchReLUSums(SB), NOSPLIT, $0-76
	MOVQ x_base+16(FP), SI
	MOVQ dy_base+40(FP), DX
	MOVQ dy_len+48(FP), CX
	VBROADCASTSS mean+64(FP), Y12
	VBROADCASTSS f+68(FP), Y13
	VBROADCASTSS shift+72(FP), Y14
	MOVL $0x3f800000, AX
	MOVL AX, X10
	VPBROADCASTD X10, Y10
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5
	VXORPD Y6, Y6, Y6
	VXORPD Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	VSUBPS Y12, Y0, Y0
	RELU
	VMULPS Y0, Y1, Y2
	TOSUMS
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	EDGE
	VMASKMOVPS (SI)(BX*1), Y11, Y0
	VMASKMOVPS (DX)(BX*1), Y11, Y1
	VSUBPS Y12, Y0, Y0
	RELU
	VMULPS Y0, Y1, Y2
	VANDPS Y11, Y2, Y2
	VANDPS Y11, Y1, Y1
	TOSUMS

done:
	MOVQ product+0(FP), AX
	VMOVUPD Y4, (AX)
	VMOVUPD Y5, 32(AX)
	MOVQ sum+8(FP), AX
	VMOVUPD Y6, (AX)
	VMOVUPD Y7, 32(AX)
	VZEROUPPER
	RET

// func batchGrad(dx, x, dy []float32, mean, f, slope, level float32)
TEXT ·batchGrad(SB), NOSPLIT, $0-88
	MOVQ dx_base+0(FP), DI
	MOVQ dx_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ dy_base+48(FP), DX
	VBROADCASTSS mean+72(FP), Y12
	VBROADCASTSS f+76(FP), Y13
	VBROADCASTSS slope+80(FP), Y15
	VBROADCASTSS level+84(FP), Y9
	VXORPS Y8, Y8, Y8
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	VSUBPS Y12, Y0, Y0
	VMULPS Y13, Y1, Y1
	VMULPS Y15, Y0, Y0
	VSUBPS Y0, Y1, Y0
	VSUBPS Y9, Y0, Y0
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
	VSUBPS Y12, Y0, Y0
	VMULPS Y13, Y1, Y1
	VMULPS Y15, Y0, Y0
	VSUBPS Y0, Y1, Y0
	VSUBPS Y9, Y0, Y0
	VMASKMOVPS Y0, Y11, (DI)(BX*1)

done:
	VZEROUPPER
	RET

// func batchReLUGrad(dx, x, dy []float32, mean, f, shift, slope, level float32)
TEXT ·batchReLUGrad(SB), NOSPLIT, $0-92
	MOVQ dx_base+0(FP), DI
	MOVQ dx_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ dy_base+48(FP), DX
	VBROADCASTSS mean+72(FP), Y12
	VBROADCASTSS f+76(FP), Y13
	VBROADCASTSS shift+80(FP), Y14
	VBROADCASTSS slope+84(FP), Y15
	VBROADCASTSS level+88(FP), Y9
	VMOVAPS Y13, Y10
	VXORPS Y8, Y8, Y8
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	VSUBPS Y12, Y0, Y0
	RELU
	VMULPS Y15, Y0, Y0
	VSUBPS Y0, Y1, Y0
	VSUBPS Y9, Y0, Y0
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
	VSUBPS Y12, Y0, Y0
	RELU
	VMULPS Y15, Y0, Y0
	VSUBPS Y0, Y1, Y0
	VSUBPS Y9, Y0, Y0
	VMASKMOVPS Y0, Y11, (DI)(BX*1)

done:
	VZEROUPPER
	RET
