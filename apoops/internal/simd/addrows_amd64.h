#include "textflag.h"
#include "edge_amd64.h"

// y + Σ f_i·a_i, in blocks of columns that stay in registers while all rows are added. The
// files that include this define NAME, SIZE, the bytes of an element, SHIFT, its logarithm,
// and the instructions BROADCAST, MOVE, MASKED, MULTIPLY and PLUS.
//
//	DI      the next elements of y
//	CX      the number of elements that are left
//	SI      those of the first row
//	R10     bytes from one row to the next
//	R8, R9  f, the number of rows
//	R11     the next row
//	R12     its f
//	R13     the number of rows that are left
//	Y0..3   sums
//	Y4..7   products
//	Y11     the elements of the last vector that are there
//	Y12     f_i

#define LANES (32/SIZE)

#define FIRST \
	MOVQ SI, R11; \
	MOVQ R8, R12; \
	MOVQ R9, R13

#define NEXT \
	ADDQ R10, R11; \
	ADDQ $SIZE, R12; \
	DECQ R13

// func NAME(y []T, a *T, stride int, f []T)
TEXT NAME(SB), NOSPLIT, $0-64
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ a+24(FP), SI
	MOVQ stride+32(FP), R10
	MOVQ f_base+40(FP), R8
	MOVQ f_len+48(FP), R9
	SHLQ $SHIFT, R10
	SUBQ $(4*LANES), CX
	JLT  fewer

loop:
	MOVE 0(DI), Y0
	MOVE 32(DI), Y1
	MOVE 64(DI), Y2
	MOVE 96(DI), Y3
	FIRST

row:
	BROADCAST (R12), Y12
	MULTIPLY 0(R11), Y12, Y4
	MULTIPLY 32(R11), Y12, Y5
	MULTIPLY 64(R11), Y12, Y6
	MULTIPLY 96(R11), Y12, Y7
	PLUS Y4, Y0, Y0
	PLUS Y5, Y1, Y1
	PLUS Y6, Y2, Y2
	PLUS Y7, Y3, Y3
	NEXT
	JNE  row
	MOVE Y0, 0(DI)
	MOVE Y1, 32(DI)
	MOVE Y2, 64(DI)
	MOVE Y3, 96(DI)
	ADDQ $128, DI
	ADDQ $128, SI
	SUBQ $(4*LANES), CX
	JGE  loop

fewer:
	ADDQ $(3*LANES), CX
	JLT  last

single:
	MOVE (DI), Y0
	FIRST

singleRow:
	BROADCAST (R12), Y12
	MULTIPLY (R11), Y12, Y4
	PLUS Y4, Y0, Y0
	NEXT
	JNE  singleRow
	MOVE Y0, (DI)
	ADDQ $32, DI
	ADDQ $32, SI
	SUBQ $LANES, CX
	JGE  single

last:
	ADDQ $LANES, CX
	JEQ  done
	SHLQ $(SHIFT-2), CX // EDGE counts in four bytes
	EDGE
	MASKED (DI), Y11, Y0
	FIRST

lastRow:
	BROADCAST (R12), Y12
	MASKED (R11), Y11, Y4
	MULTIPLY Y4, Y12, Y4
	PLUS Y4, Y0, Y0
	NEXT
	JNE  lastRow
	MASKED Y0, Y11, (DI)

done:
	VZEROUPPER
	RET
