#define NAME ·addRows32
#define SIZE 4
#define SHIFT 2
#define BROADCAST VBROADCASTSS
#define MOVE VMOVUPS
#define MASKED VMASKMOVPS
#define MULTIPLY VMULPS
#define PLUS VADDPS

#include "addrows_amd64.h"
