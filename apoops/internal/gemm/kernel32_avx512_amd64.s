#include "textflag.h"

#define SHIFT 2
#define SIZE 4
#define BROADCAST VBROADCASTSS
#define MUL VMULPS
#define FMA VFMADD231PS
#define MOVE VMOVUPS
#define LOWMASK KMOVW AX, K1; SHRQ $16, AX; KMOVW AX, K2
#define BETAISZERO MOVL (CALL_ALPHA+SIZE)(DI), R8; ADDL R8, R8

// func kernel32AVX512(t *call[float32])
TEXT ·kernel32AVX512(SB), NOSPLIT, $8-8
	MOVQ t+0(FP), DI

#include "kernel_avx512_amd64.h"
