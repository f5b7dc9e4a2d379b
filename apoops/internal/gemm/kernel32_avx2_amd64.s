#include "textflag.h"

#define SHIFT 2
#define SIZE 4
#define BROADCAST VBROADCASTSS
#define MUL VMULPS
#define FMA VFMADD231PS
#define MOVE VMOVUPS
#define MASKMOVE VMASKMOVPS
#define BETAISZERO MOVL (CALL_ALPHA+SIZE)(DI), R8; ADDL R8, R8

// func kernel32AVX2(t *call[float32])
TEXT ·kernel32AVX2(SB), NOSPLIT, $8-8
	MOVQ t+0(FP), DI

#include "kernel_avx2_amd64.h"
