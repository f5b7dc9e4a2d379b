// EDGE sets Y11 to the CX < 8 lowest elements. It changes AX and CX.
#define EDGE \
	LEAQ ·edge(SB), AX; \
	SHLQ $2, CX; \
	SUBQ CX, AX; \
	VMOVDQU 32(AX), Y11
