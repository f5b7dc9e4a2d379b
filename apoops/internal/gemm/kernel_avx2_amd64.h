// The body of a kernel of up to 6 rows and two vectors of 256 bits, for the element type
// whose instructions are defined by the file that includes this one: SHIFT (the logarithm
// of the element's size), SIZE, BROADCAST, MUL, FMA, MOVE, MASKMOVE, and BETAISZERO, which
// compares beta with 0.
//
//	DI             the call
//	CX             the steps that are left
//	SI             A
//	R8             the distance of rows of A; R11, R12 are 3 and 5 of them
//	R9, R10        the distances of steps of A and B
//	BX             B
//	Y0..11         sums, two a row
//	Y12, Y13       elements of B, then an element of C and beta
//	Y14, Y15       elements of A, then the elements of the two vectors that are there

#include "call_amd64.h"

#define BOTH(a, z, p, q) \
	BROADCAST a, z; \
	FMA Y12, z, p; \
	FMA Y13, z, q

#define ONE(a, z, p) \
	BROADCAST a, z; \
	FMA Y12, z, p

#define BOTH1 BOTH((SI), Y14, Y0, Y1)
#define BOTH2 BOTH1; BOTH((SI)(R8*1), Y15, Y2, Y3)
#define BOTH3 BOTH2; BOTH((SI)(R8*2), Y14, Y4, Y5)
#define BOTH4 BOTH3; BOTH((SI)(R11*1), Y15, Y6, Y7)
#define BOTH5 BOTH4; BOTH((SI)(R8*4), Y14, Y8, Y9)
#define BOTH6 BOTH5; BOTH((SI)(R12*1), Y15, Y10, Y11)

#define ONE1 ONE((SI), Y14, Y0)
#define ONE2 ONE1; ONE((SI)(R8*1), Y15, Y2)
#define ONE3 ONE2; ONE((SI)(R8*2), Y14, Y4)
#define ONE4 ONE3; ONE((SI)(R11*1), Y15, Y6)
#define ONE5 ONE4; ONE((SI)(R8*4), Y14, Y8)
#define ONE6 ONE5; ONE((SI)(R12*1), Y15, Y10)

// TWOVECTORS and ONEVECTOR are the loops over the steps for a number of rows.
#define TWOVECTORS(label, count, next, rows) \
	CMPQ AX, $count; \
	JNE next; \
label: \
	MOVE (BX), Y12; \
	MOVE 32(BX), Y13; \
	ADDQ R10, BX; \
	rows; \
	ADDQ R9, SI; \
	DECQ CX; \
	JNE label; \
	JMP store; \
next: \
	NOP

#define ONEVECTOR(label, count, next, rows) \
	CMPQ AX, $count; \
	JNE next; \
label: \
	MOVE (BX), Y12; \
	ADDQ R10, BX; \
	rows; \
	ADDQ R9, SI; \
	DECQ CX; \
	JNE label; \
	JMP store; \
next: \
	NOP

#define CLEAR(a, b, c, d) \
	VXORPS a, a, a; \
	VXORPS b, b, b; \
	VXORPS c, c, c; \
	VXORPS d, d, d

	FLUSH
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

	// C is needed at the end.
	MOVQ CALL_C(DI), AX
	MOVQ CALL_CROW(DI), R15
	SHLQ $SHIFT, R15
	MOVQ CALL_ROWS(DI), R14

fetch:
	PREFETCHT0 (AX)
	PREFETCHT0 60(AX)
	ADDQ R15, AX
	DECQ R14
	JNE  fetch

	CLEAR(Y0, Y1, Y2, Y3)
	CLEAR(Y4, Y5, Y6, Y7)
	CLEAR(Y8, Y9, Y10, Y11)
	MOVQ CALL_ROWS(DI), AX
	CMPQ CALL_COLS(DI), $(32/SIZE)
	JLE  narrow
	TWOVECTORS(both6, 6, to5, BOTH6)
	TWOVECTORS(both5, 5, to4, BOTH5)
	TWOVECTORS(both4, 4, to3, BOTH4)
	TWOVECTORS(both3, 3, to2, BOTH3)
	TWOVECTORS(both2, 2, to1, BOTH2)
	TWOVECTORS(both1, 1, to0, BOTH1)
	JMP  store

narrow:
	ONEVECTOR(one6, 6, down5, ONE6)
	ONEVECTOR(one5, 5, down4, ONE5)
	ONEVECTOR(one4, 4, down3, ONE4)
	ONEVECTOR(one3, 3, down2, ONE3)
	ONEVECTOR(one2, 2, down1, ONE2)
	ONEVECTOR(one1, 1, down0, ONE1)

// SUM adds the sums of a row to β·C, PUT takes them as they are, both of whole rows; the
// others have the elements that are there.
#define SUM(p, q) \
	FMA (AX), Y13, p; \
	FMA 32(AX), Y13, q; \
	PUT(p, q)

#define PUT(p, q) \
	MOVE p, (AX); \
	MOVE q, 32(AX); \
	ADDQ R15, AX; \
	DECQ CX; \
	JEQ done

#define SOMESUM(p, q) \
	MASKMOVE (AX), Y14, Y12; \
	FMA Y12, Y13, p; \
	MASKMOVE 32(AX), Y15, Y12; \
	FMA Y12, Y13, q; \
	SOMEPUT(p, q)

#define SOMEPUT(p, q) \
	MASKMOVE p, Y14, (AX); \
	MASKMOVE q, Y15, 32(AX); \
	ADDQ R15, AX; \
	DECQ CX; \
	JEQ done

#define TIMES(p, q) \
	MUL Y12, p, p; \
	MUL Y12, q, q

store:
	BROADCAST CALL_ALPHA(DI), Y12
	BROADCAST (CALL_ALPHA+SIZE)(DI), Y13
	TIMES(Y0, Y1)
	TIMES(Y2, Y3)
	TIMES(Y4, Y5)
	TIMES(Y6, Y7)
	TIMES(Y8, Y9)
	TIMES(Y10, Y11)
	MOVQ CALL_C(DI), AX
	MOVQ CALL_ROWS(DI), CX
	CMPQ CALL_COLS(DI), $(64/SIZE)
	JNE  some
	BETAISZERO
	JEQ  put
	SUM(Y0, Y1)
	SUM(Y2, Y3)
	SUM(Y4, Y5)
	SUM(Y6, Y7)
	SUM(Y8, Y9)
	SUM(Y10, Y11)

put:
	PUT(Y0, Y1)
	PUT(Y2, Y3)
	PUT(Y4, Y5)
	PUT(Y6, Y7)
	PUT(Y8, Y9)
	PUT(Y10, Y11)

some:
	MOVQ CALL_COLS(DI), R8
	SHLQ $SHIFT, R8
	LEAQ ·edge+64(SB), R9
	SUBQ R8, R9
	VMOVUPS (R9), Y14
	VMOVUPS 32(R9), Y15
	BETAISZERO
	JEQ  someput
	SOMESUM(Y0, Y1)
	SOMESUM(Y2, Y3)
	SOMESUM(Y4, Y5)
	SOMESUM(Y6, Y7)
	SOMESUM(Y8, Y9)
	SOMESUM(Y10, Y11)

someput:
	SOMEPUT(Y0, Y1)
	SOMEPUT(Y2, Y3)
	SOMEPUT(Y4, Y5)
	SOMEPUT(Y6, Y7)
	SOMEPUT(Y8, Y9)
	SOMEPUT(Y10, Y11)

done:
	RESTORE
	VZEROUPPER
	RET
