package apoops

import (
	"github.com/apo-gorgonia/apo/apoops/internal/bfloat"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/par"
)

const (
	// blockGroups is the number of groups of images whose sums are made side by side, so
	// that bits do not depend on the number of cores.
	blockGroups = 16
	// blockPiece is the number of elements that loops take at once; those that were
	// packed stay in a core's nearest cache.
	blockPiece = 128 * simd.Block
)

// blockNorm computes batch norm on images in blocks of channels. Sums over the batch are
// those of the same terms as on plain ones, added up in another order.
type blockNorm[T Float] struct {
	a     *args[T]
	l     channels
	act   Activation
	dy    bool             // sums are of products with dy
	bits  bool             // operands are bits of bfloat16, which loops read as they are
	norm  []simd.BlockNorm // by block of channels
	first [][simd.Block]float64
	sums  []simd.BlockSums // by group of images and block

	sumOne, normOne, gradOne func(lo, hi int)
}

func newBlockNorm[T Float]() *blockNorm[T] {
	b := new(blockNorm[T])
	b.sumOne, b.normOne, b.gradOne = b.sumGroups, b.normalizeBlocks, b.gradBlocks
	return b
}

// blocks is the number of blocks of an image.
func (b *blockNorm[T]) blocks() int { return b.l.c / simd.Block }

// size is the number of elements of a block.
func (b *blockNorm[T]) size() int { return b.l.s * simd.Block }

// set sets F = scale·inv for each channel, and mean and shift.
func (b *blockNorm[T]) set(a *args[T], l channels, act Activation) {
	b.a, b.l, b.act = a, l, act
	b.norm = sized(b.norm, b.blocks())
	moments, scale, shift := singles(a.in[3]), singles(a.in[1]), singles(a.in[2])
	for j := range l.c {
		n, at := &b.norm[j/simd.Block], j%simd.Block
		n.Mean[at], n.F[at], n.Shift[at] = moments[j], scale[j]*moments[l.c+j], shift[j]
	}
}

// add makes the sums of each channel and adds them to sums.
func (b *blockNorm[T]) add(sums [][2]float64) {
	groups := min(b.l.n, blockGroups)
	b.sums = sized(b.sums, groups*b.blocks())
	par.For(len(b.sums), 1, b.sumOne)
	clear(sums)
	for i := range b.sums {
		for at := range simd.Block {
			s := &sums[i%b.blocks()*simd.Block+at]
			s[0] += b.sums[i][0][at]
			s[1] += b.sums[i][1][at]
		}
	}
}

// sumGroups makes the sums [lo, hi).
func (b *blockNorm[T]) sumGroups(lo, hi int) {
	groups := len(b.sums) / b.blocks()
	room := b.a.room(2 * blockPiece)
	for i := lo; i < hi; i++ {
		s, g, block := &b.sums[i], i/b.blocks(), i%b.blocks()
		*s = simd.BlockSums{}
		for image := g * b.l.n / groups; image < (g+1)*b.l.n/groups; image++ {
			from := (image*b.blocks() + block) * b.size()
			if b.bits {
				b.sumBits(s, block, from, from+b.size())
				continue
			}
			for at := from; at < from+b.size(); at += blockPiece {
				b.sumPiece(s, block, at, min(at+blockPiece, from+b.size()), room)
			}
		}
	}
	b.a.leave(room)
}

func (b *blockNorm[T]) sumPiece(s *simd.BlockSums, block, lo, hi int, room []T) {
	x := singles(b.a.piece(0, lo, hi, room))
	if !b.dy {
		s.Squares(x, &b.first[block])
		return
	}
	dy := singles(b.a.piece(4, lo, hi, second(room)))
	if b.act == ReLUAct {
		s.ReLUProducts(x, dy, &b.norm[block])
	} else {
		s.Products(x, dy, &b.norm[block])
	}
}

func (b *blockNorm[T]) sumBits(s *simd.BlockSums, block, lo, hi int) {
	x := b.a.bits[0][lo:hi]
	if b.dy {
		bfloat.Products(s, x, b.a.bits[4][lo:hi], &b.norm[block], b.act == ReLUAct)
	} else {
		bfloat.Squares(s, x, &b.first[block])
	}
}

