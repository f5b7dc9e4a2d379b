package apoops

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestConvMoments compares the statistics of a convolution with sums over all
// images and positions, of patches written down by the definition. There are
// several groups of images.
func TestConvMoments(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	for _, c := range []struct {
		shape []int
		conv  Conv
		m     int // outputs
	}{
		{[]int{3, 2, 4, 5}, evenConv(3, 1, 1, 1), 3},
		{[]int{90, 2, 9, 7}, evenConv(3, 2, 1, 1), 3},
		{[]int{5, 3, 4, 4}, evenConv(1, 1, 0, 1), 3},
		{[]int{4, 2, 48, 47}, evenConv(1, 1, 0, 1), 3},
		{[]int{6, 8, 6, 6}, evenConv(3, 1, 1, 1), 70}, // large enough for half of a product
	} {
		for _, noBias := range []bool{false, true} {
			conv := c.conv
			conv.NoBias = noBias
			checkConvMoments(t, rng, c.shape, conv, c.m)
		}
	}
}

func checkConvMoments(t *testing.T, rng *rand.Rand, shape []int, conv Conv, m int) {
	t.Helper()
	conv = conv.filled()
	oh, ow := conv.OutSize(shape[2], shape[3])
	dim := shape[1]*conv.Kernel[0]*conv.Kernel[1] + conv.bias()
	x, s := randn(rng, shape...), randn(rng, shape[0], m, oh, ow)
	ua, ug := randn(rng, dim, dim), randn(rng, m, m)

	g := gorgonia.NewGraph()
	xn := inputNode(g, x, tensor.Float64, "x")
	y := gorgonia.Must(Conv2D(xn, inputNode(g, randn(rng, dim, m), tensor.Float64, "w"), conv))
	loss := gorgonia.Must(gorgonia.HadamardProd(y, inputNode(g, s, tensor.Float64, "s")))
	for range 4 {
		loss = gorgonia.Must(gorgonia.Sum(loss, 0))
	}
	grads, err := gorgonia.Grad(loss, g.ByName("w")[0])
	if err != nil {
		t.Fatal(err)
	}
	f, ok := GradientFactors(grads[0])
	if !ok || f.A != xn || f.Conv == nil || f.Bias == conv.NoBias {
		t.Fatalf("factors %+v, %v", f, ok)
	}
	statistics := gorgonia.Nodes{
		gorgonia.Must(InputMoment(f, nil)),
		gorgonia.Must(GradientMoment(f, nil)),
		gorgonia.Must(ProjectedSquares(f, inputNode(g, ua, tensor.Float64, "ua"), inputNode(g, ug, tensor.Float64, "ug"), nil)),
	}
	var values [3]gorgonia.Value
	for i, n := range statistics {
		gorgonia.Read(n, &values[i])
	}
	vm := gorgonia.NewTapeMachine(g)
	runtime.SetFinalizer(vm, nil)
	defer vm.Close()
	for range 2 {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
	}
	wantA := make([]float64, dim*dim)
	wantG := make([]float64, m*m)
	wantD := make([]float64, dim*m)
	n := float64(shape[0])
	for i := range shape[0] {
		gradient := make([]float64, dim*m)
		for p := range oh * ow {
			a := patchAt(x, shape, conv, i, p/ow, p%ow)
			for r, v := range a {
				for q, u := range a {
					wantA[r*dim+q] += u * v / n
				}
				for o := range m {
					gradient[r*m+o] += n * v * s.Float64s()[(i*m+o)*oh*ow+p]
				}
			}
			for r := range m {
				for q := range m {
					wantG[r*m+q] += n * s.Float64s()[(i*m+r)*oh*ow+p] * s.Float64s()[(i*m+q)*oh*ow+p] / float64(oh*ow)
				}
			}
		}
		for r := range dim {
			for o := range m {
				var v float64
				for j := range dim {
					for l := range m {
						v += ua.Float64s()[r*dim+j] * gradient[j*m+l] * ug.Float64s()[o*m+l]
					}
				}
				wantD[r*m+o] += v * v / n
			}
		}
	}
	for i, want := range [][]float64{wantA, wantG, wantD} {
		compare(t, [...]string{"Ā", "Ḡ", "D"}[i]+conv.String(), floats(values[i]), want, 1e-11)
	}
}

// patchAt is the patch at a position of image n, with the 1 of the bias.
func patchAt(x *tensor.Dense, s []int, c Conv, n, i, j int) (a []float64) {
	for ch := range s[1] {
		for r := range c.Kernel[0] {
			for q := range c.Kernel[1] {
				y, z := i*c.Stride[0]-c.Pad[0]+r*c.Dilation[0], j*c.Stride[1]-c.Pad[1]+q*c.Dilation[1]
				v := 0.0
				if y >= 0 && y < s[2] && z >= 0 && z < s[3] {
					v = x.Float64s()[((n*s[1]+ch)*s[2]+y)*s[3]+z]
				}
				a = append(a, v)
			}
		}
	}
	if !c.NoBias {
		a = append(a, 1)
	}
	return a
}
