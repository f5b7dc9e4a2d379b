#include "textflag.h"

#define SHIFT 3
#define SIZE 8
#define BROADCAST VBROADCASTSD
#define MUL VMULPD
#define FMA VFMADD231PD
#define MOVE VMOVUPD
#define LOWMASK KMOVB AX, K1; SHRQ $8, AX; KMOVB AX, K2
#define BETAISZERO MOVQ (CALL_ALPHA+SIZE)(DI), R8; ADDQ R8, R8

// func kernel64AVX512(t *call[float64])
TEXT ·kernel64AVX512(SB), NOSPLIT, $8-8
	MOVQ t+0(FP), DI

#include "kernel_avx512_amd64.h"