// second is the second half of room for two pieces.
func second[T Float](room []T) []T { return room[min(blockPiece, len(room)):] }

// moments computes those of k.
func (b *blockNorm[T]) moments(k *batchMoments[T]) {
	b.a, b.l, b.dy, b.bits = k.a, k.l, false, k.a.areBits(0)
	b.first = sized(b.first, b.blocks())
	room := k.a.room(simd.Block)
	for block := range b.first {
		at := block * b.size()
		for j, v := range k.a.piece(0, at, at+simd.Block, room) {
			b.first[block][j] = float64(v)
			k.first[block*simd.Block+j] = float64(v)
		}
	}
	k.a.leave(room)
	b.add(k.sums)
	if k.comm == nil {
		k.set(0, k.l.c)
	}
	b.a = nil
}

// normalize computes batchNorm.
func (b *blockNorm[T]) normalize(a *args[T], l channels, act Activation) {
	b.set(a, l, act)
	b.bits = a.areBits(0) && a.to != nil && (act == Identity || act == ReLUAct)
	par.For(l.n*b.blocks(), par.RowGrain(b.size()), b.normOne)
	b.a = nil
}

// normalizeBlocks computes the blocks [lo, hi), numbered across all images.
func (b *blockNorm[T]) normalizeBlocks(lo, hi int) {
	room := b.a.room(blockPiece)
	for i := lo; i < hi; i++ {
		if b.bits {
			from, to := i*b.size(), (i+1)*b.size()
			bfloat.Affine(&b.norm[i%b.blocks()], b.a.to[from:to], b.a.bits[0][from:to], b.act == ReLUAct)
			continue
		}
		for at := i * b.size(); at < (i+1)*b.size(); at += blockPiece {
			end := min(at+blockPiece, (i+1)*b.size())
			x, y := b.a.piece(0, at, end, room), b.a.place(at, end, room)
			b.norm[i%b.blocks()].Affine(singles(y), singles(x))
			forward(b.act, y)
			b.a.put(at, y)
		}
	}
	b.a.leave(room)
}

// grad computes batchNormGrad.
func (b *blockNorm[T]) grad(k *batchNormGrad[T]) error {
	b.set(k.a, k.l, k.act)
	b.dy, b.bits = true, k.a.areBits(0, 4)
	defer func() { b.a = nil }()
	b.add(k.sums)
	k.setSums(0, k.l.c)
	if !k.requiresGrad {
		return nil
	}
	if err := k.join(); err != nil {
		return err
	}
	for j := range k.l.c {
		n, at := &b.norm[j/simd.Block], j%simd.Block
		slope, level := k.terms(j, T(n.F[at]))
		n.Slope[at], n.Level[at] = float32(slope), float32(level)
	}
	par.For(k.l.n*b.blocks(), par.RowGrain(b.size()), b.gradOne)
	return nil
}

// gradBlocks computes dx of the blocks [lo, hi), numbered across all images.
func (b *blockNorm[T]) gradBlocks(lo, hi int) {
	room := b.a.room(2 * blockPiece)
	for i := lo; i < hi; i++ {
		if b.bits && b.a.to != nil {
			from, to := i*b.size(), (i+1)*b.size()
			bfloat.Grad(&b.norm[i%b.blocks()], b.a.to[from:to], b.a.bits[0][from:to], b.a.bits[4][from:to], b.act == ReLUAct)
			continue
		}
		for at := i * b.size(); at < (i+1)*b.size(); at += blockPiece {
			end := min(at+blockPiece, (i+1)*b.size())
			x, dy := b.a.piece(0, at, end, room), b.a.piece(4, at, end, second(room))
			dx := b.a.place(at, end, room)
			if n := &b.norm[i%b.blocks()]; b.act == ReLUAct {
				n.ReLUGrad(singles(dx), singles(x), singles(dy))
			} else {
				n.Grad(singles(dx), singles(x), singles(dy))
			}
			b.a.put(at, dx)
		}
	}
	b.a.leave(room)
}
