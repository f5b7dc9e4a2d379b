#include "textflag.h"

// Transforms of eight kernels 3×3, one for each element of a vector; as for the
// tiles, the order of operations is that of the Go functions.

// POINTS loads ga, ga·a², ga·a, gb, gb·b², gb·b and g0 to Y9..Y15.
#define POINTS \
	VBROADCASTSS 0(DX), Y9; \
	VBROADCASTSS 4(DX), Y10; \
	VBROADCASTSS 8(DX), Y11; \
	VBROADCASTSS 12(DX), Y12; \
	VBROADCASTSS 16(DX), Y13; \
	VBROADCASTSS 20(DX), Y14; \
	VBROADCASTSS 24(DX), Y15

// KERNEL computes G·w of Y0..Y2 in Y0, Y5, Y6, Y7, Y8 and Y2.
#define KERNEL \
	VMULPS Y9, Y0, Y3; \
	VMULPS Y10, Y2, Y4; \
	VADDPS Y4, Y3, Y3; \
	VMULPS Y11, Y1, Y4; \
	VADDPS Y4, Y3, Y5; \
	VSUBPS Y4, Y3, Y6; \
	VMULPS Y12, Y0, Y3; \
	VMULPS Y13, Y2, Y4; \
	VADDPS Y4, Y3, Y3; \
	VMULPS Y14, Y1, Y4; \
	VADDPS Y4, Y3, Y7; \
	VSUBPS Y4, Y3, Y8; \
	VMULPS Y15, Y0, Y0

// func winoKernelsAVX(u *float32, stride uintptr, w *float32, step int, b *[36][8]float32, c *[7]float32)
TEXT ·winoKernelsAVX(SB), NOSPLIT, $0-48
	MOVQ u+0(FP), DI
	MOVQ stride+8(FP), R10
	MOVQ w+16(FP), SI
	MOVQ step+24(FP), R8
	MOVQ b+32(FP), BX
	MOVQ c+40(FP), DX
	POINTS
	LEAQ (R8)(R8*2), R9
	MOVQ BX, AX
	MOVQ $3, CX

columns:
	VMOVUPS (SI), Y0
	VMOVUPS (SI)(R9*1), Y1
	VMOVUPS (SI)(R9*2), Y2
	KERNEL
	VMOVUPS Y0, 0(AX)
	VMOVUPS Y5, 96(AX)
	VMOVUPS Y6, 192(AX)
	VMOVUPS Y7, 288(AX)
	VMOVUPS Y8, 384(AX)
	VMOVUPS Y2, 480(AX)
	ADDQ R8, SI
	ADDQ $32, AX
	DECQ CX
	JNZ  columns

	LEAQ (R10)(R10*2), R9
	LEAQ (R10)(R10*4), R11
	LEAQ (R9)(R9*1), R12
	MOVQ $6, CX

rows:
	VMOVUPS 0(BX), Y0
	VMOVUPS 32(BX), Y1
	VMOVUPS 64(BX), Y2
	KERNEL
	VMOVUPS Y0, (DI)
	VMOVUPS Y5, (DI)(R10*1)
	VMOVUPS Y6, (DI)(R10*2)
	VMOVUPS Y7, (DI)(R9*1)
	VMOVUPS Y8, (DI)(R10*4)
	VMOVUPS Y2, (DI)(R11*1)
	ADDQ R12, DI
	ADDQ $96, BX
	DECQ CX
	JNZ  rows
	VZEROUPPER
	RET

// BACK computes Gᵀ·u of Y0..Y5 in Y0, Y1 and Y2.
#define BACK \
	VADDPS Y2, Y1, Y6; \
	VSUBPS Y2, Y1, Y7; \
	VADDPS Y4, Y3, Y8; \
	VSUBPS Y4, Y3, Y3; \
	VMULPS Y11, Y7, Y7; \
	VMULPS Y14, Y3, Y3; \
	VADDPS Y3, Y7, Y1; \
	VMULPS Y9, Y6, Y7; \
	VMULPS Y12, Y8, Y3; \
	VADDPS Y3, Y7, Y7; \
	VMULPS Y15, Y0, Y0; \
	VADDPS Y7, Y0, Y0; \
	VMULPS Y10, Y6, Y6; \
	VMULPS Y13, Y8, Y8; \
	VADDPS Y8, Y6, Y6; \
	VADDPS Y6, Y5, Y2

// func winoKernelsBackAVX(w *float32, step int, u *float32, stride uintptr, b *[36][8]float32, c *[7]float32)
TEXT ·winoKernelsBackAVX(SB), NOSPLIT, $0-48
	MOVQ w+0(FP), DI
	MOVQ step+8(FP), R8
	MOVQ u+16(FP), SI
	MOVQ stride+24(FP), R10
	MOVQ b+32(FP), BX
	MOVQ c+40(FP), DX
	POINTS
	LEAQ (R10)(R10*2), R11
	ADDQ R11, R11
	LEAQ (R11)(R11*2), R12
	LEAQ (R11)(R11*4), R13
	MOVQ BX, AX
	MOVQ $6, CX

columns:
	VMOVUPS (SI), Y0
	VMOVUPS (SI)(R11*1), Y1
	VMOVUPS (SI)(R11*2), Y2
	VMOVUPS (SI)(R12*1), Y3
	VMOVUPS (SI)(R11*4), Y4
	VMOVUPS (SI)(R13*1), Y5
	BACK
	VMOVUPS Y0, 0(AX)
	VMOVUPS Y1, 192(AX)
	VMOVUPS Y2, 384(AX)
	ADDQ R10, SI
	ADDQ $32, AX
	DECQ CX
	JNZ  columns

	LEAQ (R8)(R8*2), R9
	MOVQ $3, CX

rows:
	VMOVUPS 0(BX), Y0
	VMOVUPS 32(BX), Y1
	VMOVUPS 64(BX), Y2
	VMOVUPS 96(BX), Y3
	VMOVUPS 128(BX), Y4
	VMOVUPS 160(BX), Y5
	BACK
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, (DI)(R8*1)
	VMOVUPS Y2, (DI)(R8*2)
	ADDQ R9, DI
	ADDQ $192, BX
	DECQ CX
	JNZ  rows
	VZEROUPPER
	RET
