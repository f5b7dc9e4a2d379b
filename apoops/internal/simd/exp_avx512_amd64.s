#include "textflag.h"

// Exponentials of eight float64 at a time. The order of operations is that of
// ExpParts and Exp in exp.go.
//
// All routines of this file have
//
//	SI, DI  the next elements of the operand and of the result
//	CX      the number of elements that are left
//	K1      the elements of the last vector that are there
//	Z6, Z7  m in all elements, the partial sums
//	Z8, Z9  less and f of expLess
//	Z16..21 1/unit, toInt, c4, c3, c2, unit
//	Z22..24 -limit, limit, +Inf
//	Z25     16, the bit that chooses a half of the table
//	Z28..31 the table

#define CONSTANTS \
	LEAQ ·expConstants(SB), AX; \
	VMOVUPD 0(AX), Z16; \
	VMOVUPD 64(AX), Z17; \
	VMOVUPD 128(AX), Z18; \
	VMOVUPD 192(AX), Z19; \
	VMOVUPD 256(AX), Z20; \
	VMOVUPD 320(AX), Z21; \
	VMOVUPD 384(AX), Z22; \
	VMOVUPD 448(AX), Z23; \
	VMOVUPD 512(AX), Z24; \
	MOVQ $16, AX; \
	VPBROADCASTQ AX, Z25; \
	LEAQ ·expTable(SB), AX; \
	VMOVDQU64 0(AX), Z28; \
	VMOVDQU64 64(AX), Z29; \
	VMOVDQU64 128(AX), Z30; \
	VMOVDQU64 192(AX), Z31

// EXP sets Z4 = e^Z0 by way of Z1 = t, Z2 = k, Z3 = r, Z4 = s, Z5 = p. It uses K2 and
// K3.
#define EXP \
	VMULPD Z16, Z0, Z1; \
	VADDPD Z17, Z1, Z2; \
	VSUBPD Z17, Z2, Z3; \
	VSUBPD Z3, Z1, Z3; \
	VMOVDQA64 Z2, Z4; \
	VPERMI2Q Z29, Z28, Z4; \
	VMOVDQA64 Z2, Z5; \
	VPERMI2Q Z31, Z30, Z5; \
	VPTESTMQ Z25, Z2, K2; \
	VMOVDQA64 Z5, K2, Z4; \
	VPSLLQ $47, Z2, Z5; \
	VPADDQ Z5, Z4, Z4; \
	VMULPD Z18, Z3, Z5; \
	VADDPD Z19, Z5, Z5; \
	VMULPD Z3, Z5, Z5; \
	VADDPD Z20, Z5, Z5; \
	VMULPD Z3, Z5, Z5; \
	VADDPD Z21, Z5, Z5; \
	VMULPD Z3, Z5, Z5; \
	VMULPD Z4, Z5, Z5; \
	VADDPD Z5, Z4, Z4; \
	VCMPPD $0x15, Z22, Z0, K2; \
	VCMPPD $0x1e, Z23, Z0, K3; \
	VMOVAPD.Z Z4, K2, Z4; \
	VMOVAPD Z24, K3, Z4

// LASTMASK sets K1 to the CX < 8 lowest elements.
#define LASTMASK \
	MOVL $1, AX; \
	SHLL CX, AX; \
	DECL AX; \
	KMOVW AX, K1

// func expsAVX512(z *float64, n int)
TEXT ·expsAVX512(SB), NOSPLIT, $0-16
	MOVQ z+0(FP), SI
	MOVQ n+8(FP), CX
	CONSTANTS
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPD (SI), Z0
	EXP
	VMOVUPD Z4, (SI)
	ADDQ $64, SI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	LASTMASK
	VMOVUPD.Z (SI), K1, Z0
	EXP
	VMOVUPD Z4, K1, (SI)

done:
	VZEROUPPER
	RET

// func expBlockAVX512(dst *float64, z *float32, n int, m float64)
TEXT ·expBlockAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ z+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSD m+24(FP), Z6
	CONSTANTS
	SUBQ $8, CX
	JLT  last

loop:
	VCVTPS2PD (SI), Z0
	VSUBPD Z6, Z0, Z0
	EXP
	VMOVUPD Z4, (DI)
	ADDQ $32, SI
	ADDQ $64, DI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	LASTMASK
	VMOVUPS.Z (SI), K1, Y0
	VCVTPS2PD Y0, Z0
	VSUBPD Z6, Z0, Z0
	EXP
	VMOVUPD Z4, K1, (DI)

done:
	VZEROUPPER
	RET

// func expRowAVX512(lanes *Lanes, dst, z *float32, n int, m float64)
TEXT ·expRowAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+8(FP), DI
	MOVQ z+16(FP), SI
	MOVQ n+24(FP), CX
	VBROADCASTSD m+32(FP), Z6
	VPXORQ Z7, Z7, Z7
	CONSTANTS
	SUBQ $8, CX
	JLT  last

loop:
	VCVTPS2PD (SI), Z0
	VSUBPD Z6, Z0, Z0
	EXP
	VADDPD Z4, Z7, Z7
	VCVTPD2PS Z4, Y4
	VMOVUPS Y4, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	LASTMASK
	VMOVUPS.Z (SI), K1, Y0
	VCVTPS2PD Y0, Z0
	VSUBPD Z6, Z0, Z0
	EXP
	VADDPD Z4, Z7, K1, Z7
	VCVTPD2PS Z4, Y4
	VMOVUPS Y4, K1, (DI)

done:
	MOVQ lanes+0(FP), AX
	VMOVUPD Z7, (AX)
	VZEROUPPER
	RET

// func sumExpAVX512(lanes *Lanes, z *float32, n int, m float64)
TEXT ·sumExpAVX512(SB), NOSPLIT, $0-32
	MOVQ z+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSD m+24(FP), Z6
	VPXORQ Z7, Z7, Z7
	CONSTANTS
	SUBQ $8, CX
	JLT  last

loop:
	VCVTPS2PD (SI), Z0
	VSUBPD Z6, Z0, Z0
	EXP
	VADDPD Z4, Z7, Z7
	ADDQ $32, SI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	LASTMASK
	VMOVUPS.Z (SI), K1, Y0
	VCVTPS2PD Y0, Z0
	VSUBPD Z6, Z0, Z0
	EXP
	VADDPD Z4, Z7, K1, Z7

done:
	MOVQ lanes+0(FP), AX
	VMOVUPD Z7, (AX)
	VZEROUPPER
	RET

// func expLessAVX512(dst, z *float32, n int, m, less, f float64)
TEXT ·expLessAVX512(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ z+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSD m+24(FP), Z6
	VBROADCASTSD less+32(FP), Z8
	VBROADCASTSD f+40(FP), Z9
	CONSTANTS
	SUBQ $8, CX
	JLT  last

loop:
	VCVTPS2PD (SI), Z0
	VSUBPD Z6, Z0, Z0
	EXP
	VSUBPD Z8, Z4, Z4
	VMULPD Z9, Z4, Z4
	VCVTPD2PS Z4, Y4
	VMOVUPS Y4, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	LASTMASK
	VMOVUPS.Z (SI), K1, Y0
	VCVTPS2PD Y0, Z0
	VSUBPD Z6, Z0, Z0
	EXP
	VSUBPD Z8, Z4, Z4
	VMULPD Z9, Z4, Z4
	VCVTPD2PS Z4, Y4
	VMOVUPS Y4, K1, (DI)

done:
	VZEROUPPER
	RET
