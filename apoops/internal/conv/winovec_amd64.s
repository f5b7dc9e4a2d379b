#include "textflag.h"

// Winograd's transforms of a tile for sixteen channels, an element of each in a vector of
// 512 bits, and the products of the transforms. The functions of winovec.go do the same.
//
// A transform goes over the columns of its source, then over the rows of the result:
//
//	DI, R10      the transforms, and the distance of two of them; R12, R13 are 3 and 5 times that
//	SI, R8       the tile, and the distance of its rows; R9, R11 are 3 and 5 times that
//	BX           memory for the columns
//	Z26..Z31     the points

// Products of eight rows of A and one or two vectors of columns of B:
//
//	DI, DX       C, and the distance of its rows
//	AX, SI       the eight rows of A, and the current step of them
//	R8           the distance of rows of A; R11, R12, R13 are 3, 5 and 7 of them
//	R9, R10      the distances of steps of A and B
//	BX           B

#define PRODUCT \
	MOVQ p+0(FP), R13; \
	MOVQ 0(R13), DI; \
	MOVQ 8(R13), AX; \
	MOVQ 40(R13), R8; \
	MOVQ 48(R13), R9; \
	MOVQ 56(R13), R10; \
	MOVQ 64(R13), DX; \
	MOVQ 24(R13), R13; \
	LEAQ (R8)(R8*2), R11; \
	LEAQ (R8)(R8*4), R12

// NEXT goes to the next matrices, whose number it leaves in the flags.
#define NEXT \
	MOVQ p+0(FP), CX; \
	MOVQ 80(CX), R13; \
	ADDQ R13, 0(CX); \
	MOVQ 88(CX), R13; \
	ADDQ R13, 8(CX); \
	MOVQ 96(CX), R13; \
	ADDQ R13, 16(CX); \
	DECQ 104(CX)

// STEP begins a block of rows.
#define STEP \
	MOVQ p+0(FP), CX; \
	MOVQ 16(CX), BX; \
	MOVQ 32(CX), CX; \
	MOVQ AX, SI

#define POINTS \
	VBROADCASTSS 0(DX), Z26; \
	VBROADCASTSS 4(DX), Z27; \
	VBROADCASTSS 8(DX), Z28; \
	VBROADCASTSS 12(DX), Z29; \
	VBROADCASTSS 16(DX), Z30; \
	VBROADCASTSS 20(DX), Z31

#define DISTANCES \
	LEAQ (R10)(R10*2), R12; \
	LEAQ (R10)(R10*4), R13; \
	LEAQ (R8)(R8*2), R9; \
	LEAQ (R8)(R8*4), R11

#define ARGUMENTS \
	MOVQ v+0(FP), DI; \
	MOVQ stride+8(FP), R10; \
	MOVQ x+16(FP), SI; \
	MOVQ row+24(FP), R8; \
	MOVQ room+32(FP), BX; \
	MOVQ c+40(FP), DX; \
	POINTS; \
	DISTANCES

// STORE6 writes six transforms and goes to the next ones.
#define STORE6(z0, z1, z2, z3, z4, z5) \
	VMOVUPS z0, (DI); \
	VMOVUPS z1, (DI)(R10*1); \
	VMOVUPS z2, (DI)(R10*2); \
	VMOVUPS z3, (DI)(R12*1); \
	VMOVUPS z4, (DI)(R10*4); \
	VMOVUPS z5, (DI)(R13*1); \
	LEAQ (DI)(R12*2), DI

