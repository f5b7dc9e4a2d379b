#include "textflag.h"

// Turns of 16×16 elements of float32.
//
//	DI, SI       the results and the source
//	R8           the distance of rows in bytes; R9 is the next row
//	CX           the elements of a row that are left
//	K1           those of this turn

// PAIRS interleaves two rows, QUADS two pairs of rows.
#define PAIRS(a, b, lo, hi) \
	VUNPCKLPS b, a, lo; \
	VUNPCKHPS b, a, hi

#define QUADS(lo0, hi0, lo1, hi1, a, b, c, d) \
	VUNPCKLPD lo1, lo0, a; \
	VUNPCKHPD lo1, lo0, b; \
	VUNPCKLPD hi1, hi0, c; \
	VUNPCKHPD hi1, hi0, d

// PARTS joins the four parts of four columns, each with an element of four rows.
#define PARTS(a, b, c, d) \
	VSHUFF32X4 $0x88, b, a, Z28; \
	VSHUFF32X4 $0x88, d, c, Z29; \
	VSHUFF32X4 $0xdd, b, a, Z30; \
	VSHUFF32X4 $0xdd, d, c, Z31; \
	VSHUFF32X4 $0x88, Z29, Z28, a; \
	VSHUFF32X4 $0x88, Z31, Z30, b; \
	VSHUFF32X4 $0xdd, Z29, Z28, c; \
	VSHUFF32X4 $0xdd, Z31, Z30, d

// TURN makes columns of the rows Z0..Z15, in place.
#define TURN \
	PAIRS(Z0, Z1, Z16, Z17); \
	PAIRS(Z2, Z3, Z18, Z19); \
	PAIRS(Z4, Z5, Z20, Z21); \
	PAIRS(Z6, Z7, Z22, Z23); \
	PAIRS(Z8, Z9, Z24, Z25); \
	PAIRS(Z10, Z11, Z26, Z27); \
	PAIRS(Z12, Z13, Z28, Z29); \
	PAIRS(Z14, Z15, Z30, Z31); \
	QUADS(Z16, Z17, Z18, Z19, Z0, Z1, Z2, Z3); \
	QUADS(Z20, Z21, Z22, Z23, Z4, Z5, Z6, Z7); \
	QUADS(Z24, Z25, Z26, Z27, Z8, Z9, Z10, Z11); \
	QUADS(Z28, Z29, Z30, Z31, Z12, Z13, Z14, Z15); \
	PARTS(Z0, Z4, Z8, Z12); \
	PARTS(Z1, Z5, Z9, Z13); \
	PARTS(Z2, Z6, Z10, Z14); \
	PARTS(Z3, Z7, Z11, Z15)

// MASK sets K1 to the elements of this turn.
#define MASK \
	MOVQ $0xffff, AX; \
	CMPQ CX, $16; \
	JGE  whole; \
	MOVQ $1, AX; \
	SHLQ CX, AX; \
	DECQ AX

#define LOADROW(z) \
	VMOVUPS.Z (R9), K1, z; \
	ADDQ R8, R9

#define STOREROW(z) \
	VMOVUPS z, K1, (R9); \
	ADDQ R8, R9

