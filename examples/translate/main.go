// Translate trains a Transformer to translate German into English, on the descriptions
// of pictures of Multi30k, on the talks of IWSLT'14 or on any two files of sentences, by
// any of the library's optimizers. It evaluates every epoch (loss for each token,
// perplexity, BLEU of greedy translations of the validation set), saves a checkpoint there
// and every minute, and can be stopped and resumed:
//
//	go run ./examples/translate
//	go run ./examples/translate -optimizer sgdm -apo plain -k 10
//	go run ./examples/translate -resume
//	echo "Ein Hund läuft im Schnee." | go run ./examples/translate -translate
//
// Started by mpirun (Open MPI or MPICH) its processes train together, on parts of each
// mini-batch:
//
//	go build ./examples/translate && mpirun -n 2 ./translate
//
// Ctrl-C, SIGTERM or the end of its terminal make it save and end. It reads the data
// from the folder that APO_DATA names, and downloads them if they are not there.
//
// Without flags it takes ten epochs of 253 steps, some ten minutes on two cores. BLEU of
// greedy search on the validation set is then 37.5, that of beam search on test2016 39.3.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

const about = `Translate trains a Transformer to translate German into English, or between the
languages of two files. Words are divided by byte-pair encoding (-merges), learned on
both languages. Without flags it trains a small net on Multi30k.

Files in the folder -out: settings.json, codes and vocabulary (of the words' parts),
steps.jsonl and steps.csv (every step), epochs.csv (validation loss for each token,
perplexity, BLEU of greedy search), checkpoint, weights.safetensors, best.safetensors
(of the epoch with the best BLEU), result.json (BLEU of beam search on the test set), loss.png, bleu.png and
attention.png (which source words the decoder saw, in its last block).
-log tensorboard,mlflow adds logs that these programs read, -live a view of the run in
the terminal.
-dry-run says what memory and time a run will take.
-translate reads sentences from standard input, one a line, and prints translations by
the net of a run in -out.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (go on with -resume).`

func main() {
	os.Exit(cli.RunTogether(func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
		return run(ctx, args, os.Stdin, stdout, stderr)
	}))
}

// run is the program: options of source change where the data come from. With several
// members (cli.Members) all call it with the same arguments; rank 0 alone prints and writes.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, source ...datasets.Option) error {
	comm := cli.Members(ctx)
	s, mode, err := parse(args, stdout)
	if err := collective.JoinErrors(comm, err); err != nil {
		return err
	}
	name, err := apoops.UseLibraries()
	if err := collective.JoinErrors(comm, err); err != nil {
		return err
	}
	if mode.translate {
		return collective.OnFirst(comm, func() error { return s.translate(ctx, stdin, stdout) })
	}
	fmt.Fprintf(stdout, "BLAS: %s\n", name)
	var corpus corpus
	if err := collective.AfterFirst(comm, func() (err error) { // what rank 0 downloads is there for all
		corpus, err = s.load(ctx, stderr, source)
		return err
	}); err != nil {
		return err
	}
	t, err := s.newTraining(comm, corpus, mode.resume, stdout, stderr)
	if err != nil {
		return err
	}
	if mode.dryRun {
		return t.dryRun(ctx)
	}
	unlock, err := cli.LockFirst(comm, s.out)
	if err != nil {
		return err
	}
	defer unlock()
	if mode.resume {
		err = t.resume()
	} else {
		err = t.start()
	}
	if err != nil {
		return err
	}
	return t.run(ctx)
}
