#include "textflag.h"
#include "pack_avx512_amd64.h"

// LOWMASK sets K1 and K2 to the elements of two vectors in the bits of AX.
#define LOWMASK KMOVB AX, K1; SHRQ $8, AX; KMOVB AX, K2

// func copy64AVX512(t *rowsOf[float64])
TEXT ·copy64AVX512(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), DI
	ROWS(3)
	MOVQ ROWS_COLS(DI), CX
	MOVQ $1, AX
	SHLQ CX, AX
	DECQ AX
	LOWMASK
	MOVQ ROWS_ROWS(DI), CX

loop:
	PREFETCHT0 (SI)(R9*8)
	PREFETCHT0 64(SI)(R9*8)
	VMOVUPD.Z (SI), K1, Z0
	VMOVUPD.Z 64(SI), K2, Z1
	VMOVUPD Z0, K1, (BX)
	VMOVUPD Z1, K2, 64(BX)
	ADDQ R9, SI
	ADDQ R8, BX
	DECQ CX
	JNE  loop
	VZEROUPPER
	RET

// LOAD loads elements of the row at AX and goes on to the next, or stays at the last.
#define LOAD(z) \
	VMOVUPD.Z (AX), K1, z; \
	PREFETCHT0 192(AX); \
	LEAQ (AX)(R9*1), R12; \
	CMPQ AX, DX; \
	CMOVQNE R12, AX

// func transpose64AVX512(t *rowsOf[float64])
//
// It makes 8 columns of 8 rows at a time, or of fewer; the lanes of columns that are
// not there have those of the last.
//
//	SI, BX         the first of the rows, and of their columns
//	R10, R11       the rows and the elements of each that are left
//	R13, R14       the bytes from the first row to the last; the next elements of the first
//	R15            the next row of the result
TEXT ·transpose64AVX512(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), DI
	ROWS(3)
	MOVQ ROWS_COLS(DI), R10

group:
	MOVQ $8, R13
	CMPQ R10, R13
	CMOVQLT R10, R13
	DECQ R13
	IMULQ R9, R13
	MOVQ ROWS_ROWS(DI), R11
	MOVQ SI, R14
	MOVQ BX, R15

block:
	MOVQ $8, CX
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

	TWO(Z0, Z1, Z16)
	TWO(Z2, Z3, Z18)
	TWO(Z4, Z5, Z20)
	TWO(Z6, Z7, Z22)
	LANES(Z0, Z2, Z4, Z6, Z16, Z18, Z20, Z22)
	LANES(Z1, Z3, Z5, Z7, Z17, Z19, Z21, Z23)

	STORE(Z0)
	STORE(Z1)
	STORE(Z2)
	STORE(Z3)
	STORE(Z4)
	STORE(Z5)
	STORE(Z6)
	STORE(Z7)
	ADDQ $64, R14
	JMP  block

next:
	SUBQ $8, R10
	JLE  done
	SHLQ $3, R9
	ADDQ R9, SI
	SHRQ $3, R9
	ADDQ $64, BX
	JMP  group

done:
	VZEROUPPER
	RET
