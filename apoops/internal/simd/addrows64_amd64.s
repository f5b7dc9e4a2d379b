#define NAME ·addRows64
#define SIZE 8
#define SHIFT 3
#define BROADCAST VBROADCASTSD
#define MOVE VMOVUPD
#define MASKED VMASKMOVPD
#define MULTIPLY VMULPD
#define PLUS VADDPD

#include "addrows_amd64.h"
