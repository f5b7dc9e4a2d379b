#include "textflag.h"

// Loops of batch norm over blocks of sixteen channels, an element of each at a time, as
// two vectors of eight float32. The order of operations is that of the twins in
// blocked.go.
//
//	DI           the result, or the sums
//	SI, DX       x and dy
//	BX           the offset in bytes of the next elements
//	CX           the number of bytes
//	R8           the BlockNorm: mean, F, shift, slope and level 64 bytes apart
//	Y8..Y11      the first sum of the channels, four a vector
//	Y12..Y15     the second
//	Y6           zeros

#define LOADSUMS \
	VMOVUPD (DI), Y8; \
	VMOVUPD 32(DI), Y9; \
	VMOVUPD 64(DI), Y10; \
	VMOVUPD 96(DI), Y11; \
	VMOVUPD 128(DI), Y12; \
	VMOVUPD 160(DI), Y13; \
	VMOVUPD 192(DI), Y14; \
	VMOVUPD 224(DI), Y15

#define STORESUMS \
	VMOVUPD Y8, (DI); \
	VMOVUPD Y9, 32(DI); \
	VMOVUPD Y10, 64(DI); \
	VMOVUPD Y11, 96(DI); \
	VMOVUPD Y12, 128(DI); \
	VMOVUPD Y13, 160(DI); \
	VMOVUPD Y14, 192(DI); \
	VMOVUPD Y15, 224(DI)

// ADD adds the eight float32 of x, whose lower half is xlow, to the float64 lo and hi.
#define ADD(x, xlow, lo, hi) \
	VCVTPS2PD xlow, Y3; \
	VADDPD Y3, lo, lo; \
	VEXTRACTF128 $1, x, xlow; \
	VCVTPS2PD xlow, Y3; \
	VADDPD Y3, hi, hi

// SQUARES adds four channels, whose first elements are in x0.
#define SQUARES(at, x0, s, q) \
	VCVTPS2PD at(SI)(BX*1), Y0; \
	VSUBPD x0, Y0, Y0; \
	VADDPD Y0, s, s; \
	VMULPD Y0, Y0, Y0; \
	VADDPD Y0, q, q

// PRODUCTS adds eight channels.
#define PRODUCTS(at, p, q, s, r) \
	VMOVUPS at(SI)(BX*1), Y0; \
	VMOVUPS at(DX)(BX*1), Y1; \
	VSUBPS at(R8), Y0, Y0; \
	VMULPS Y0, Y1, Y2; \
	ADD(Y2, X2, p, q); \
	ADD(Y1, X1, s, r)

// RELU multiplies Y1 = dy by factor where Y0 = x - mean passes ReLU, by 0 elsewhere.
#define RELU(f, shift, factor) \
	VMULPS f, Y0, Y2; \
	VADDPS shift, Y2, Y2; \
	VCMPPS $0x1e, Y6, Y2, Y2; \
	VANDPS factor, Y2, Y2; \
	VMULPS Y2, Y1, Y1

#define RELUPRODUCTS(at, p, q, s, r) \
	VMOVUPS at(SI)(BX*1), Y0; \
	VMOVUPS at(DX)(BX*1), Y1; \
	VSUBPS at(R8), Y0, Y0; \
	RELU((64+at)(R8), (128+at)(R8), Y7); \
	VMULPS Y0, Y1, Y2; \
	ADD(Y2, X2, p, q); \
	ADD(Y1, X1, s, r)

// func blockSquares(s *BlockSums, x []float32, x0 *[Block]float64)
TEXT ·blockSquares(SB), NOSPLIT, $0-40
	MOVQ s+0(FP), DI
	MOVQ x_base+8(FP), SI
	MOVQ x_len+16(FP), CX
	MOVQ x0+32(FP), AX
	VMOVUPD (AX), Y4
	VMOVUPD 32(AX), Y5
	VMOVUPD 64(AX), Y6
	VMOVUPD 96(AX), Y7
	LOADSUMS
	SHLQ $2, CX
	XORQ BX, BX
	JMP  test

loop:
	SQUARES(0, Y4, Y8, Y12)
	SQUARES(16, Y5, Y9, Y13)
	SQUARES(32, Y6, Y10, Y14)
	SQUARES(48, Y7, Y11, Y15)
	ADDQ $64, BX

test:
	CMPQ BX, CX
	JLT  loop
	STORESUMS
	VZEROUPPER
	RET

// func blockProducts(s *BlockSums, x, dy []float32, n *BlockNorm)
TEXT ·blockProducts(SB), NOSPLIT, $0-64
	MOVQ s+0(FP), DI
	MOVQ x_base+8(FP), SI
	MOVQ x_len+16(FP), CX
	MOVQ dy_base+32(FP), DX
	MOVQ n+56(FP), R8
	LOADSUMS
	SHLQ $2, CX
	XORQ BX, BX
	JMP  test

