#include "textflag.h"

// Loops of batch norm over the bits of blocks of sixteen channels, a vector for an element
// of each, with AVX-512. The order of operations is that of simd's loops on float32.
//
//	DI           the result, or the sums
//	SI, DX       x and dy
//	CX           the number of elements of all channels that are left
//	R8           the BlockNorm: mean, F, shift, slope and level 64 bytes apart
//	Z8, Z9       the first sum of channels 0..7 and 8..15
//	Z10, Z11     the second
//	Z16..Z20     mean, F, shift, slope and level
//	Z21          zeros
//	Z22          1 in all elements for the sums
//	Z23..Z25     the quiet bit, 0x7fff and 1, for ROUND

// EXPAND makes the float32 of sixteen elements.
#define EXPAND(from, to) \
	VPMOVZXWD from, to; \
	VPSLLD $16, to, to

#define ROUNDCONSTANTS \
	MOVL $0x00400000, AX; \
	VPBROADCASTD AX, Z23; \
	MOVL $0x7fff, AX; \
	VPBROADCASTD AX, Z24; \
	MOVL $1, AX; \
	VPBROADCASTD AX, Z25

// ROUND writes the float32 of Z0 as bfloat16, nearest to even; NaNs become quiet.
#define ROUND(to) \
	VPSRLD $16, Z0, Z1; \
	VPANDD Z25, Z1, Z1; \
	VCMPPS $3, Z0, Z0, K2; \
	VPADDD Z24, Z1, Z1; \
	VPADDD Z0, Z1, Z1; \
	VPORD Z23, Z0, K2, Z1; \
	VPSRLD $16, Z1, Z1; \
	VPMOVDW Z1, to

#define LOADSUMS \
	VMOVUPD (DI), Z8; \
	VMOVUPD 64(DI), Z9; \
	VMOVUPD 128(DI), Z10; \
	VMOVUPD 192(DI), Z11

#define STORESUMS \
	VMOVUPD Z8, (DI); \
	VMOVUPD Z9, 64(DI); \
	VMOVUPD Z10, 128(DI); \
	VMOVUPD Z11, 192(DI)

#define LOADNORM \
	VMOVUPS (R8), Z16; \
	VMOVUPS 64(R8), Z17; \
	VMOVUPS 128(R8), Z18; \
	VMOVUPS 192(R8), Z19; \
	VMOVUPS 256(R8), Z20; \
	VPXORD Z21, Z21, Z21

// SQUARES adds eight channels, whose first elements are in x0.
#define SQUARES(at, x0, s, q) \
	VPMOVZXWD at(SI), Y0; \
	VPSLLD $16, Y0, Y0; \
	VCVTPS2PD Y0, Z0; \
	VSUBPD x0, Z0, Z0; \
	VADDPD Z0, s, s; \
	VMULPD Z0, Z0, Z0; \
	VADDPD Z0, q, q

// ADD adds the sixteen float32 of x, whose lower half is xlow, to the float64 lo and hi.
#define ADD(x, xlow, lo, hi) \
	VCVTPS2PD xlow, Z3; \
	VADDPD Z3, lo, lo; \
	VEXTRACTF64X4 $1, x, xlow; \
	VCVTPS2PD xlow, Z3; \
	VADDPD Z3, hi, hi

// OPERANDS sets Z0 to x - mean and Z1 to dy.
#define OPERANDS \
	EXPAND((SI), Z0); \
	EXPAND((DX), Z1); \
	VSUBPS Z16, Z0, Z0

// RELU multiplies Z1 = dy by factor where Z0 = x - mean passes ReLU, by 0 elsewhere.
#define RELU(factor) \
	VMULPS Z17, Z0, Z2; \
	VADDPS Z18, Z2, Z2; \
	VCMPPS $0x1e, Z21, Z2, K1; \
	VMOVAPS.Z factor, K1, Z2; \
	VMULPS Z2, Z1, Z1

// TOSUMS adds Z1·Z0 and Z1.
#define TOSUMS \
	VMULPS Z0, Z1, Z2; \
	ADD(Z2, Y2, Z8, Z9); \
	ADD(Z1, Y1, Z10, Z11)

// AFFINE sets Z0 = (x - mean)·F + shift.
#define AFFINE \
	EXPAND((SI), Z0); \
	VSUBPS Z16, Z0, Z0; \
	VMULPS Z17, Z0, Z0; \
	VADDPS Z18, Z0, Z0

// GRAD sets Z0 = dx from Z0 = x - mean and Z1 = dy·F.
#define GRAD \
	VMULPS Z19, Z0, Z0; \
	VSUBPS Z0, Z1, Z0; \
	VSUBPS Z20, Z0, Z0

