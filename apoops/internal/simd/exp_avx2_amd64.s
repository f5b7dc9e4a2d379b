#include "textflag.h"

// Exponentials of four float64 at a time, two vectors for each eight elements. The
// order of operations is that of ExpParts and Exp in exp.go.
//
// All routines of this file have
//
//	SI, DI   the next elements of the operand and of the result
//	CX       the number of elements that are left
//	R8, R9   constants, table
//	Y6, Y7   the partial sums 0..3 and 4..7; less and f of expLess
//	Y8       m in all elements
//	Y9       toInt
//	Y10      31, the bits that are an index of the table
//	Y11      the elements of the last vector that are there, of 32 bits each
//	Y12, Y13 its two halves, of 64 bits each
//	Y14      elements 4..7 until it is their turn

#define CONSTANTS \
	LEAQ ·expConstants(SB), R8; \
	LEAQ ·expTable(SB), R9; \
	VMOVUPD 64(R8), Y9; \
	MOVQ $31, AX; \
	MOVQ AX, X10; \
	VPBROADCASTQ X10, Y10

// EXP sets Y4 = e^Y0 by way of Y1 = t, Y2 = k, Y3 = r, Y4 = s, Y5 = p.
#define EXP \
	VMULPD 0(R8), Y0, Y1; \
	VADDPD Y9, Y1, Y2; \
	VSUBPD Y9, Y2, Y3; \
	VSUBPD Y3, Y1, Y3; \
	VPAND Y10, Y2, Y1; \
	VPCMPEQQ Y5, Y5, Y5; \
	VPGATHERQQ Y5, (R9)(Y1*8), Y4; \
	VPSLLQ $47, Y2, Y5; \
	VPADDQ Y5, Y4, Y4; \
	VMULPD 128(R8), Y3, Y5; \
	VADDPD 192(R8), Y5, Y5; \
	VMULPD Y3, Y5, Y5; \
	VADDPD 256(R8), Y5, Y5; \
	VMULPD Y3, Y5, Y5; \
	VADDPD 320(R8), Y5, Y5; \
	VMULPD Y3, Y5, Y5; \
	VMULPD Y4, Y5, Y5; \
	VADDPD Y5, Y4, Y4; \
	VCMPPD $0x15, 384(R8), Y0, Y5; \
	VANDPD Y5, Y4, Y4; \
	VCMPPD $0x1e, 448(R8), Y0, Y5; \
	VBLENDVPD Y5, 512(R8), Y4, Y4

// LASTMASK sets Y11, Y12 and Y13 to the CX < 8 lowest elements.
#define LASTMASK \
	LEAQ ·edge(SB), AX; \
	SHLQ $2, CX; \
	SUBQ CX, AX; \
	VMOVDQU 32(AX), Y11; \
	VPMOVSXDQ X11, Y12; \
	VEXTRACTI128 $1, Y11, X13; \
	VPMOVSXDQ X13, Y13

// LASTFLOATS loads them.
#define LASTFLOATS \
	VMASKMOVPS (SI), Y11, Y14; \
	VCVTPS2PD X14, Y0; \
	VEXTRACTF128 $1, Y14, X14

// func expsAVX2(z *float64, n int)
TEXT ·expsAVX2(SB), NOSPLIT, $0-16
	MOVQ z+0(FP), SI
	MOVQ n+8(FP), CX
	CONSTANTS
	SUBQ $4, CX
	JLT  last

loop:
	VMOVUPD (SI), Y0
	EXP
	VMOVUPD Y4, (SI)
	ADDQ $32, SI
	SUBQ $4, CX
	JGE  loop

last:
	ADDQ $4, CX
	JEQ  done
	LASTMASK
	VMASKMOVPD (SI), Y12, Y0
	EXP
	VMASKMOVPD Y4, Y12, (SI)

done:
	VZEROUPPER
	RET

// func expBlockAVX2(dst *float64, z *float32, n int, m float64)
TEXT ·expBlockAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ z+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSD m+24(FP), Y8
	CONSTANTS
	SUBQ $8, CX
	JLT  last

loop:
	VCVTPS2PD (SI), Y0
	VSUBPD Y8, Y0, Y0
	EXP
	VMOVUPD Y4, (DI)
	VCVTPS2PD 16(SI), Y0
	VSUBPD Y8, Y0, Y0
	EXP
	VMOVUPD Y4, 32(DI)
	ADDQ $32, SI
	ADDQ $64, DI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	LASTMASK
	LASTFLOATS
	VSUBPD Y8, Y0, Y0
	EXP
	VMASKMOVPD Y4, Y12, (DI)
	VCVTPS2PD X14, Y0
	VSUBPD Y8, Y0, Y0
	EXP
	VMASKMOVPD Y4, Y13, 32(DI)

