// What the packing routines of both element types share.

// The fields of rowsOf, in bytes.
#define ROWS_DST 0
#define ROWS_DSTROW 24
#define ROWS_SRC 32
#define ROWS_SRCROW 56
#define ROWS_ROWS 64
#define ROWS_COLS 72

// ROWS loads the operands of DI: BX and SI are the result and the source, R8 and R9 the
// distances of their rows.
#define ROWS(shift) \
	MOVQ ROWS_DST(DI), BX; \
	MOVQ ROWS_SRC(DI), SI; \
	MOVQ ROWS_DSTROW(DI), R8; \
	MOVQ ROWS_SRCROW(DI), R9; \
	SHLQ $shift, R8; \
	SHLQ $shift, R9

// STORE stores the next row, if one is left.
#define STORE(z) \
	VMOVUPS z, (R15); \
	ADDQ R8, R15; \
	DECQ R11; \
	JEQ next

// FOUR makes, in each lane of 128 bits, four columns of four rows of float32.
#define FOUR(a, b, c, d, p, q, r, s) \
	VUNPCKLPS b, a, p; \
	VUNPCKHPS b, a, q; \
	VUNPCKLPS d, c, r; \
	VUNPCKHPS d, c, s; \
	VUNPCKLPD r, p, a; \
	VUNPCKHPD r, p, b; \
	VUNPCKLPD s, q, c; \
	VUNPCKHPD s, q, d

// TWO does the same for two rows of float64.
#define TWO(a, b, p) \
	VUNPCKHPD b, a, p; \
	VUNPCKLPD b, a, a; \
	VMOVAPD p, b

// LANES makes four columns of lanes of four rows of lanes.
#define LANES(a, b, c, d, p, q, r, s) \
	VSHUFF32X4 $0x88, b, a, p; \
	VSHUFF32X4 $0xdd, b, a, q; \
	VSHUFF32X4 $0x88, d, c, r; \
	VSHUFF32X4 $0xdd, d, c, s; \
	VSHUFF32X4 $0x88, r, p, a; \
	VSHUFF32X4 $0x88, s, q, b; \
	VSHUFF32X4 $0xdd, r, p, c; \
	VSHUFF32X4 $0xdd, s, q, d