// func squares(s *simd.BlockSums, x []uint16, x0 *[simd.Block]float64)
TEXT ·squares(SB), NOSPLIT, $0-40
	MOVQ s+0(FP), DI
	MOVQ x_base+8(FP), SI
	MOVQ x_len+16(FP), CX
	MOVQ x0+32(FP), AX
	VMOVUPD (AX), Z4
	VMOVUPD 64(AX), Z5
	LOADSUMS
	JMP test

loop:
	SQUARES(0, Z4, Z8, Z10)
	SQUARES(16, Z5, Z9, Z11)
	ADDQ $32, SI

test:
	SUBQ $16, CX
	JGE  loop
	STORESUMS
	VZEROUPPER
	RET

// func products(s *simd.BlockSums, x, dy []uint16, n *simd.BlockNorm)
TEXT ·products(SB), NOSPLIT, $0-64
	MOVQ s+0(FP), DI
	MOVQ x_base+8(FP), SI
	MOVQ x_len+16(FP), CX
	MOVQ dy_base+32(FP), DX
	MOVQ n+56(FP), R8
	LOADNORM
	LOADSUMS
	JMP test

loop:
	OPERANDS
	TOSUMS
	ADDQ $32, SI
	ADDQ $32, DX

test:
	SUBQ $16, CX
	JGE  loop
	STORESUMS
	VZEROUPPER
	RET

// func reluProducts(s *simd.BlockSums, x, dy []uint16, n *simd.BlockNorm)
TEXT ·reluProducts(SB), NOSPLIT, $0-64
	MOVQ s+0(FP), DI
	MOVQ x_base+8(FP), SI
	MOVQ x_len+16(FP), CX
	MOVQ dy_base+32(FP), DX
	MOVQ n+56(FP), R8
	LOADNORM
	LOADSUMS
	MOVL $0x3f800000, AX
	VPBROADCASTD AX, Z22
	JMP  test

loop:
	OPERANDS
	RELU(Z22)
	TOSUMS
	ADDQ $32, SI
	ADDQ $32, DX

test:
	SUBQ $16, CX
	JGE  loop
	STORESUMS
	VZEROUPPER
	RET

// func affine(y, x []uint16, n *simd.BlockNorm)
TEXT ·affine(SB), NOSPLIT, $0-56
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ n+48(FP), R8
	LOADNORM
	ROUNDCONSTANTS
	JMP test

loop:
	AFFINE
	ROUND((DI))
	ADDQ $32, SI
	ADDQ $32, DI

test:
	SUBQ $16, CX
	JGE  loop
	VZEROUPPER
	RET

// func reluAffine(y, x []uint16, n *simd.BlockNorm)
TEXT ·reluAffine(SB), NOSPLIT, $0-56
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ n+48(FP), R8
	LOADNORM
	ROUNDCONSTANTS
	JMP test

loop:
	AFFINE
	VCMPPS $0x16, Z21, Z0, K1 // not (y <= 0): NaNs stay, -0 becomes 0
	VMOVAPS.Z Z0, K1, Z0
	ROUND((DI))
	ADDQ $32, SI
	ADDQ $32, DI

test:
	SUBQ $16, CX
	JGE  loop
	VZEROUPPER
	RET

// func grad(dx, x, dy []uint16, n *simd.BlockNorm)
TEXT ·grad(SB), NOSPLIT, $0-80
	MOVQ dx_base+0(FP), DI
	MOVQ dx_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ dy_base+48(FP), DX
	MOVQ n+72(FP), R8
	LOADNORM
	ROUNDCONSTANTS
	JMP test

loop:
	OPERANDS
	VMULPS Z17, Z1, Z1
	GRAD
	ROUND((DI))
	ADDQ $32, SI
	ADDQ $32, DX
	ADDQ $32, DI

test:
	SUBQ $16, CX
	JGE  loop
	VZEROUPPER
	RET

// func reluGrad(dx, x, dy []uint16, n *simd.BlockNorm)
TEXT ·reluGrad(SB), NOSPLIT, $0-80
	MOVQ dx_base+0(FP), DI
	MOVQ dx_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ dy_base+48(FP), DX
	MOVQ n+72(FP), R8
	LOADNORM
	ROUNDCONSTANTS
	JMP test

loop:
	OPERANDS
	RELU(Z17)
	GRAD
	ROUND((DI))
	ADDQ $32, SI
	ADDQ $32, DX
	ADDQ $32, DI

test:
	SUBQ $16, CX
	JGE  loop
	VZEROUPPER
	RET
