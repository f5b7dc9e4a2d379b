#include "textflag.h"

// The loops of pool.go, eight windows at a time.
//
//	DI             y
//	SI, DX         a, b
//	R8             dy
//	R9, R10        da, db
//	BX             the offset in bytes of the next windows in y, half of that in a and b
//	CX             the number of windows that are left
//	Y11            the windows of the last vector that are there
//	Y12, Y13       their elements in the two vectors of a row

// EDGES sets Y11, Y12 and Y13 for the CX < 8 windows that are left. It changes AX, CX and R11.
#define EDGES \
	LEAQ ·edge(SB), AX; \
	LEAQ 32(AX), AX; \
	MOVQ CX, R11; \
	SHLQ $2, R11; \
	SUBQ R11, AX; \
	VMOVDQU (AX), Y11; \
	ADDQ R11, AX; \
	MOVQ $8, R11; \
	ADDQ CX, CX; \
	CMPQ CX, R11; \
	CMOVQLT CX, R11; \
	SUBQ R11, CX; \
	NEGQ R11; \
	NEGQ CX; \
	VMOVDQU (AX)(R11*4), Y12; \
	VMOVDQU (AX)(CX*4), Y13

// LARGER sets x to the larger of x and y: NaN if one is, of two zeros the positive one. It
// changes y, Y9 and Y10.
#define LARGER(x, y) \
	VCMPPS $3, y, x, Y9; \
	VMAXPS y, x, Y10; \
	VMAXPS x, y, y; \
	VANDPS Y10, y, x; \
	VORPS  Y9, x, x

// WINDOWS sets Y0 to the maxima of eight windows, of a in Y0 and Y1 and of b in Y2 and Y3.
#define WINDOWS \
	LARGER(Y0, Y2); \
	LARGER(Y1, Y3); \
	VSHUFPS $0xdd, Y1, Y0, Y2; \
	VSHUFPS $0x88, Y1, Y0, Y0; \
	LARGER(Y0, Y2); \
	VPERMPD $0xd8, Y0, Y0

// func maxPairs(y, a, b []float32)
TEXT ·maxPairs(SB), NOSPLIT, $0-72
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ a_base+24(FP), SI
	MOVQ b_base+48(FP), DX
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (SI)(BX*2), Y0
	VMOVUPS 32(SI)(BX*2), Y1
	VMOVUPS (DX)(BX*2), Y2
	VMOVUPS 32(DX)(BX*2), Y3
	WINDOWS
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	EDGES
	VMASKMOVPS (SI)(BX*2), Y12, Y0
	VMASKMOVPS 32(SI)(BX*2), Y13, Y1
	VMASKMOVPS (DX)(BX*2), Y12, Y2
	VMASKMOVPS 32(DX)(BX*2), Y13, Y3
	WINDOWS
	VMASKMOVPS Y0, Y11, (DI)(BX*1)

done:
	VZEROUPPER
	RET

// TWICE sets lo and hi to the elements of x, each twice.
#define TWICE(x, lo, hi) \
	VPERMPD   $0xd8, x, x; \
	VUNPCKLPS x, x, lo; \
	VUNPCKHPS x, x, hi

// PLACES sets Y6 and Y7, four windows' elements of a and b, to d at the first that equals m
// in its window, else at b's second. Y8 has the odd elements. It changes Y9 and Y10.
#define PLACES(m, d) \
	VCMPPS    $0, m, Y6, Y6; \
	VCMPPS    $0, m, Y7, Y7; \
	VMOVSLDUP Y6, Y9; \
	VANDPS    Y8, Y9, Y9; \
	VANDNPS   Y6, Y9, Y9; \
	VPERMILPS $0xb1, Y6, Y10; \
	VORPS     Y10, Y6, Y10; \
	VMOVSLDUP Y7, Y7; \
	VXORPS    Y8, Y7, Y7; \
	VANDNPS   Y7, Y10, Y7; \
	VANDPS    d, Y9, Y6; \
	VANDPS    d, Y7, Y7

// func maxPairsGrad(y, dy, a, b, da, db []float32)
TEXT ·maxPairsGrad(SB), NOSPLIT, $0-144
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ dy_base+24(FP), R8
	MOVQ a_base+48(FP), SI
	MOVQ b_base+72(FP), DX
	MOVQ da_base+96(FP), R9
	MOVQ db_base+120(FP), R10
	VPCMPEQD Y8, Y8, Y8
	VPSLLQ $32, Y8, Y8
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMOVUPS (DI)(BX*1), Y0
	VMOVUPS (R8)(BX*1), Y1
	TWICE(Y0, Y2, Y3)
	TWICE(Y1, Y4, Y5)
	VMOVUPS (SI)(BX*2), Y6
	VMOVUPS (DX)(BX*2), Y7
	PLACES(Y2, Y4)
	VMOVUPS Y6, (R9)(BX*2)
	VMOVUPS Y7, (R10)(BX*2)
	VMOVUPS 32(SI)(BX*2), Y6
	VMOVUPS 32(DX)(BX*2), Y7
	PLACES(Y3, Y5)
	VMOVUPS Y6, 32(R9)(BX*2)
	VMOVUPS Y7, 32(R10)(BX*2)
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	EDGES
	VMASKMOVPS (DI)(BX*1), Y11, Y0
	VMASKMOVPS (R8)(BX*1), Y11, Y1
	TWICE(Y0, Y2, Y3)
	TWICE(Y1, Y4, Y5)
	VMASKMOVPS (SI)(BX*2), Y12, Y6
	VMASKMOVPS (DX)(BX*2), Y12, Y7
	PLACES(Y2, Y4)
	VMASKMOVPS Y6, Y12, (R9)(BX*2)
	VMASKMOVPS Y7, Y12, (R10)(BX*2)
	VMASKMOVPS 32(SI)(BX*2), Y13, Y6
	VMASKMOVPS 32(DX)(BX*2), Y13, Y7
	PLACES(Y3, Y5)
	VMASKMOVPS Y6, Y13, 32(R9)(BX*2)
	VMASKMOVPS Y7, Y13, 32(R10)(BX*2)

done:
	VZEROUPPER
	RET
