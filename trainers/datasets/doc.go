// Package datasets loads public data sets as batch.Data, colour images as
// ColorImages, a batch.Dataset, and texts in two languages as text.Parallel.
//
//	set            examples       inputs   targets         licence
//	Digits         1437 + 360     64       10 classes      CC BY 4.0
//	MNIST          60000 + 10000  784      10 classes      CC BY-SA 3.0
//	FashionMNIST   60000 + 10000  784      10 classes      MIT
//	CIFAR10        50000 + 10000  3×32×32  10 classes      none stated
//	CIFAR100       50000 + 10000  3×32×32  100 classes     none stated
//	SVHN           73257 + 26032  3×32×32  10 classes      non-commercial use
//	Protein        45730          9        RMSD            CC BY 4.0
//	Parkinsons     5875           20       total_UPDRS     CC BY 4.0
//	Slice          53500          385      axial position  CC BY 4.0
//
//	text           pairs of sentences      languages       licence
//	Multi30k       29000 + 1014 + 2·1000   German-English  research and education
//	IWSLT14        160239 + 7283 + 6750    German-English  CC BY-NC-ND 4.0
//
// Digits is part of the package and needs no file. Synthetic generates its images. The
// others are searched for in this order:
//
//  1. the data folder: WithDir, or else the environment variable APO_DATA.
//     Files may lie in it directly or in mnist, fashion-mnist,
//     cifar-10-batches-bin or cifar-10, cifar-100-binary or cifar-100, svhn,
//     uci/protein, uci/parkinsons, uci/slice, multi30k and
//     iwslt14.tokenized.de-en or iwslt14;
//  2. the cache: the folders mnist, fashion-mnist, cifar-10, cifar-100, svhn,
//     protein, parkinsons, slice, multi30k and iwslt14 below WithCacheDir, or
//     else below apo-gorgonia in os.UserCacheDir;
//  3. for FashionMNIST, the folder of Debian's package dataset-fashion-mnist;
//  4. the public addresses. What is downloaded is verified, then put into the
//     cache unpacked. WithoutDownload leaves this step out.
//
// A file NAME may also be called NAME.gz, and an IDX file
// train-images.idx3-ubyte too. The UCI sets may be left in the zip archives the
// UCI repository hands out, the CIFAR sets in their tar.gz archives. The unpacked
// content is compared with the SHA-256 sum of the published file, or with its MD5
// sum where only that is published (CIFAR-100, SVHN). Slice has no published sum
// and is accepted by its number of rows, IWSLT14 none either: its String says how
// many of the pairs are there. A file that is found but wrong is an
// error, and so is a data folder that does not exist: the search stops there.
// Only in the cache is a damaged file downloaded anew.
//
// What files unpack to is limited by the size of the published ones; with
// WithoutChecksum, to eight times as much and to 512 MB for all files of a set.
//
// MNIST and Fashion-MNIST use the same file names, so a folder can hold only one
// of them directly.
//
// All inputs of batch.Data are matrices of the dtype asked for, tensor.Float32 or
// tensor.Float64. Class targets are vectors of tensor.Int; regression targets
// are N×1 matrices of the dtype of the inputs.
//
//	train, test, err := datasets.MNIST(ctx, tensor.Float32)
//	if err != nil {
//		return err
//	}
//	fmt.Println(train.X.Shape(), test.T.Shape()) // (60000, 784) (10000)
//
// Colour images stay bytes in memory. Mini-batches are made of them, normalised
// and, if asked for, with random changes, by batch.Batches:
//
//	train, test, err := datasets.CIFAR10(ctx, tensor.Float32)
//	batches, err := batch.New(train.Augmented(datasets.CropFlip), 128, seed)
//	stream := batches.Stream(ctx, 0)
//
// Texts are sentences, line by line. Parallel loads any other two files:
//
//	pictures, err := datasets.Multi30k(ctx)
//	fmt.Println(pictures) // Multi30k de-en, train: 29000 pairs; …
//	tokens := pictures.Tokenized()
//
// # Sources
//
// Digits: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten
// Digits, UCI Machine Learning Repository, 1998 (its test half).
// MNIST: Y. LeCun, C. Cortes and C. Burges, The MNIST database of handwritten
// digits. Fashion-MNIST: H. Xiao, K. Rasul and R. Vollgraf, Zalando SE, 2017.
// CIFAR-10 and CIFAR-100: A. Krizhevsky, Learning Multiple Layers of Features
// from Tiny Images, 2009. SVHN: Y. Netzer, T. Wang, A. Coates, A. Bissacco,
// B. Wu and A. Y. Ng, Reading Digits in Natural Images with Unsupervised Feature
// Learning, 2011.
// Protein: P. S. Rana, Physicochemical Properties of Protein Tertiary
// Structure, UCI, 2013. Parkinsons: A. Tsanas and M. Little, Parkinsons
// Telemonitoring, UCI, 2009. Slice: F. Graf, H.-P. Kriegel, M. Schubert,
// S. Poelsterl and A. Cavallaro, Relative location of CT slices on axial axis,
// UCI, 2011. Multi30k: D. Elliott, S. Frank, K. Sima'an and L. Specia, Multi30K:
// Multilingual English-German Image Descriptions, 2016. IWSLT14: M. Cettolo, J. Niehues,
// S. Stüker, L. Bentivogli and M. Federico, Report on the 11th IWSLT Evaluation Campaign,
// 2014 (talks of TED). The licences are those the sources commonly state; check them
// before passing a set on.
package datasets
