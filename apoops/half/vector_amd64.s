#include "textflag.h"
#include "frame_amd64.h"

// ROUNDBF rounds the float32 of A to bfloat16 in its upper halves, with T as scratch:
// Y15 = 0x7fff, Y14 = 1, Y13 = the quiet bit, Y12 = the mask of NaNs.
#define ROUNDBF(A, T) \
	VCMPPS $3, A, A, Y12; \
	VPOR Y13, A, Y11; \
	VPSRLD $16, A, T; \
	VPAND Y14, T, T; \
	VPADDD Y15, A, A; \
	VPADDD T, A, A; \
	VPBLENDVB Y12, Y11, A, A

#define CONSTANTS \
	VPCMPEQD Y10, Y10, Y10; \
	VPSRLD $17, Y10, Y15; \
	VPSRLD $31, Y10, Y14; \
	VPSLLD $22, Y14, Y13; \
	VPSLLD $16, Y10, Y10

// func packFloat16AVX2(dst *uint16, src *float32, n int)
TEXT ·packFloat16AVX2(SB), NOSPLIT, $0-24
	OPERANDS
packHalf:
	VMOVUPS 0(SI), Y0
	VMOVUPS 32(SI), Y1
	VCVTPS2PH $0, Y0, X0
	VCVTPS2PH $0, Y1, X1
	VMOVDQU X0, 0(DI)
	VMOVDQU X1, 16(DI)
	FROMTO(64, 32)
	REPEAT(packHalf, 16)

// func packBFloat16AVX2(dst *uint16, src *float32, n int)
TEXT ·packBFloat16AVX2(SB), NOSPLIT, $0-24
	OPERANDS
	CONSTANTS
packBrain:
	VMOVDQU 0(SI), Y0
	VMOVDQU 32(SI), Y1
	ROUNDBF(Y0, Y2)
	ROUNDBF(Y1, Y3)
	VPSRLD $16, Y0, Y0
	VPSRLD $16, Y1, Y1
	VPACKUSDW Y1, Y0, Y0
	VPERMQ $0xd8, Y0, Y0
	VMOVDQU Y0, 0(DI)
	FROMTO(64, 32)
	REPEAT(packBrain, 16)

// func expandFloat16AVX2(dst *float32, src *uint16, n int)
TEXT ·expandFloat16AVX2(SB), NOSPLIT, $0-24
	OPERANDS
expandHalf:
	VCVTPH2PS 0(SI), Y0
	VCVTPH2PS 16(SI), Y1
	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	FROMTO(32, 64)
	REPEAT(expandHalf, 16)

// func expandBFloat16AVX2(dst *float32, src *uint16, n int)
TEXT ·expandBFloat16AVX2(SB), NOSPLIT, $0-24
	OPERANDS
	CONSTANTS
expandBrain:
	VPMOVZXWD 0(SI), Y0
	VPMOVZXWD 16(SI), Y1
	VPSLLD $16, Y0, Y0
	VPSLLD $16, Y1, Y1
	VCMPPS $3, Y0, Y0, Y2
	VCMPPS $3, Y1, Y1, Y3
	VPAND Y13, Y2, Y2
	VPAND Y13, Y3, Y3
	VPOR Y2, Y0, Y0
	VPOR Y3, Y1, Y1
	VMOVDQU Y0, 0(DI)
	VMOVDQU Y1, 32(DI)
	FROMTO(32, 64)
	REPEAT(expandBrain, 16)

// func roundFloat16AVX2(x *float32, n int)
TEXT ·roundFloat16AVX2(SB), NOSPLIT, $0-16
	INPLACE
roundHalf:
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1
	VCVTPS2PH $0, Y0, X0
	VCVTPS2PH $0, Y1, X1
	VCVTPH2PS X0, Y0
	VCVTPH2PS X1, Y1
	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	ADDQ $64, DI
	REPEAT(roundHalf, 16)

// func roundBFloat16AVX2(x *float32, n int)
TEXT ·roundBFloat16AVX2(SB), NOSPLIT, $0-16
	INPLACE
	CONSTANTS
