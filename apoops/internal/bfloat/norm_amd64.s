#include "textflag.h"
#include "frame_amd64.h"

// Loops of batch norm. The order of operations is that of the twins on float32 in
// simd/blocked.go.
//
//	R8           the BlockNorm: mean, F, shift, slope and level 64 bytes apart
//	Z8, Z9       the first sum of channels 0..7 and 8..15
//	Z10, Z11     the second
//	Z16..Z20     mean, F, shift, slope and level
//	Z21          zeros
//	Z22          ones

#define LOADNORM \
	VMOVUPS (R8), Z16; \
	VMOVUPS 64(R8), Z17; \
	VMOVUPS 128(R8), Z18; \
	VMOVUPS 192(R8), Z19; \
	VMOVUPS 256(R8), Z20; \
	VPXORD Z21, Z21, Z21; \
	MOVL $0x3f800000, AX; \
	VPBROADCASTD AX, Z22

#define LOADSUMS \
	VMOVUPD (DI), Z8; \
	VMOVUPD 64(DI), Z9; \
	VMOVUPD 128(DI), Z10; \
	VMOVUPD 192(DI), Z11

#define STORESUMS \
	VMOVUPD Z8, (DI); \
	VMOVUPD Z9, 64(DI); \
	VMOVUPD Z10, 128(DI); \
	VMOVUPD Z11, 192(DI)

// SQUARESOF adds p = x - x0 to sum and p² to square, for the eight channels at bytes at.
#define SQUARESOF(at, x0, sum, square) \
	VPMOVZXWD at(SI)(BX*1), Y0; \
	VPSLLD $16, Y0, Y0; \
	VCVTPS2PD Y0, Z0; \
	VSUBPD x0, Z0, Z0; \
	VADDPD Z0, sum, sum; \
	VMULPD Z0, Z0, Z0; \
	VADDPD Z0, square, square

// ADD adds the sixteen float32 of z, whose lower half is low, to the float64 of lo and hi.
#define ADD(z, low, lo, hi) \
	VCVTPS2PD low, Z3; \
	VADDPD Z3, lo, lo; \
	VEXTRACTF64X4 $1, z, low; \
	VCVTPS2PD low, Z3; \
	VADDPD Z3, hi, hi

// CENTRED sets Z0 = x - mean.
#define CENTRED \
	LOAD(SI, Z0); \
	VSUBPS Z16, Z0, Z0

// MASKED sets Z1 = dy·factor where Z0·F + shift > 0, and dy·0 elsewhere.
#define MASKED(factor) \
	LOAD(DX, Z1); \
	VMULPS Z17, Z0, Z2; \
	VADDPS Z18, Z2, Z2; \
	VCMPPS $0x1e, Z21, Z2, K1; \
	VMOVAPS.Z factor, K1, Z2; \
	VMULPS Z2, Z1, Z1

// ADDPRODUCTS adds Z1·Z0 to the first sum and Z1 to the second.
#define ADDPRODUCTS \
	VMULPS Z0, Z1, Z2; \
	ADD(Z2, Y2, Z8, Z9); \
	ADD(Z1, Y1, Z10, Z11)

// NORMALIZED sets Z0 = (x - mean)·F + shift.
#define NORMALIZED \
	CENTRED; \
	VMULPS Z17, Z0, Z0; \
	VADDPS Z18, Z0, Z0

// POSITIVE sets Z0 to 0 where it is not positive: NaNs stay, -0 becomes 0.
#define POSITIVE \
	VCMPPS $0x16, Z21, Z0, K1; \
	VMOVAPS.Z Z0, K1, Z0

// STOREGRAD writes Z1 - Z0·slope - level.
#define STOREGRAD \
	VMULPS Z19, Z0, Z0; \
	VSUBPS Z0, Z1, Z0; \
	VSUBPS Z20, Z0, Z0; \
	STORE

// The bodies of the loops.

#define SQUARES \
	SQUARESOF(0, Z4, Z8, Z10); \
	SQUARESOF(16, Z5, Z9, Z11)

