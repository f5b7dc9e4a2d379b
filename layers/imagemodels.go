package layers

import (
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
)

// imageModels are the models of images 3×32×32 by name.
var imageModels = []struct {
	name string
	make func(classes int) *Model
}{
	{"lenet", LeNet},
	{"alexnet", AlexNet},
	{"vgg16", VGG16},
	{"resnet18", ResNet18},
	{"resnet34", ResNet34},
	{"resnet32", func(classes int) *Model { return ResNet32(classes, 16) }},
	{"resnet32-wide", func(classes int) *Model { return ResNet32(classes, 64) }},
	{"wrn-28-10", func(classes int) *Model { return WideResNet(28, 10, classes) }},
	{"resnet8", ResNet8},
}

// ImageModels lists the names that ImageModel knows: models of colour images of
// 3×32×32, as in CIFAR-10.
func ImageModels() []string {
	names := make([]string, len(imageModels))
	for i, m := range imageModels {
		names[i] = m.name
	}
	return names
}

// ImageModel makes the model of that name, one of ImageModels. It takes N×3×32×32
// and returns logits N×classes. Its last layer starts with small weights, N(0, 0.01²),
// as is usual for such nets (Goyal et al. 2017): the first loss is about ln classes,
// whatever the scale of the features.
func ImageModel(name string, classes int) (*Model, error) {
	if classes < 1 {
		return nil, errors.Errorf("layers: model %q for %d classes: must be 1 or more", name, classes)
	}
	for _, m := range imageModels {
		if m.name == name {
			return m.make(classes), nil
		}
	}
	return nil, errors.Errorf("layers: no image model %q: want one of %s", name, strings.Join(ImageModels(), ", "))
}

// logits is the last layer of the image models.
func logits(inputs, classes int) *DenseLayer {
	d := Dense(inputs, classes, apoops.Identity)
	d.Init = Normal(0.01)
	return d
}
