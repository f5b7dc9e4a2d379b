#include "textflag.h"
#include "frame_amd64.h"

// func expandBFloat16AVX512(dst *float32, src *uint16, n int)
// What follows in a block of the same size is on its way meanwhile: a caller that takes
// several arrays in turn, block by block, finds no stream that the processor sees.
TEXT ·expandBFloat16AVX512(SB), NOSPLIT, $0-24
	OPERANDS
	MOVL $0x00400000, AX
	VPBROADCASTD AX, Z2
	SUBQ $32, CX
	JLT  lastBrain
expandBrain:
	PREFETCHT0 4096(SI)
	VPMOVZXWD 0(SI), Z0
	VPMOVZXWD 32(SI), Z1
	VPSLLD $16, Z0, Z0
	VPSLLD $16, Z1, Z1
	VCMPPS $3, Z0, Z0, K1
	VCMPPS $3, Z1, Z1, K2
	VPORD Z2, Z0, K1, Z0
	VPORD Z2, Z1, K2, Z1
	VMOVDQU32 Z0, 0(DI)
	VMOVDQU32 Z1, 64(DI)
	FROMTO(64, 128)
	SUBQ $32, CX
	JGE  expandBrain
lastBrain:
	ADDQ $32, CX
	JZ   expandedBrain
	VPMOVZXWD 0(SI), Z0
	VPSLLD $16, Z0, Z0
	VCMPPS $3, Z0, Z0, K1
	VPORD Z2, Z0, K1, Z0
	VMOVDQU32 Z0, 0(DI)
expandedBrain:
	VZEROUPPER
	RET

// func packBFloat16AVX512(dst *uint16, src *float32, n int)
TEXT ·packBFloat16AVX512(SB), NOSPLIT, $0-24
	OPERANDS
	MOVL $0x00400000, AX
	VPBROADCASTD AX, Z2
	MOVL $0x7fff, AX
	VPBROADCASTD AX, Z3
	MOVL $1, AX
	VPBROADCASTD AX, Z4
packBrain:
	VMOVDQU32 0(SI), Z0
	VPSRLD $16, Z0, Z1
	VPANDD Z4, Z1, Z1
	VCMPPS $3, Z0, Z0, K1
	VPADDD Z3, Z1, Z1
	VPADDD Z0, Z1, Z1
	VPORD Z2, Z0, K1, Z1
	VPSRLD $16, Z1, Z1
	VPMOVDW Z1, 0(DI)
	FROMTO(64, 32)
	REPEAT(packBrain, 16)