// INPUT computes Bᵀ·x of Z0..Z5 in Z4, Z7, Z12, Z9, Z14 and Z5, with the points a, b, a²,
// b², a²b² and a²+b².
#define INPUT \
	VMOVAPS Z4, Z12; \
	VMOVAPS Z3, Z13; \
	VMOVAPS Z4, Z14; \
	VMOVAPS Z3, Z15; \
	VFNMADD231PS Z29, Z2, Z12; \
	VFNMADD231PS Z29, Z1, Z13; \
	VFNMADD231PS Z28, Z2, Z14; \
	VFNMADD231PS Z28, Z1, Z15; \
	VFNMADD231PS Z31, Z2, Z4; \
	VFNMADD231PS Z31, Z3, Z5; \
	VMOVAPS Z12, Z7; \
	VMOVAPS Z14, Z9; \
	VFMADD231PS Z26, Z13, Z7; \
	VFNMADD231PS Z26, Z13, Z12; \
	VFMADD231PS Z27, Z15, Z9; \
	VFNMADD231PS Z27, Z15, Z14; \
	VFMADD231PS Z30, Z0, Z4; \
	VFMADD231PS Z30, Z1, Z5

// func winoInputAVX512(v *float32, stride uintptr, x *float32, row uintptr, room *winoRoom, c *[6]float32)
TEXT ·winoInputAVX512(SB), NOSPLIT, $0-48
	ARGUMENTS
	MOVQ BX, AX
	MOVQ $6, CX

columns:
	VMOVUPS (SI), Z0
	VMOVUPS (SI)(R8*1), Z1
	VMOVUPS (SI)(R8*2), Z2
	VMOVUPS (SI)(R9*1), Z3
	VMOVUPS (SI)(R8*4), Z4
	VMOVUPS (SI)(R11*1), Z5
	INPUT
	VMOVUPS Z4, 0(AX)
	VMOVUPS Z7, 384(AX)
	VMOVUPS Z12, 768(AX)
	VMOVUPS Z9, 1152(AX)
	VMOVUPS Z14, 1536(AX)
	VMOVUPS Z5, 1920(AX)
	ADDQ $64, SI
	ADDQ $64, AX
	DECQ CX
	JNZ  columns

	MOVQ $6, CX

rows:
	VMOVUPS 0(BX), Z0
	VMOVUPS 64(BX), Z1
	VMOVUPS 128(BX), Z2
	VMOVUPS 192(BX), Z3
	VMOVUPS 256(BX), Z4
	VMOVUPS 320(BX), Z5
	INPUT
	STORE6(Z4, Z7, Z12, Z9, Z14, Z5)
	ADDQ $384, BX
	DECQ CX
	JNZ  rows
	VZEROUPPER
	RET

// SPREAD computes A·y of Z0..Z3 in Z0, Z6, Z7, Z10, Z11 and Z3, with the points a, b, a²,
// b², a³ and b³.
#define SPREAD \
	VMOVAPS Z0, Z4; \
	VMOVAPS Z0, Z8; \
	VMULPS Z26, Z1, Z5; \
	VMULPS Z27, Z1, Z9; \
	VFMADD231PS Z28, Z2, Z4; \
	VFMADD231PS Z29, Z2, Z8; \
	VFMADD231PS Z30, Z3, Z5; \
	VFMADD231PS Z31, Z3, Z9; \
	VADDPS Z5, Z4, Z6; \
	VSUBPS Z5, Z4, Z7; \
	VADDPS Z9, Z8, Z10; \
	VSUBPS Z9, Z8, Z11

// func winoSpreadAVX512(v *float32, stride uintptr, x *float32, row uintptr, room *winoRoom, c *[6]float32)
TEXT ·winoSpreadAVX512(SB), NOSPLIT, $0-48
	ARGUMENTS
	MOVQ BX, AX
	MOVQ $4, CX

columns:
	VMOVUPS (SI), Z0
	VMOVUPS (SI)(R8*1), Z1
	VMOVUPS (SI)(R8*2), Z2
	VMOVUPS (SI)(R9*1), Z3
	SPREAD
	VMOVUPS Z0, 0(AX)
	VMOVUPS Z6, 384(AX)
	VMOVUPS Z7, 768(AX)
	VMOVUPS Z10, 1152(AX)
	VMOVUPS Z11, 1536(AX)
	VMOVUPS Z3, 1920(AX)
	ADDQ $64, SI
	ADDQ $64, AX
	DECQ CX
	JNZ  columns

	MOVQ $6, CX