done:
	VZEROUPPER
	RET

// func expRowAVX2(lanes *Lanes, dst, z *float32, n int, m float64)
TEXT ·expRowAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+8(FP), DI
	MOVQ z+16(FP), SI
	MOVQ n+24(FP), CX
	VBROADCASTSD m+32(FP), Y8
	VXORPD Y6, Y6, Y6
	VXORPD Y7, Y7, Y7
	CONSTANTS
	SUBQ $8, CX
	JLT  last

loop:
	VCVTPS2PD 16(SI), Y14
	VCVTPS2PD (SI), Y0
	VSUBPD Y8, Y0, Y0
	EXP
	VADDPD Y4, Y6, Y6
	VCVTPD2PSY Y4, X4
	VMOVUPS X4, (DI)
	VSUBPD Y8, Y14, Y0
	EXP
	VADDPD Y4, Y7, Y7
	VCVTPD2PSY Y4, X4
	VMOVUPS X4, 16(DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	LASTMASK
	LASTFLOATS
	VSUBPD Y8, Y0, Y0
	EXP
	VANDPD Y12, Y4, Y0
	VADDPD Y0, Y6, Y6
	VCVTPD2PSY Y4, X15
	VCVTPS2PD X14, Y0
	VSUBPD Y8, Y0, Y0
	EXP
	VANDPD Y13, Y4, Y0
	VADDPD Y0, Y7, Y7
	VCVTPD2PSY Y4, X4
	VINSERTF128 $1, X4, Y15, Y4
	VMASKMOVPS Y4, Y11, (DI)

done:
	MOVQ lanes+0(FP), AX
	VMOVUPD Y6, (AX)
	VMOVUPD Y7, 32(AX)
	VZEROUPPER
	RET

// func sumExpAVX2(lanes *Lanes, z *float32, n int, m float64)
TEXT ·sumExpAVX2(SB), NOSPLIT, $0-32
	MOVQ z+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSD m+24(FP), Y8
	VXORPD Y6, Y6, Y6
	VXORPD Y7, Y7, Y7
	CONSTANTS
	SUBQ $8, CX
	JLT  last

loop:
	VCVTPS2PD (SI), Y0
	VSUBPD Y8, Y0, Y0
	EXP
	VADDPD Y4, Y6, Y6
	VCVTPS2PD 16(SI), Y0
	VSUBPD Y8, Y0, Y0
	EXP
	VADDPD Y4, Y7, Y7
	ADDQ $32, SI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	LASTMASK
	LASTFLOATS
	VSUBPD Y8, Y0, Y0
	EXP
	VANDPD Y12, Y4, Y4
	VADDPD Y4, Y6, Y6
	VCVTPS2PD X14, Y0
	VSUBPD Y8, Y0, Y0
	EXP
	VANDPD Y13, Y4, Y4
	VADDPD Y4, Y7, Y7

done:
	MOVQ lanes+0(FP), AX
	VMOVUPD Y6, (AX)
	VMOVUPD Y7, 32(AX)
	VZEROUPPER
	RET

// func expLessAVX2(dst, z *float32, n int, m, less, f float64)
TEXT ·expLessAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ z+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSD m+24(FP), Y8
	VBROADCASTSD less+32(FP), Y6
	VBROADCASTSD f+40(FP), Y7
	CONSTANTS
	SUBQ $8, CX
	JLT  last

loop:
	VCVTPS2PD 16(SI), Y14
	VCVTPS2PD (SI), Y0
	VSUBPD Y8, Y0, Y0
	EXP
	VSUBPD Y6, Y4, Y4
	VMULPD Y7, Y4, Y4
	VCVTPD2PSY Y4, X4
	VMOVUPS X4, (DI)
	VSUBPD Y8, Y14, Y0
	EXP
	VSUBPD Y6, Y4, Y4
	VMULPD Y7, Y4, Y4
	VCVTPD2PSY Y4, X4
	VMOVUPS X4, 16(DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	LASTMASK
	LASTFLOATS
	VSUBPD Y8, Y0, Y0
	EXP
	VSUBPD Y6, Y4, Y4
	VMULPD Y7, Y4, Y4
	VCVTPD2PSY Y4, X15
	VCVTPS2PD X14, Y0
	VSUBPD Y8, Y0, Y0
	EXP
	VSUBPD Y6, Y4, Y4
	VMULPD Y7, Y4, Y4
	VCVTPD2PSY Y4, X4
	VINSERTF128 $1, X4, Y15, Y4
	VMASKMOVPS Y4, Y11, (DI)

done:
	VZEROUPPER
	RET