// func interleave(dst, src *float32, stride, n int)
TEXT ·interleave(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ n+24(FP), CX
	SHLQ $2, R8

turn:
	MASK

whole:
	KMOVW AX, K1
	MOVQ  SI, R9
	LOADROW(Z0)
	LOADROW(Z1)
	LOADROW(Z2)
	LOADROW(Z3)
	LOADROW(Z4)
	LOADROW(Z5)
	LOADROW(Z6)
	LOADROW(Z7)
	LOADROW(Z8)
	LOADROW(Z9)
	LOADROW(Z10)
	LOADROW(Z11)
	LOADROW(Z12)
	LOADROW(Z13)
	LOADROW(Z14)
	LOADROW(Z15)
	TURN
	VMOVUPS Z0, 0(DI)
	CMPQ CX, $1
	JE   done
	VMOVUPS Z1, 64(DI)
	CMPQ CX, $2
	JE   done
	VMOVUPS Z2, 128(DI)
	CMPQ CX, $3
	JE   done
	VMOVUPS Z3, 192(DI)
	CMPQ CX, $4
	JE   done
	VMOVUPS Z4, 256(DI)
	CMPQ CX, $5
	JE   done
	VMOVUPS Z5, 320(DI)
	CMPQ CX, $6
	JE   done
	VMOVUPS Z6, 384(DI)
	CMPQ CX, $7
	JE   done
	VMOVUPS Z7, 448(DI)
	CMPQ CX, $8
	JE   done
	VMOVUPS Z8, 512(DI)
	CMPQ CX, $9
	JE   done
	VMOVUPS Z9, 576(DI)
	CMPQ CX, $10
	JE   done
	VMOVUPS Z10, 640(DI)
	CMPQ CX, $11
	JE   done
	VMOVUPS Z11, 704(DI)
	CMPQ CX, $12
	JE   done
	VMOVUPS Z12, 768(DI)
	CMPQ CX, $13
	JE   done
	VMOVUPS Z13, 832(DI)
	CMPQ CX, $14
	JE   done
	VMOVUPS Z14, 896(DI)
	CMPQ CX, $15
	JE   done
	VMOVUPS Z15, 960(DI)
	CMPQ CX, $16
	JE   done
	ADDQ $64, SI
	ADDQ $1024, DI
	SUBQ $16, CX
	JMP  turn

done:
	VZEROUPPER
	RET

// func deinterleave(dst *float32, stride int, src *float32, n int)
TEXT ·deinterleave(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ src+16(FP), SI
	MOVQ n+24(FP), CX
	SHLQ $2, R8

turn:
	MASK

whole:
	KMOVW AX, K1
	VMOVUPS 0(SI), Z0
	CMPQ CX, $1
	JE   last
	VMOVUPS 64(SI), Z1
	CMPQ CX, $2
	JE   last
	VMOVUPS 128(SI), Z2
	CMPQ CX, $3
	JE   last
	VMOVUPS 192(SI), Z3
	CMPQ CX, $4
	JE   last
	VMOVUPS 256(SI), Z4
	CMPQ CX, $5
	JE   last
	VMOVUPS 320(SI), Z5
	CMPQ CX, $6
	JE   last
	VMOVUPS 384(SI), Z6
	CMPQ CX, $7
	JE   last
	VMOVUPS 448(SI), Z7
	CMPQ CX, $8
	JE   last
	VMOVUPS 512(SI), Z8
	CMPQ CX, $9
	JE   last
	VMOVUPS 576(SI), Z9
	CMPQ CX, $10
	JE   last
	VMOVUPS 640(SI), Z10
	CMPQ CX, $11
	JE   last
	VMOVUPS 704(SI), Z11
	CMPQ CX, $12
	JE   last
	VMOVUPS 768(SI), Z12
	CMPQ CX, $13
	JE   last
	VMOVUPS 832(SI), Z13
	CMPQ CX, $14
	JE   last
	VMOVUPS 896(SI), Z14
	CMPQ CX, $15
	JE   last
	VMOVUPS 960(SI), Z15

last:
	TURN
	MOVQ DI, R9
	STOREROW(Z0)
	STOREROW(Z1)
	STOREROW(Z2)
	STOREROW(Z3)
	STOREROW(Z4)
	STOREROW(Z5)
	STOREROW(Z6)
	STOREROW(Z7)
	STOREROW(Z8)
	STOREROW(Z9)
	STOREROW(Z10)
	STOREROW(Z11)
	STOREROW(Z12)
	STOREROW(Z13)
	STOREROW(Z14)
	STOREROW(Z15)
	ADDQ $64, DI
	ADDQ $1024, SI
	SUBQ $16, CX
	JG   turn
	VZEROUPPER
	RET
