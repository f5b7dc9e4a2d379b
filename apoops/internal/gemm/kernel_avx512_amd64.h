// The body of a kernel of up to 14 rows and two vectors of 512 bits, for the element
// type whose instructions are defined by the file that includes this one: SHIFT (the
// logarithm of the element's size), SIZE, BROADCAST, MUL, FMA, MOVE, LOWMASK, which sets
// K1 and K2 to the elements of the two vectors in the bits of AX, and BETAISZERO, which
// compares beta with 0.
//
//	DI             the call
//	CX             the steps that are left
//	SI, DX         rows 0 and 8 of A
//	R8             the distance of rows of A; R11, R12, R13 are 3, 5 and 7 of them
//	R9, R10        the distances of steps of A and B
//	BX             B
//	Z0..27         sums, two a row
//	Z28, Z29       elements of B, then alpha and beta
//	Z30, Z31       elements of A

#include "call_amd64.h"

// BOTH adds an element of A times both vectors of B to the sums of a row, ONE times the
// first vector.
#define BOTH(a, z, p, q) \
	BROADCAST a, z; \
	FMA Z28, z, p; \
	FMA Z29, z, q

#define ONE(a, z, p) \
	BROADCAST a, z; \
	FMA Z28, z, p

#define BOTH1 BOTH((SI), Z30, Z0, Z1)
#define BOTH2 BOTH1; BOTH((SI)(R8*1), Z31, Z2, Z3)
#define BOTH3 BOTH2; BOTH((SI)(R8*2), Z30, Z4, Z5)
#define BOTH4 BOTH3; BOTH((SI)(R11*1), Z31, Z6, Z7)
#define BOTH5 BOTH4; BOTH((SI)(R8*4), Z30, Z8, Z9)
#define BOTH6 BOTH5; BOTH((SI)(R12*1), Z31, Z10, Z11)
#define BOTH7 BOTH6; BOTH((SI)(R11*2), Z30, Z12, Z13)
#define BOTH8 BOTH7; BOTH((SI)(R13*1), Z31, Z14, Z15)
#define BOTH9 BOTH8; BOTH((DX), Z30, Z16, Z17)
#define BOTH10 BOTH9; BOTH((DX)(R8*1), Z31, Z18, Z19)
#define BOTH11 BOTH10; BOTH((DX)(R8*2), Z30, Z20, Z21)
#define BOTH12 BOTH11; BOTH((DX)(R11*1), Z31, Z22, Z23)
#define BOTH13 BOTH12; BOTH((DX)(R8*4), Z30, Z24, Z25)
#define BOTH14 BOTH13; BOTH((DX)(R12*1), Z31, Z26, Z27)

#define ONE1 ONE((SI), Z30, Z0)
#define ONE2 ONE1; ONE((SI)(R8*1), Z31, Z2)
#define ONE3 ONE2; ONE((SI)(R8*2), Z30, Z4)
#define ONE4 ONE3; ONE((SI)(R11*1), Z31, Z6)
#define ONE5 ONE4; ONE((SI)(R8*4), Z30, Z8)
#define ONE6 ONE5; ONE((SI)(R12*1), Z31, Z10)
#define ONE7 ONE6; ONE((SI)(R11*2), Z30, Z12)
#define ONE8 ONE7; ONE((SI)(R13*1), Z31, Z14)
#define ONE9 ONE8; ONE((DX), Z30, Z16)
#define ONE10 ONE9; ONE((DX)(R8*1), Z31, Z18)
#define ONE11 ONE10; ONE((DX)(R8*2), Z30, Z20)
#define ONE12 ONE11; ONE((DX)(R11*1), Z31, Z22)
#define ONE13 ONE12; ONE((DX)(R8*4), Z30, Z24)
#define ONE14 ONE13; ONE((DX)(R12*1), Z31, Z26)

// TWOVECTORS and ONEVECTOR are the loops over the steps for a number of rows.
#define TWOVECTORS(label, count, next, rows) \
	CMPQ AX, $count; \
	JNE next; \
label: \
	MOVE (BX), Z28; \
	MOVE 64(BX), Z29; \
	ADDQ R10, BX; \
	rows; \
	ADDQ R9, SI; \
	ADDQ R9, DX; \
	DECQ CX; \
	JNE label; \
	JMP store; \
next: \
	NOP

#define ONEVECTOR(label, count, next, rows) \
	CMPQ AX, $count; \
	JNE next; \
label: \
	MOVE (BX), Z28; \
	ADDQ R10, BX; \
	rows; \
	ADDQ R9, SI; \
	ADDQ R9, DX; \
	DECQ CX; \
	JNE label; \
	JMP store; \
next: \
	NOP

