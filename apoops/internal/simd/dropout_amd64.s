#include "textflag.h"

// Dropout, eight elements at a time. The hash is Scramble of dropout.go.
//
// The routines have
//
//	DI, SI   the next elements of the result and of the operand
//	CX       the number of elements that are left
//	R8       the constants
//	K1, Y11  the elements of the last vector that are there

// HASH512 sets Z0 to the hashes of the states Z6 and K2 to those that are kept.
// Z9..13 are 8·Golden, Golden, the factors and the threshold.
#define HASH512 \
	VPADDQ Z10, Z6, Z0; \
	VPADDQ Z9, Z6, Z6; \
	VPSRLQ $30, Z0, Z1; \
	VPXORQ Z1, Z0, Z0; \
	VPMULLQ Z11, Z0, Z0; \
	VPSRLQ $27, Z0, Z1; \
	VPXORQ Z1, Z0, Z0; \
	VPMULLQ Z12, Z0, Z0; \
	VPSRLQ $31, Z0, Z1; \
	VPXORQ Z1, Z0, Z0; \
	VPCMPUQ $5, Z13, Z0, K2

// func dropOutAVX512(y, x []float32, state, threshold uint64, f float32)
TEXT ·dropOutAVX512(SB), NOSPLIT, $0-68
	MOVQ y_base+0(FP), DI
	MOVQ x_base+24(FP), SI
	MOVQ x_len+32(FP), CX
	LEAQ ·scrambleConstants(SB), R8
	VPBROADCASTQ state+48(FP), Z6
	VPADDQ 0(R8), Z6, Z6
	VMOVDQU64 64(R8), Z9
	VMOVDQU64 128(R8), Z10
	VMOVDQU64 192(R8), Z11
	VMOVDQU64 256(R8), Z12
	VPBROADCASTQ threshold+56(FP), Z13
	VBROADCASTSS f+64(FP), Y14
	SUBQ $8, CX
	JLT  last

loop:
	HASH512
	VMOVUPS (SI), Y2
	VMULPS.Z Y14, Y2, K2, Y2
	VMOVUPS Y2, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	MOVL $1, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
	HASH512
	VMOVUPS.Z (SI), K1, Y2
	VMULPS.Z Y14, Y2, K2, Y2
	VMOVUPS Y2, K1, (DI)

done:
	VZEROUPPER
	RET

// MULTIPLY sets Y0 to the low 64 bits of Y0 times the number at c: of the products of
// halves that of the high ones is beyond them. It uses Y1..3.
#define MULTIPLY(c) \
	VMOVDQU c, Y3; \
	VPSRLQ $32, Y0, Y1; \
	VPMULUDQ Y3, Y1, Y1; \
	VPSRLQ $32, Y3, Y2; \
	VPMULUDQ Y2, Y0, Y2; \
	VPADDQ Y2, Y1, Y1; \
	VPSLLQ $32, Y1, Y1; \
	VPMULUDQ Y3, Y0, Y0; \
	VPADDQ Y1, Y0, Y0

// HASH256 sets dropped to whether the hashes of the states s are less than the
// threshold Y13, and advances the states. Y15 is the sign bit: it makes the comparison of
// numbers with a sign one of numbers without.
#define HASH256(s, dropped) \
	VPADDQ 128(R8), s, Y0; \
	VPADDQ 64(R8), s, s; \
	VPSRLQ $30, Y0, Y1; \
	VPXOR Y1, Y0, Y0; \
	MULTIPLY(192(R8)); \
	VPSRLQ $27, Y0, Y1; \
	VPXOR Y1, Y0, Y0; \
	MULTIPLY(256(R8)); \
	VPSRLQ $31, Y0, Y1; \
	VPXOR Y1, Y0, Y0; \
	VPXOR Y15, Y0, Y0; \
	VPCMPGTQ Y0, Y13, dropped

// DROPPED sets Y4 to the elements that are dropped, of 32 bits each.
#define DROPPED \
	HASH256(Y6, Y4); \
	HASH256(Y7, Y5); \
	VSHUFPS $0x88, Y5, Y4, Y4; \
	VPERMQ $0xd8, Y4, Y4

// func dropOutAVX2(y, x []float32, state, threshold uint64, f float32)
TEXT ·dropOutAVX2(SB), NOSPLIT, $0-68
	MOVQ y_base+0(FP), DI
	MOVQ x_base+24(FP), SI
	MOVQ x_len+32(FP), CX
	LEAQ ·scrambleConstants(SB), R8
	VPBROADCASTQ state+48(FP), Y7
	VPADDQ 0(R8), Y7, Y6
	VPADDQ 32(R8), Y7, Y7
	VMOVDQU 320(R8), Y15
	VPBROADCASTQ threshold+56(FP), Y13
	VPXOR Y15, Y13, Y13
	VBROADCASTSS f+64(FP), Y14
	SUBQ $8, CX
	JLT  last

loop:
	DROPPED
	VMULPS (SI), Y14, Y0
	VANDNPS Y0, Y4, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	LEAQ ·edge(SB), AX
	SHLQ $2, CX
	SUBQ CX, AX
	VMOVDQU 32(AX), Y11
	DROPPED
	VMASKMOVPS (SI), Y11, Y0
	VMULPS Y0, Y14, Y0
	VANDNPS Y0, Y4, Y0
	VMASKMOVPS Y0, Y11, (DI)

done:
	VZEROUPPER
	RET