#define PRODUCTS \
	CENTRED; \
	LOAD(DX, Z1); \
	ADDPRODUCTS

#define RELUPRODUCTS \
	CENTRED; \
	MASKED(Z22); \
	ADDPRODUCTS

#define AFFINE \
	NORMALIZED; \
	STORE

#define RELUAFFINE \
	NORMALIZED; \
	POSITIVE; \
	STORE

#define GRAD \
	CENTRED; \
	LOAD(DX, Z1); \
	VMULPS Z17, Z1, Z1; \
	STOREGRAD

#define RELUGRAD \
	CENTRED; \
	MASKED(Z17); \
	STOREGRAD

// The routines of one kind, by their bodies: those that add to sums of products, those of y
// and those of dx.

#define PRODUCTSBY(body) \
	MOVQ s+0(FP), DI; \
	MOVQ x_base+8(FP), SI; \
	MOVQ x_len+16(FP), CX; \
	MOVQ dy_base+32(FP), DX; \
	MOVQ n+56(FP), R8; \
	LOADNORM; \
	LOADSUMS; \
	EACH(body); \
	STORESUMS; \
	RETURN

#define AFFINEBY(body) \
	MOVQ y_base+0(FP), DI; \
	MOVQ y_len+8(FP), CX; \
	MOVQ x_base+24(FP), SI; \
	MOVQ n+48(FP), R8; \
	LOADNORM; \
	TOSTORE; \
	EACH(body); \
	RETURN

#define GRADBY(body) \
	MOVQ dx_base+0(FP), DI; \
	MOVQ dx_len+8(FP), CX; \
	MOVQ x_base+24(FP), SI; \
	MOVQ dy_base+48(FP), DX; \
	MOVQ n+72(FP), R8; \
	LOADNORM; \
	TOSTORE; \
	EACH(body); \
	RETURN

// func squares(s *simd.BlockSums, x []uint16, x0 *[simd.Block]float64)
//
//	s[0] += x - x0
//	s[1] += (x - x0)²
TEXT ·squares(SB), NOSPLIT, $0-40
	MOVQ s+0(FP), DI
	MOVQ x_base+8(FP), SI
	MOVQ x_len+16(FP), CX
	MOVQ x0+32(FP), AX
	VMOVUPD (AX), Z4
	VMOVUPD 64(AX), Z5
	LOADSUMS
	EACH(SQUARES)
	STORESUMS
	RETURN

// func products(s *simd.BlockSums, x, dy []uint16, n *simd.BlockNorm)
//
//	s[0] += dy·(x - mean)
//	s[1] += dy
TEXT ·products(SB), NOSPLIT, $0-64
	PRODUCTSBY(PRODUCTS)

// func reluProducts(s *simd.BlockSums, x, dy []uint16, n *simd.BlockNorm)
//
//	d = dy where (x - mean)·F + shift > 0, 0 elsewhere
//	s[0] += d·(x - mean)
//	s[1] += d
TEXT ·reluProducts(SB), NOSPLIT, $0-64
	PRODUCTSBY(RELUPRODUCTS)

// func affine(y, x []uint16, n *simd.BlockNorm)
//
//	y = (x - mean)·F + shift
TEXT ·affine(SB), NOSPLIT, $0-56
	AFFINEBY(AFFINE)

// func reluAffine(y, x []uint16, n *simd.BlockNorm)
//
//	y = max((x - mean)·F + shift, 0)
TEXT ·reluAffine(SB), NOSPLIT, $0-56
	AFFINEBY(RELUAFFINE)

// func grad(dx, x, dy []uint16, n *simd.BlockNorm)
//
//	dx = dy·F - (x - mean)·slope - level
TEXT ·grad(SB), NOSPLIT, $0-80
	GRADBY(GRAD)

// func reluGrad(dx, x, dy []uint16, n *simd.BlockNorm)
//
//	d = dy where (x - mean)·F + shift > 0, 0 elsewhere
//	dx = d·F - (x - mean)·slope - level
TEXT ·reluGrad(SB), NOSPLIT, $0-80
	GRADBY(RELUGRAD)
