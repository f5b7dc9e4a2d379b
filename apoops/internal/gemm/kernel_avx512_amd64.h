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

// BOTH adds an element of A times both vectors of B to the sums of a row, HALVES times the
// halves of the first, HALF times its first half. Halves take half the time.
#define BOTH(a, z, p, q) \
	BROADCAST a, z; \
	FMA Z28, z, p; \
	FMA Z29, z, q

#define HALVES(a, y, p, q) \
	BROADCAST a, y; \
	FMA Y28, y, p; \
	FMA Y29, y, q

#define HALF(a, y, p) \
	BROADCAST a, y; \
	FMA Y28, y, p

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

#define HALVES1 HALVES((SI), Y30, Y0, Y1)
#define HALVES2 HALVES1; HALVES((SI)(R8*1), Y31, Y2, Y3)
#define HALVES3 HALVES2; HALVES((SI)(R8*2), Y30, Y4, Y5)
#define HALVES4 HALVES3; HALVES((SI)(R11*1), Y31, Y6, Y7)
#define HALVES5 HALVES4; HALVES((SI)(R8*4), Y30, Y8, Y9)
#define HALVES6 HALVES5; HALVES((SI)(R12*1), Y31, Y10, Y11)
#define HALVES7 HALVES6; HALVES((SI)(R11*2), Y30, Y12, Y13)
#define HALVES8 HALVES7; HALVES((SI)(R13*1), Y31, Y14, Y15)
#define HALVES9 HALVES8; HALVES((DX), Y30, Y16, Y17)
#define HALVES10 HALVES9; HALVES((DX)(R8*1), Y31, Y18, Y19)
#define HALVES11 HALVES10; HALVES((DX)(R8*2), Y30, Y20, Y21)
#define HALVES12 HALVES11; HALVES((DX)(R11*1), Y31, Y22, Y23)
#define HALVES13 HALVES12; HALVES((DX)(R8*4), Y30, Y24, Y25)
#define HALVES14 HALVES13; HALVES((DX)(R12*1), Y31, Y26, Y27)

#define HALF1 HALF((SI), Y30, Y0)
#define HALF2 HALF1; HALF((SI)(R8*1), Y31, Y2)
#define HALF3 HALF2; HALF((SI)(R8*2), Y30, Y4)
#define HALF4 HALF3; HALF((SI)(R11*1), Y31, Y6)
#define HALF5 HALF4; HALF((SI)(R8*4), Y30, Y8)
#define HALF6 HALF5; HALF((SI)(R12*1), Y31, Y10)
#define HALF7 HALF6; HALF((SI)(R11*2), Y30, Y12)
#define HALF8 HALF7; HALF((SI)(R13*1), Y31, Y14)
#define HALF9 HALF8; HALF((DX), Y30, Y16)
#define HALF10 HALF9; HALF((DX)(R8*1), Y31, Y18)
#define HALF11 HALF10; HALF((DX)(R8*2), Y30, Y20)
#define HALF12 HALF11; HALF((DX)(R11*1), Y31, Y22)
#define HALF13 HALF12; HALF((DX)(R8*4), Y30, Y24)
#define HALF14 HALF13; HALF((DX)(R12*1), Y31, Y26)

// TWOVECTORS, TWOHALVES and ONEHALF are the loops over the steps for a number of rows.
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

#define TWOHALVES(label, count, next, rows) \
	CMPQ AX, $count; \
	JNE next; \
label: \
	MOVE (BX), Y28; \
	MOVE 32(BX), Y29; \
	ADDQ R10, BX; \
	rows; \
	ADDQ R9, SI; \
	ADDQ R9, DX; \
	DECQ CX; \
	JNE label; \
	JMP join; \
next: \
	NOP

#define ONEHALF(label, count, next, rows) \
	CMPQ AX, $count; \
	JNE next; \
label: \
	MOVE (BX), Y28; \
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
	CMPQ CALL_COLS(DI), $(32/SIZE)
	JLE  half
	TWOHALVES(halves14, 14, down13, HALVES14)
	TWOHALVES(halves13, 13, down12, HALVES13)
	TWOHALVES(halves12, 12, down11, HALVES12)
	TWOHALVES(halves11, 11, down10, HALVES11)
	TWOHALVES(halves10, 10, down9, HALVES10)
	TWOHALVES(halves9, 9, down8, HALVES9)
	TWOHALVES(halves8, 8, down7, HALVES8)
	TWOHALVES(halves7, 7, down6, HALVES7)
	TWOHALVES(halves6, 6, down5, HALVES6)
	TWOHALVES(halves5, 5, down4, HALVES5)
	TWOHALVES(halves4, 4, down3, HALVES4)
	TWOHALVES(halves3, 3, down2, HALVES3)
	TWOHALVES(halves2, 2, down1, HALVES2)
	TWOHALVES(halves1, 1, down0, HALVES1)
	JMP  store

half:
	ONEHALF(half14, 14, below13, HALF14)
	ONEHALF(half13, 13, below12, HALF13)
	ONEHALF(half12, 12, below11, HALF12)
	ONEHALF(half11, 11, below10, HALF11)
	ONEHALF(half10, 10, below9, HALF10)
	ONEHALF(half9, 9, below8, HALF9)
	ONEHALF(half8, 8, below7, HALF8)
	ONEHALF(half7, 7, below6, HALF7)
	ONEHALF(half6, 6, below5, HALF6)
	ONEHALF(half5, 5, below4, HALF5)
	ONEHALF(half4, 4, below3, HALF4)
	ONEHALF(half3, 3, below2, HALF3)
	ONEHALF(half2, 2, below1, HALF2)
	ONEHALF(half1, 1, below0, HALF1)
	JMP  store

join:
	VINSERTF64X4 $1, Y1, Z0, Z0
	VINSERTF64X4 $1, Y3, Z2, Z2
	VINSERTF64X4 $1, Y5, Z4, Z4
	VINSERTF64X4 $1, Y7, Z6, Z6
	VINSERTF64X4 $1, Y9, Z8, Z8
	VINSERTF64X4 $1, Y11, Z10, Z10
	VINSERTF64X4 $1, Y13, Z12, Z12
	VINSERTF64X4 $1, Y15, Z14, Z14
	VINSERTF64X4 $1, Y17, Z16, Z16
	VINSERTF64X4 $1, Y19, Z18, Z18
	VINSERTF64X4 $1, Y21, Z20, Z20
	VINSERTF64X4 $1, Y23, Z22, Z22
	VINSERTF64X4 $1, Y25, Z24, Z24
	VINSERTF64X4 $1, Y27, Z26, Z26

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
	RESTORE
	VZEROUPPER
	RET