#define CLEAR(a, b, c, d) \
	VPXORQ a, a, a; \
	VPXORQ b, b, b; \
	VPXORQ c, c, c; \
	VPXORQ d, d, d

	MOVQ CALL_K(DI), CX
	MOVQ CALL_A(DI), SI
	MOVQ CALL_AROW(DI), R8
	MOVQ CALL_ASTEP(DI), R9
	MOVQ CALL_B(DI), BX
	MOVQ CALL_BSTEP(DI), R10
	SHLQ $SHIFT, R8
	SHLQ $SHIFT, R9
	SHLQ $SHIFT, R10
	LEAQ (R8)(R8*2), R11
	LEAQ (R8)(R8*4), R12
	LEAQ (R11)(R8*4), R13
	LEAQ (SI)(R8*8), DX

	// C is needed at the end.
	MOVQ CALL_C(DI), AX
	MOVQ CALL_CROW(DI), R15
	SHLQ $SHIFT, R15
	MOVQ CALL_ROWS(DI), R14

fetch:
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)
	ADDQ R15, AX
	DECQ R14
	JNE  fetch

	CLEAR(Z0, Z1, Z2, Z3)
	CLEAR(Z4, Z5, Z6, Z7)
	CLEAR(Z8, Z9, Z10, Z11)
	CLEAR(Z12, Z13, Z14, Z15)
	CLEAR(Z16, Z17, Z18, Z19)
	CLEAR(Z20, Z21, Z22, Z23)
	CLEAR(Z24, Z25, Z26, Z27)
	MOVQ CALL_ROWS(DI), AX
	CMPQ CALL_COLS(DI), $(64/SIZE)
	JLE  narrow
	TWOVECTORS(both14, 14, to13, BOTH14)
	TWOVECTORS(both13, 13, to12, BOTH13)
	TWOVECTORS(both12, 12, to11, BOTH12)
	TWOVECTORS(both11, 11, to10, BOTH11)
	TWOVECTORS(both10, 10, to9, BOTH10)
	TWOVECTORS(both9, 9, to8, BOTH9)
	TWOVECTORS(both8, 8, to7, BOTH8)
	TWOVECTORS(both7, 7, to6, BOTH7)
	TWOVECTORS(both6, 6, to5, BOTH6)
	TWOVECTORS(both5, 5, to4, BOTH5)
	TWOVECTORS(both4, 4, to3, BOTH4)
	TWOVECTORS(both3, 3, to2, BOTH3)
	TWOVECTORS(both2, 2, to1, BOTH2)
	TWOVECTORS(both1, 1, to0, BOTH1)
	JMP store

narrow:
	ONEVECTOR(one14, 14, down13, ONE14)
	ONEVECTOR(one13, 13, down12, ONE13)
	ONEVECTOR(one12, 12, down11, ONE12)
	ONEVECTOR(one11, 11, down10, ONE11)
	ONEVECTOR(one10, 10, down9, ONE10)
	ONEVECTOR(one9, 9, down8, ONE9)
	ONEVECTOR(one8, 8, down7, ONE8)
	ONEVECTOR(one7, 7, down6, ONE7)
	ONEVECTOR(one6, 6, down5, ONE6)
	ONEVECTOR(one5, 5, down4, ONE5)
	ONEVECTOR(one4, 4, down3, ONE4)
	ONEVECTOR(one3, 3, down2, ONE3)
	ONEVECTOR(one2, 2, down1, ONE2)
	ONEVECTOR(one1, 1, down0, ONE1)
	JMP store

// SUM adds the sums of a row to β·C, PUT takes them as they are.
#define SUM(p, q) \
	MUL Z28, p, p; \
	MUL Z28, q, q; \
	FMA (AX), Z29, K1, p; \
	FMA 64(AX), Z29, K2, q; \
	MOVE p, K1, (AX); \
	MOVE q, K2, 64(AX); \
	ADDQ R15, AX; \
	DECQ CX; \
	JEQ done

#define PUT(p, q) \
	MUL Z28, p, p; \
	MUL Z28, q, q; \
	MOVE p, K1, (AX); \
	MOVE q, K2, 64(AX); \
	ADDQ R15, AX; \
	DECQ CX; \
	JEQ done

store:
	MOVQ $1, AX
	MOVQ CALL_COLS(DI), CX
	SHLQ CX, AX
	DECQ AX
	LOWMASK
	BROADCAST CALL_ALPHA(DI), Z28
	BROADCAST (CALL_ALPHA+SIZE)(DI), Z29
	MOVQ CALL_C(DI), AX
	MOVQ CALL_ROWS(DI), CX
	BETAISZERO
	JEQ  put
	SUM(Z0, Z1)
	SUM(Z2, Z3)
	SUM(Z4, Z5)
	SUM(Z6, Z7)
	SUM(Z8, Z9)
	SUM(Z10, Z11)
	SUM(Z12, Z13)
	SUM(Z14, Z15)
	SUM(Z16, Z17)
	SUM(Z18, Z19)
	SUM(Z20, Z21)
	SUM(Z22, Z23)
	SUM(Z24, Z25)
	SUM(Z26, Z27)

put:
	PUT(Z0, Z1)
	PUT(Z2, Z3)
	PUT(Z4, Z5)
	PUT(Z6, Z7)
	PUT(Z8, Z9)
	PUT(Z10, Z11)
	PUT(Z12, Z13)
	PUT(Z14, Z15)
	PUT(Z16, Z17)
	PUT(Z18, Z19)
	PUT(Z20, Z21)
	PUT(Z22, Z23)
	PUT(Z24, Z25)
	PUT(Z26, Z27)

done:
	VZEROUPPER
	RET
