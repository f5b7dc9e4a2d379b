#include "textflag.h"
#include "edge_amd64.h"

// The registers are those of elem_amd64.s.

// func addScaled(y, x []float32, f float32)
TEXT ·addScaled(SB), NOSPLIT, $0-52
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	VBROADCASTSS f+48(FP), Y12
	XORQ BX, BX
	SUBQ $8, CX
	JLT  last

loop:
	VMULPS  (SI)(BX*1), Y12, Y0
	VADDPS  (DI)(BX*1), Y0, Y0
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ $32, BX
	SUBQ $8, CX
	JGE  loop

last:
	ADDQ $8, CX
	JEQ  done
	EDGE
	VMASKMOVPS (SI)(BX*1), Y11, Y0
	VMASKMOVPS (DI)(BX*1), Y11, Y1
	VMULPS Y0, Y12, Y0
	VADDPS Y1, Y0, Y0
	VMASKMOVPS Y0, Y11, (DI)(BX*1)

done:
	VZEROUPPER
	RET