rows:
	VMOVUPS 0(BX), Z0
	VMOVUPS 64(BX), Z1
	VMOVUPS 128(BX), Z2
	VMOVUPS 192(BX), Z3
	SPREAD
	STORE6(Z0, Z6, Z7, Z10, Z11, Z3)
	ADDQ $384, BX
	DECQ CX
	JNZ  rows
	VZEROUPPER
	RET

// RESULT computes Aᵀ·m of Z0..Z5 in Z0, Z13, Z14 and Z5, with the points of SPREAD.
#define RESULT \
	VADDPS Z2, Z1, Z6; \
	VSUBPS Z2, Z1, Z7; \
	VADDPS Z4, Z3, Z8; \
	VSUBPS Z4, Z3, Z9; \
	VADDPS Z6, Z0, Z0; \
	VMULPS Z26, Z7, Z13; \
	VMULPS Z28, Z6, Z14; \
	VFMADD231PS Z30, Z7, Z5; \
	VADDPS Z8, Z0, Z0; \
	VFMADD231PS Z27, Z9, Z13; \
	VFMADD231PS Z29, Z8, Z14; \
	VFMADD231PS Z31, Z9, Z5

// func winoResultAVX512(v *float32, stride uintptr, x *float32, row uintptr, room *winoRoom, c *[6]float32, bias *[16]float32)
TEXT ·winoResultAVX512(SB), NOSPLIT, $0-56
	ARGUMENTS
	MOVQ bias+48(FP), AX
	VMOVUPS (AX), Z25
	MOVQ BX, AX
	MOVQ $6, CX
	LEAQ (R12)(R12*1), DX // six rows of transforms

	// Column j of the transforms is numbers j, 6+j and so on.
columns:
	MOVQ DI, R9
	VMOVUPS (R9), Z0
	ADDQ DX, R9
	VMOVUPS (R9), Z1
	ADDQ DX, R9
	VMOVUPS (R9), Z2
	ADDQ DX, R9
	VMOVUPS (R9), Z3
	ADDQ DX, R9
	VMOVUPS (R9), Z4
	ADDQ DX, R9
	VMOVUPS (R9), Z5
	RESULT
	VMOVUPS Z0, 0(AX)
	VMOVUPS Z13, 384(AX)
	VMOVUPS Z14, 768(AX)
	VMOVUPS Z5, 1152(AX)
	ADDQ R10, DI
	ADDQ $64, AX
	DECQ CX
	JNZ  columns

	MOVQ $4, CX

rows:
	VADDPS 0(BX), Z25, Z0
	VMOVUPS 64(BX), Z1
	VMOVUPS 128(BX), Z2
	VMOVUPS 192(BX), Z3
	VMOVUPS 256(BX), Z4
	VMOVUPS 320(BX), Z5
	RESULT
	VADDPS Z25, Z13, Z13
	VADDPS Z25, Z14, Z14
	VADDPS Z25, Z5, Z5
	VMOVUPS Z0, 0(SI)
	VMOVUPS Z13, 64(SI)
	VMOVUPS Z14, 128(SI)
	VMOVUPS Z5, 192(SI)
	ADDQ R8, SI
	ADDQ $384, BX
	DECQ CX
	JNZ  rows
	VZEROUPPER
	RET

#define BOTH(a, z, p, q) \
	VBROADCASTSS a, z; \
	VFMADD231PS Z28, z, p; \
	VFMADD231PS Z29, z, q

#define CLEAR(z) VPXORD z, z, z

#define SAVE2(p, q) \
	VMOVUPS p, (DI); \
	VMOVUPS q, 64(DI); \
	ADDQ DX, DI

#define SAVE1(p) \
	VMOVUPS p, (DI); \
	ADDQ DX, DI

#define ADD2(p, q) \
	VADDPS (DI), p, p; \
	VADDPS 64(DI), q, q; \
	SAVE2(p, q)

#define ADD1(p) \
	VADDPS (DI), p, p; \
	SAVE1(p)

// func winoProduct32AVX512(p *winoProduct)
TEXT ·winoProduct32AVX512(SB), NOSPLIT, $0-8
matrices:
	PRODUCT

