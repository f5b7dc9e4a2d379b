package dnn

import (
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/internal/openmp"
)

// What follows are the values and sizes of the C interface of oneDNN 2.6 and
// later 2.x (dnnl_types.h). Its descriptors are passed as buffers whose content
// only the library knows.

type (
	layout     [696 / 8]uint64  // dnnl_memory_desc_t
	descriptor [5976 / 8]uint64 // dnnl_convolution_desc_t; dnnl_matmul_desc_t is smaller
	dims       [12]int64        // dnnl_dims_t
)

// argument is a dnnl_exec_arg_t.
type argument struct {
	index  int32
	memory uintptr
}

// version is a dnnl_version_t.
type version struct {
	major, minor, patch int32
	_                   uintptr // the hash of the sources
	runtime             uint32
}

func (v *version) String() string { return fmt.Sprintf("%d.%d.%d", v.major, v.minor, v.patch) }

const (
	runtimeSequential = 1
	runtimeOpenMP     = 2

	engineCPU         = 1
	streamDefault     = 1
	bfloat16Type      = 2
	float32Type       = 3
	tagAny            = 1
	tagVector         = 2  // dnnl_a
	tagBlocked        = 69 // dnnl_nChw16c
	forwardTraining   = 64
	convolutionDirect = 1
	scratchpadUser    = 1
	queryName         = 8   // of the implementation, a string
	queryArgument     = 255 // the layout of the argument of an index

	argSrc         = 1
	argDst         = 17
	argWeights     = 33
	argBias        = 41
	argScratchpad  = 80
	argDiffSrc     = 129
	argDiffDst     = 145
	argDiffWeights = 161
	argDiffBias    = 169
)

// functions are those of the C interface. The ones of type uintptr are addresses
// for calls that must not allocate.
type functions struct {
	version        func() *version
	instructionSet func() int32

	engineCreate  func(engine *uintptr, kind int32, index uintptr) int32
	streamCreate  func(stream *uintptr, engine uintptr, flags uint32) int32
	streamDestroy func(stream uintptr) int32

	layoutByTag     func(l *layout, n int32, size *dims, dataType, tag int32) int32
	layoutByStrides func(l *layout, n int32, size *dims, dataType int32, strides *dims) int32
	layoutSize      func(l *layout) uintptr
	layoutEqual     func(a, b *layout) int32

	memoryCreate  func(memory *uintptr, l *layout, engine, data uintptr) int32
	memoryDestroy func(memory uintptr) int32
	setPointer    uintptr

	attrCreate        func(attr *uintptr) int32
	attrDestroy       func(attr uintptr) int32
	attrSetScratchpad func(attr uintptr, mode int32) int32

	attrSetPostOps func(attr, ops uintptr) int32
	postOpsCreate  func(ops *uintptr) int32
	postOpsDestroy func(ops uintptr) int32
	postOpsAdd     func(ops uintptr, scale float32) int32

	matmulInit          func(d *descriptor, a, b, bias, c *layout) int32
	forwardInit         func(d *descriptor, prop, algorithm int32, src, weights, bias, dst *layout, stride, dilation, padBefore, padAfter *dims) int32
	backwardDataInit    func(d *descriptor, algorithm int32, diffSrc, weights, diffDst *layout, stride, dilation, padBefore, padAfter *dims) int32
	backwardWeightsInit func(d *descriptor, algorithm int32, src, diffWeights, diffBias, diffDst *layout, stride, dilation, padBefore, padAfter *dims) int32

	descCreate        func(desc *uintptr, op *descriptor, attr, engine, hint uintptr) int32
	reorderDescCreate func(desc *uintptr, src *layout, srcEngine uintptr, dst *layout, dstEngine, attr uintptr) int32
	descDestroy       func(desc uintptr) int32
	descQuery         func(desc uintptr, what, index int32, result **byte) int32
	descLayout        func(desc uintptr, what, index int32) *layout
	primitiveCreate   func(primitive *uintptr, desc uintptr) int32
	primitiveDestroy  func(primitive uintptr) int32
	execute           uintptr

	threads openmp.Threads
}

// find looks up the functions in an opened library.
func (f *functions) find(library uintptr) error {
	for name, fn := range map[string]any{
		"get_effective_cpu_isa": &f.instructionSet, "engine_create": &f.engineCreate, "stream_create": &f.streamCreate, "stream_destroy": &f.streamDestroy,
		"memory_desc_init_by_tag": &f.layoutByTag, "memory_desc_init_by_strides": &f.layoutByStrides,
		"memory_desc_get_size": &f.layoutSize, "memory_desc_equal": &f.layoutEqual,
		"memory_create": &f.memoryCreate, "memory_destroy": &f.memoryDestroy, "memory_set_data_handle": &f.setPointer,
		"primitive_attr_create": &f.attrCreate, "primitive_attr_destroy": &f.attrDestroy,
		"primitive_attr_set_scratchpad_mode": &f.attrSetScratchpad,
		"primitive_attr_set_post_ops":        &f.attrSetPostOps, "post_ops_create": &f.postOpsCreate, "post_ops_destroy": &f.postOpsDestroy,
		"post_ops_append_sum": &f.postOpsAdd, "matmul_desc_init": &f.matmulInit,
		"dilated_convolution_forward_desc_init":          &f.forwardInit,
		"dilated_convolution_backward_data_desc_init":    &f.backwardDataInit,
		"dilated_convolution_backward_weights_desc_init": &f.backwardWeightsInit,
		"primitive_desc_create":                          &f.descCreate, "reorder_primitive_desc_create": &f.reorderDescCreate,
		"primitive_desc_destroy": &f.descDestroy, "primitive_desc_query": &f.descQuery,
		"primitive_desc_query_md": &f.descLayout,
		"primitive_create":        &f.primitiveCreate, "primitive_destroy": &f.primitiveDestroy, "primitive_execute": &f.execute,
	} {
		address, err := symbol(library, "dnnl_"+name)
		if err != nil {
			return err
		}
		if p, ok := fn.(*uintptr); ok {
			*p = address
		} else {
			purego.RegisterFunc(fn, address)
		}
	}
	f.threads.Get, _ = symbol(library, "omp_get_max_threads")
	f.threads.Set, _ = symbol(library, "omp_set_num_threads")
	return nil
}

// implementation names how a primitive is computed, such as brg:avx512_core_bf16.
func (f *functions) implementation(desc uintptr) string {
	var name *byte
	if f.descQuery(desc, queryName, 0, &name) != 0 || name == nil {
		return "unknown"
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(name), n)) != 0 {
		n++
	}
	return string(unsafe.Slice(name, n))
}

var statuses = map[int32]string{
	1: "out of memory", 2: "invalid arguments", 3: "not implemented", 4: "no further implementation", 5: "runtime error", 6: "not required",
}

// failure is the error of a status; what names what was called.
func failure(what string, status int32) error {
	if status == 0 {
		return nil
	}
	if s, ok := statuses[status]; ok {
		return errors.Errorf("onednn: %s: %s", what, s)
	}
	return errors.Errorf("onednn: %s: status %d", what, status)
}
