// The frame of loops over the bits of blocks of sixteen channels, with AVX-512. Elements are
// expanded to vectors of float32, which have one of each channel.
//
//	SI, DX       x and dy
//	DI           the result, or the sums
//	BX           the offset in bytes of the next elements
//	CX           the number of bytes
//	Z23..Z25     the quiet bit, 0x7fff and 1, for STORE

// EACH runs body for each vector, from the first to the last. A routine has no more than one:
// labels are the routine's.
#define EACH(body) \
	SHLQ $1, CX; \
	XORQ BX, BX; \
	JMP  test; \
loop: \
	body; \
	ADDQ $32, BX; \
test: \
	CMPQ BX, CX; \
	JLT  loop

#define RETURN \
	VZEROUPPER; \
	RET

// LOAD sets z to the next sixteen elements of an array.
#define LOAD(array, z) \
	VPMOVZXWD (array)(BX*1), z; \
	VPSLLD $16, z, z

// TOSTORE sets the constants of STORE.
#define TOSTORE \
	MOVL $0x00400000, AX; \
	VPBROADCASTD AX, Z23; \
	MOVL $0x7fff, AX; \
	VPBROADCASTD AX, Z24; \
	MOVL $1, AX; \
	VPBROADCASTD AX, Z25

// STORE writes Z0 to the result, rounded to nearest even: of the bits z, the upper half of
// z + 0x7fff + (z>>16)&1. NaNs become quiet. It uses Z1 and K2.
#define STORE \
	VPSRLD $16, Z0, Z1; \
	VPANDD Z25, Z1, Z1; \
	VCMPPS $3, Z0, Z0, K2; \
	VPADDD Z24, Z1, Z1; \
	VPADDD Z0, Z1, Z1; \
	VPORD Z23, Z0, K2, Z1; \
	VPSRLD $16, Z1, Z1; \
	VPMOVDW Z1, (DI)(BX*1)
