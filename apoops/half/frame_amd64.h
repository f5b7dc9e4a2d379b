// OPERANDS loads the arguments dst, src and n of a routine.
#define OPERANDS \
	MOVQ dst+0(FP), DI; \
	MOVQ src+8(FP), SI; \
	MOVQ n+16(FP), CX

// INPLACE loads the arguments x and n of a routine.
#define INPLACE \
	MOVQ x+0(FP), DI; \
	MOVQ n+8(FP), CX

// REPEAT ends a loop over elements that took count of them: it goes back to begin while some
// are left, and returns otherwise.
#define REPEAT(begin, count) \
	SUBQ $count, CX; \
	JNZ  begin; \
	VZEROUPPER; \
	RET

// FROMTO moves on by the bytes that were read from src and written to dst.
#define FROMTO(read, written) \
	ADDQ $read, SI; \
	ADDQ $written, DI
