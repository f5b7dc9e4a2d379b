package dnn

import "testing"

// layers are convolutions of the usual nets on images of 32×32, batch 128.
var layers = []struct {
	name             string
	c, size, out     int
	kernel, str, pad int
}{
	{"LeNet/1", 3, 32, 6, 5, 1, 0},
	{"LeNet/2", 6, 14, 16, 5, 1, 0},
	{"ResNet32/16", 16, 32, 16, 3, 1, 1},
	{"ResNet32/16-32", 16, 32, 32, 3, 2, 1},
	{"ResNet32/32", 32, 16, 32, 3, 1, 1},
	{"ResNet32/64", 64, 8, 64, 3, 1, 1},
	{"ResNet18/3-64", 3, 32, 64, 3, 1, 1},
	{"ResNet18/64", 64, 32, 64, 3, 1, 1},
	{"ResNet18/64-128", 64, 32, 128, 3, 2, 1},
	{"ResNet18/128", 128, 16, 128, 3, 1, 1},
	{"ResNet18/1x1", 64, 32, 128, 1, 2, 0},
	{"ResNet18/256", 256, 8, 256, 3, 1, 1},
	{"ResNet18/256-512", 256, 8, 512, 3, 2, 1},
	{"ResNet18/512", 512, 4, 512, 3, 1, 1},
	{"VGG16/512", 512, 2, 512, 3, 1, 1},
	{"AlexNet/1", 3, 32, 64, 3, 2, 1},
	{"AlexNet/2", 64, 8, 192, 3, 1, 1},
}

func BenchmarkLayers(b *testing.B) {
	system(b)
	for _, l := range layers {
		s := Shape{N: 128, C: l.c, H: l.size, W: l.size, Out: l.out, Kernel: [2]int{l.kernel, l.kernel}, Stride: [2]int{l.str, l.str}, Pad: [2]int{l.pad, l.pad}}
		c, err := NewConvolution[float32](s, Activation[float32]{})
		if err != nil {
			b.Fatal(err)
		}
		o := newOperands(s, 1)
		run := func(name string, f func() error) {
			b.Run(l.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		run("forward", func() error { return c.Forward(o.x, o.w, o.b, o.y) })
		run("data", func() error { return c.Backward(nil, o.w, nil, o.dy, o.dx, nil, nil) })
		run("weights", func() error { return c.Backward(o.x, nil, nil, o.dy, nil, o.dw, o.db) })
		run("both", func() error { return c.Backward(o.x, o.w, nil, o.dy, o.dx, o.dw, o.db) })
		c.Close()
	}
}
