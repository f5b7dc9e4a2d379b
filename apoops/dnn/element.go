package dnn

import (
	"unsafe"

	"github.com/pkg/errors"
)

// Element is the set of types of elements: float32, and uint16 for the bits of
// bfloat16. Products of bfloat16 are exact in float32, their sums are of float32, and
// a result of bfloat16 is rounded once, to nearest even. Numbers below 2⁻¹²⁶ count as
// zero.
type Element interface{ float32 | uint16 }

func low[E Element]() bool {
	var e E
	return unsafe.Sizeof(e) == 2
}

// dataType is the dnnl_data_type_t of E.
func dataType[E Element]() int32 {
	if low[E]() {
		return bfloat16Type
	}
	return float32Type
}

// BFloat16 returns an error where the library or the processor has no instructions for
// bfloat16: there its sums are slower than those of float32. It is the error of products
// and convolutions of uint16 then.
func BFloat16() error {
	sel := selected()
	if sel.err != nil {
		return sel.err
	}
	return errors.WithMessagef(bfloat16On(sel.lib.instructionSet()), "dnn: %s", sel.lib.name)
}

// bfloat16On is the error of a dnnl_cpu_isa_t.
func bfloat16On(instructionSet int32) error {
	const avx512bf16 = 0xe7 // dnnl_cpu_isa_avx512_core_bf16, which those with AMX contain
	if instructionSet&avx512bf16 != avx512bf16 {
		return errors.Errorf("the instruction set %#x has none for bfloat16", instructionSet)
	}
	return nil
}

// Blocks returns an error where the library or the processor has no kernels for arrays
// in blocks of Block channels: elsewhere blocks are right, but not faster.
func Blocks() error {
	sel := selected()
	if sel.err != nil {
		return sel.err
	}
	const avx512 = 0x27 // dnnl_cpu_isa_avx512_core
	if isa := sel.lib.instructionSet(); isa&avx512 != avx512 {
		return errors.Errorf("dnn: %s: kernels for the instruction set %#x take no blocks of %d channels", sel.lib.name, isa, Block)
	}
	return nil
}

// bytes is the memory of n elements.
func bytes[E any](n int) int {
	var e E
	return n * int(unsafe.Sizeof(e))
}

// elements are the numbers in a part of a block.
func elements[E Element](b []byte) []E {
	return unsafe.Slice((*E)(address(b)), len(b)/bytes[E](1))
}

func address[E any](x []E) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(x)) }
