#include "textflag.h"

// The largest element. VMAXPS Z0, Z4, Z0 is Z4 where it is larger than Z0, and Z0 where
// it is not or is a NaN.
//
//	SI      the next elements
//	CX      the number of elements that are left
//	Z0..3   maxima, of AVX2's routine Y0..3
//	Z4..7   elements
//	K1, Y11 the elements of the last vector that are there

// func maxAVX512(z *float32, n int) float32
TEXT ·maxAVX512(SB), NOSPLIT, $0-20
	MOVQ z+0(FP), SI
	MOVQ n+8(FP), CX
	MOVL $0xff800000, AX // -Inf
	VPBROADCASTD AX, Z0
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z0, Z3
	SUBQ $64, CX
	JLT  fewer

loop:
	VMOVUPS 0(SI), Z4
	VMOVUPS 64(SI), Z5
	VMOVUPS 128(SI), Z6
	VMOVUPS 192(SI), Z7
	VMAXPS Z0, Z4, Z0
	VMAXPS Z1, Z5, Z1
	VMAXPS Z2, Z6, Z2
	VMAXPS Z3, Z7, Z3
	ADDQ $256, SI
	SUBQ $64, CX
	JGE  loop

fewer:
	ADDQ $48, CX
	JLT  last

single:
	VMOVUPS (SI), Z4
	VMAXPS Z0, Z4, Z0
	ADDQ $64, SI
	SUBQ $16, CX
	JGE  single

last:
	ADDQ $16, CX
	JEQ  reduce
	MOVL $1, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
	VMOVUPS.Z (SI), K1, Z4
	VMAXPS Z0, Z4, K1, Z0

reduce:
	VMAXPS Z1, Z0, Z0
	VMAXPS Z3, Z2, Z2
	VMAXPS Z2, Z0, Z0
	VEXTRACTF64X4 $1, Z0, Y1
	VMAXPS Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VMAXPS X1, X0, X0
	VPERMILPS $0x0e, X0, X1
	VMAXPS X1, X0, X0
	VPERMILPS $0x01, X0, X1
	VMAXSS X1, X0, X0
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET

// func maxAVX2(z *float32, n int) float32
TEXT ·maxAVX2(SB), NOSPLIT, $0-20
	MOVQ z+0(FP), SI
	MOVQ n+8(FP), CX
	MOVL $0xff800000, AX // -Inf
	MOVL AX, X0
	VPBROADCASTD X0, Y0
	VMOVAPS Y0, Y1
	VMOVAPS Y0, Y2
	VMOVAPS Y0, Y3
	SUBQ $32, CX
	JLT  fewer

loop:
	VMOVUPS 0(SI), Y4
	VMOVUPS 32(SI), Y5
	VMOVUPS 64(SI), Y6
	VMOVUPS 96(SI), Y7
	VMAXPS Y0, Y4, Y0
	VMAXPS Y1, Y5, Y1
	VMAXPS Y2, Y6, Y2
	VMAXPS Y3, Y7, Y3
	ADDQ $128, SI
	SUBQ $32, CX
	JGE  loop

fewer:
	ADDQ $24, CX
	JLT  last

single:
	VMOVUPS (SI), Y4
	VMAXPS Y0, Y4, Y0
	ADDQ $32, SI
	SUBQ $8, CX
	JGE  single

last:
	ADDQ $8, CX
	JEQ  reduce
	LEAQ ·edge(SB), AX
	SHLQ $2, CX
	SUBQ CX, AX
	VMOVDQU 32(AX), Y11
	VMASKMOVPS (SI), Y11, Y4
	VBLENDVPS Y11, Y4, Y0, Y4 // elements that are not there are those of Y0
	VMAXPS Y0, Y4, Y0

reduce:
	VMAXPS Y1, Y0, Y0
	VMAXPS Y3, Y2, Y2
	VMAXPS Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VMAXPS X1, X0, X0
	VPERMILPS $0x0e, X0, X1
	VMAXPS X1, X0, X0
	VPERMILPS $0x01, X0, X1
	VMAXSS X1, X0, X0
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET
