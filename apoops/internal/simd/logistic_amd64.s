#include "textflag.h"

// func logistic(z []float64)
//
//	DI     the elements
//	CX     how many are left
//	Y2     1 in all elements
TEXT ·logistic(SB), NOSPLIT, $0-24
	MOVQ z_base+0(FP), DI
	MOVQ z_len+8(FP), CX
	MOVQ $0x3ff0000000000000, AX
	MOVQ AX, X2
	VBROADCASTSD X2, Y2
	SUBQ $4, CX
	JLT  done

loop:
	VADDPD  (DI), Y2, Y0
	VDIVPD  Y0, Y2, Y0
	VMOVUPD Y0, (DI)
	ADDQ $32, DI
	SUBQ $4, CX
	JGE  loop

done:
	VZEROUPPER
	RET
