#include "textflag.h"
#include "pack_avx512_amd64.h"

// LOWMASK sets K1 and K2 to the elements of two vectors in the bits of AX.
#define LOWMASK KMOVW AX, K1; SHRQ $16, AX; KMOVW AX, K2

// func copy32AVX512(t *rowsOf[float32])
TEXT ·copy32AVX512(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), DI
	ROWS(2)
	MOVQ ROWS_COLS(DI), CX
	MOVQ $1, AX
	SHLQ CX, AX
	DECQ AX
	LOWMASK
	MOVQ ROWS_ROWS(DI), CX

loop:
	PREFETCHT0 (SI)(R9*8)
	PREFETCHT0 64(SI)(R9*8)
	VMOVUPS.Z (SI), K1, Z0
	VMOVUPS.Z 64(SI), K2, Z1
	VMOVUPS Z0, K1, (BX)
	VMOVUPS Z1, K2, 64(BX)
	ADDQ R9, SI
	ADDQ R8, BX
	DECQ CX
	JNE  loop
	VZEROUPPER
	RET

// LOAD loads elements of the row at AX and goes on to the next, or stays at the last.
#define LOAD(z) \
	VMOVUPS.Z (AX), K1, z; \
	PREFETCHT0 192(AX); \
	LEAQ (AX)(R9*1), R12; \
	CMPQ AX, DX; \
	CMOVQNE R12, AX

// func transpose32AVX512(t *rowsOf[float32])
//
// It makes 16 columns of 16 rows at a time, or of fewer; the lanes of columns that are
// not there have those of the last.
//
//	SI, BX         the first of the rows, and of their columns
//	R10, R11       the rows and the elements of each that are left
//	R13, R14       the bytes from the first row to the last; the next elements of the first
//	R15            the next row of the result
TEXT ·transpose32AVX512(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), DI
	ROWS(2)
	MOVQ ROWS_COLS(DI), R10

group:
	MOVQ $16, R13
	CMPQ R10, R13
	CMOVQLT R10, R13
	DECQ R13
	IMULQ R9, R13
	MOVQ ROWS_ROWS(DI), R11
	MOVQ SI, R14
	MOVQ BX, R15

block:
	MOVQ $16, CX
	CMPQ R11, CX
	CMOVQLT R11, CX
	MOVQ $1, AX
	SHLQ CX, AX
	DECQ AX
	LOWMASK
	MOVQ R14, AX
	LEAQ (R14)(R13*1), DX
	LOAD(Z0)
	LOAD(Z1)
	LOAD(Z2)
	LOAD(Z3)
	LOAD(Z4)
	LOAD(Z5)
	LOAD(Z6)
	LOAD(Z7)
	LOAD(Z8)
	LOAD(Z9)
	LOAD(Z10)
	LOAD(Z11)
	LOAD(Z12)
	LOAD(Z13)
	LOAD(Z14)
	LOAD(Z15)

	FOUR(Z0, Z1, Z2, Z3, Z16, Z17, Z18, Z19)
	FOUR(Z4, Z5, Z6, Z7, Z20, Z21, Z22, Z23)
	FOUR(Z8, Z9, Z10, Z11, Z24, Z25, Z26, Z27)
	FOUR(Z12, Z13, Z14, Z15, Z28, Z29, Z30, Z31)
	LANES(Z0, Z4, Z8, Z12, Z16, Z20, Z24, Z28)
	LANES(Z1, Z5, Z9, Z13, Z17, Z21, Z25, Z29)
	LANES(Z2, Z6, Z10, Z14, Z18, Z22, Z26, Z30)
	LANES(Z3, Z7, Z11, Z15, Z19, Z23, Z27, Z31)

	STORE(Z0)
	STORE(Z1)
	STORE(Z2)
	STORE(Z3)
	STORE(Z4)
	STORE(Z5)
	STORE(Z6)
	STORE(Z7)
	STORE(Z8)
	STORE(Z9)
	STORE(Z10)
	STORE(Z11)
	STORE(Z12)
	STORE(Z13)
	STORE(Z14)
	STORE(Z15)
	ADDQ $64, R14
	JMP  block

next:
	SUBQ $16, R10
	JLE  done
	SHLQ $4, R9
	ADDQ R9, SI
	SHRQ $4, R9
	ADDQ $64, BX
	JMP  group

done:
	VZEROUPPER
	RET