loop:
	PRODUCTS(0, Y8, Y9, Y12, Y13)
	PRODUCTS(32, Y10, Y11, Y14, Y15)
	ADDQ $64, BX

test:
	CMPQ BX, CX
	JLT  loop
	STORESUMS
	VZEROUPPER
	RET

// func blockReLUProducts(s *BlockSums, x, dy []float32, n *BlockNorm)
TEXT ·blockReLUProducts(SB), NOSPLIT, $0-64
	MOVQ s+0(FP), DI
	MOVQ x_base+8(FP), SI
	MOVQ x_len+16(FP), CX
	MOVQ dy_base+32(FP), DX
	MOVQ n+56(FP), R8
	LOADSUMS
	MOVL $0x3f800000, AX
	MOVL AX, X7
	VPBROADCASTD X7, Y7
	VXORPS Y6, Y6, Y6
	SHLQ $2, CX
	XORQ BX, BX
	JMP  test

loop:
	RELUPRODUCTS(0, Y8, Y9, Y12, Y13)
	RELUPRODUCTS(32, Y10, Y11, Y14, Y15)
	ADDQ $64, BX

test:
	CMPQ BX, CX
	JLT  loop
	STORESUMS
	VZEROUPPER
	RET

// func blockAffine(y, x []float32, n *BlockNorm)
TEXT ·blockAffine(SB), NOSPLIT, $0-56
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ n+48(FP), R8
	VMOVUPS (R8), Y8
	VMOVUPS 32(R8), Y9
	VMOVUPS 64(R8), Y10
	VMOVUPS 96(R8), Y11
	VMOVUPS 128(R8), Y12
	VMOVUPS 160(R8), Y13
	SHLQ $2, CX
	XORQ BX, BX
	JMP  test

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS 32(SI)(BX*1), Y1
	VSUBPS Y8, Y0, Y0
	VSUBPS Y9, Y1, Y1
	VMULPS Y10, Y0, Y0
	VMULPS Y11, Y1, Y1
	VADDPS Y12, Y0, Y0
	VADDPS Y13, Y1, Y1
	VMOVUPS Y0, (DI)(BX*1)
	VMOVUPS Y1, 32(DI)(BX*1)
	ADDQ $64, BX

test:
	CMPQ BX, CX
	JLT  loop
	VZEROUPPER
	RET

// GRAD sets eight channels of dx from Y0 = x - mean and Y1 = dy·f.
#define GRAD(at) \
	VMULPS (192+at)(R8), Y0, Y0; \
	VSUBPS Y0, Y1, Y1; \
	VSUBPS (256+at)(R8), Y1, Y1; \
	VMOVUPS Y1, at(DI)(BX*1)

// func blockGrad(dx, x, dy []float32, n *BlockNorm)
TEXT ·blockGrad(SB), NOSPLIT, $0-80
	MOVQ dx_base+0(FP), DI
	MOVQ dx_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ dy_base+48(FP), DX
	MOVQ n+72(FP), R8
	VMOVUPS (R8), Y8
	VMOVUPS 32(R8), Y9
	VMOVUPS 64(R8), Y10
	VMOVUPS 96(R8), Y11
	SHLQ $2, CX
	XORQ BX, BX
	JMP  test

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	VSUBPS Y8, Y0, Y0
	VMULPS Y10, Y1, Y1
	GRAD(0)
	VMOVUPS 32(SI)(BX*1), Y0
	VMOVUPS 32(DX)(BX*1), Y1
	VSUBPS Y9, Y0, Y0
	VMULPS Y11, Y1, Y1
	GRAD(32)
	ADDQ $64, BX

test:
	CMPQ BX, CX
	JLT  loop
	VZEROUPPER
	RET

// func blockReLUGrad(dx, x, dy []float32, n *BlockNorm)
TEXT ·blockReLUGrad(SB), NOSPLIT, $0-80
	MOVQ dx_base+0(FP), DI
	MOVQ dx_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ dy_base+48(FP), DX
	MOVQ n+72(FP), R8
	VMOVUPS (R8), Y8
	VMOVUPS 32(R8), Y9
	VMOVUPS 64(R8), Y10
	VMOVUPS 96(R8), Y11
	VMOVUPS 128(R8), Y12
	VMOVUPS 160(R8), Y13
	VXORPS Y6, Y6, Y6
	SHLQ $2, CX
	XORQ BX, BX
	JMP  test

loop:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (DX)(BX*1), Y1
	VSUBPS Y8, Y0, Y0
	RELU(Y10, Y12, Y10)
	GRAD(0)
	VMOVUPS 32(SI)(BX*1), Y0
	VMOVUPS 32(DX)(BX*1), Y1
	VSUBPS Y9, Y0, Y0
	RELU(Y11, Y13, Y11)
	GRAD(32)
	ADDQ $64, BX

test:
	CMPQ BX, CX
	JLT  loop
	VZEROUPPER
	RET