roundBrain:
	VMOVDQU 0(DI), Y0
	VMOVDQU 32(DI), Y1
	ROUNDBF(Y0, Y2)
	ROUNDBF(Y1, Y3)
	VPAND Y10, Y0, Y0
	VPAND Y10, Y1, Y1
	VMOVDQU Y0, 0(DI)
	VMOVDQU Y1, 32(DI)
	ADDQ $64, DI
	REPEAT(roundBrain, 16)

// Multiples 0 to 7 of SplitMix64's increment, its increment, eight of them, its factors.
DATA splitMix<>+0x00(SB)/8, $0x0000000000000000
DATA splitMix<>+0x08(SB)/8, $0x9e3779b97f4a7c15
DATA splitMix<>+0x10(SB)/8, $0x3c6ef372fe94f82a
DATA splitMix<>+0x18(SB)/8, $0xdaa66d2c7ddf743f
DATA splitMix<>+0x20(SB)/8, $0x78dde6e5fd29f054
DATA splitMix<>+0x28(SB)/8, $0x1715609f7c746c69
DATA splitMix<>+0x30(SB)/8, $0xb54cda58fbbee87e
DATA splitMix<>+0x38(SB)/8, $0x538454127b096493
DATA splitMix<>+0x40(SB)/8, $0x9e3779b97f4a7c15
DATA splitMix<>+0x48(SB)/8, $0xf1bbcdcbfa53e0a8
DATA splitMix<>+0x50(SB)/8, $0xbf58476d1ce4e5b9
DATA splitMix<>+0x58(SB)/8, $0x94d049bb133111eb
GLOBL splitMix<>(SB), RODATA|NOPTR, $0x60

// STATES makes the states of eight elements in Z16 of that of the first one in AX; Z17
// is the increment, Z18 eight of them, Z19 and Z20 the factors.
#define STATES \
	VPBROADCASTQ AX, Z16; \
	VPADDQ splitMix<>+0x00(SB), Z16, Z16; \
	VPBROADCASTQ splitMix<>+0x40(SB), Z17; \
	VPBROADCASTQ splitMix<>+0x48(SB), Z18; \
	VPBROADCASTQ splitMix<>+0x50(SB), Z19; \
	VPBROADCASTQ splitMix<>+0x58(SB), Z20

// DRAW rounds the float32 of Y0 to bfloat16 in its upper halves by 16 random bits each,
// and moves the states on. NaNs become quiet.
#define DRAW \
	VPADDQ Z17, Z16, Z21; \
	VPADDQ Z18, Z16, Z16; \
	VPSRLQ $30, Z21, Z22; \
	VPXORQ Z22, Z21, Z21; \
	VPMULLQ Z19, Z21, Z21; \
	VPSRLQ $27, Z21, Z22; \
	VPXORQ Z22, Z21, Z21; \
	VPMULLQ Z20, Z21, Z21; \
	VPSRLQ $31, Z21, Z22; \
	VPXORQ Z22, Z21, Z21; \
	VPSRLQ $48, Z21, Z21; \
	VPMOVQD Z21, Y1; \
	VCMPPS $3, Y0, Y0, Y12; \
	VPOR Y13, Y0, Y11; \
	VPADDD Y1, Y0, Y0; \
	VPBLENDVB Y12, Y11, Y0, Y0

// func drawBFloat16AVX512(dst *uint16, src *float32, n int, state uint64)
TEXT ·drawBFloat16AVX512(SB), NOSPLIT, $0-32
	OPERANDS
	MOVQ state+24(FP), AX
	CONSTANTS
	STATES
draw:
	VMOVDQU 0(SI), Y0
	DRAW
	VPSRLD $16, Y0, Y0
	VPACKUSDW Y0, Y0, Y0
	VPERMQ $0xd8, Y0, Y0
	VMOVDQU X0, 0(DI)
	FROMTO(32, 16)
	REPEAT(draw, 8)

// func redrawBFloat16AVX512(x *float32, n int, state uint64)
TEXT ·redrawBFloat16AVX512(SB), NOSPLIT, $0-24
	INPLACE
	MOVQ state+16(FP), AX
	CONSTANTS
	STATES
redraw:
	VMOVDQU 0(DI), Y0
	DRAW
	VPAND Y10, Y0, Y0
	VMOVDQU Y0, 0(DI)
	ADDQ $32, DI
	REPEAT(redraw, 8)