rows:
	STEP
	CLEAR(Z0); CLEAR(Z1); CLEAR(Z2); CLEAR(Z3); CLEAR(Z4); CLEAR(Z5); CLEAR(Z6); CLEAR(Z7)
	CLEAR(Z8); CLEAR(Z9); CLEAR(Z10); CLEAR(Z11); CLEAR(Z12); CLEAR(Z13); CLEAR(Z14); CLEAR(Z15)

steps:
	VMOVUPS (BX), Z28
	VMOVUPS 64(BX), Z29
	LEAQ (SI)(R8*1), R15
	BOTH((SI), Z30, Z0, Z1)
	BOTH((SI)(R8*1), Z31, Z2, Z3)
	BOTH((SI)(R8*2), Z30, Z4, Z5)
	BOTH((SI)(R11*1), Z31, Z6, Z7)
	BOTH((SI)(R8*4), Z30, Z8, Z9)
	BOTH((SI)(R12*1), Z31, Z10, Z11)
	BOTH((SI)(R11*2), Z30, Z12, Z13)
	BOTH((R15)(R11*2), Z31, Z14, Z15)
	ADDQ R9, SI
	ADDQ R10, BX
	DECQ CX
	JNZ  steps

	MOVQ p+0(FP), CX
	CMPQ 72(CX), $0
	JNE  add
	SAVE2(Z0, Z1)
	SAVE2(Z2, Z3)
	SAVE2(Z4, Z5)
	SAVE2(Z6, Z7)
	SAVE2(Z8, Z9)
	SAVE2(Z10, Z11)
	SAVE2(Z12, Z13)
	SAVE2(Z14, Z15)
	JMP next

add:
	ADD2(Z0, Z1)
	ADD2(Z2, Z3)
	ADD2(Z4, Z5)
	ADD2(Z6, Z7)
	ADD2(Z8, Z9)
	ADD2(Z10, Z11)
	ADD2(Z12, Z13)
	ADD2(Z14, Z15)

next:
	LEAQ (AX)(R8*8), AX
	DECQ R13
	JNZ  rows
	NEXT
	JNZ  matrices
	VZEROUPPER
	RET

#define ONE(a, z) VFMADD231PS.BCST a, Z28, z

// func winoProduct16AVX512(p *winoProduct)
TEXT ·winoProduct16AVX512(SB), NOSPLIT, $0-8
matrices:
	PRODUCT

rows:
	STEP
	CLEAR(Z0); CLEAR(Z1); CLEAR(Z2); CLEAR(Z3); CLEAR(Z4); CLEAR(Z5); CLEAR(Z6); CLEAR(Z7)

steps:
	VMOVUPS (BX), Z28
	LEAQ (SI)(R8*1), R15
	ONE((SI), Z0)
	ONE((SI)(R8*1), Z1)
	ONE((SI)(R8*2), Z2)
	ONE((SI)(R11*1), Z3)
	ONE((SI)(R8*4), Z4)
	ONE((SI)(R12*1), Z5)
	ONE((SI)(R11*2), Z6)
	ONE((R15)(R11*2), Z7)
	ADDQ R9, SI
	ADDQ R10, BX
	DECQ CX
	JNZ  steps

	MOVQ p+0(FP), CX
	CMPQ 72(CX), $0
	JNE  add
	SAVE1(Z0)
	SAVE1(Z1)
	SAVE1(Z2)
	SAVE1(Z3)
	SAVE1(Z4)
	SAVE1(Z5)
	SAVE1(Z6)
	SAVE1(Z7)
	JMP next

add:
	ADD1(Z0)
	ADD1(Z1)
	ADD1(Z2)
	ADD1(Z3)
	ADD1(Z4)
	ADD1(Z5)
	ADD1(Z6)
	ADD1(Z7)

next:
	LEAQ (AX)(R8*8), AX
	DECQ R13
	JNZ  rows
	NEXT
	JNZ  matrices
	VZEROUPPER
	RET
