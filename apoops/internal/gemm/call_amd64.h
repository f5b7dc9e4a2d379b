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
