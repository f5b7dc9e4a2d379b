// The fields of call, in bytes; alpha and beta follow and have the size of an element.
#define CALL_K 0
#define CALL_A 8
#define CALL_AROW 32
#define CALL_ASTEP 40
#define CALL_B 48
#define CALL_BSTEP 72
#define CALL_C 80
#define CALL_CROW 104
#define CALL_ROWS 112
#define CALL_COLS 120
#define CALL_ALPHA 128

// FLUSH lets numbers below the normal range count as 0, as operands and as results, until
// RESTORE: bits 6 and 15 of MXCSR, which is kept in the frame of 8 bytes. It changes AX.
#define FLUSH \
	STMXCSR 0(SP); \
	MOVL    0(SP), AX; \
	ORL     $0x8040, AX; \
	MOVL    AX, 4(SP); \
	LDMXCSR 4(SP)

#define RESTORE LDMXCSR 0(SP)
