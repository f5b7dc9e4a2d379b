// Package batch makes mini-batches from data sets.
//
//	batches, err := batch.New(data, 100, seed)
//	for step := range 10 * batches.PerEpoch() {
//		b := batches.At(step) // inputs b.X, targets b.T
//		...
//	}
//
// Data is a data set in memory. A Dataset makes its rows on demand, from bytes or
// with random augmentation. A mini-batch is a function of the seed and the step
// alone. Batches.Stream makes the same mini-batches in the background.
//
// Sentences are token ids, alone or in pairs, and TokenBatches serves them in batches of few
// shapes with at most so many tokens:
//
//	sentences, err := batch.NewSentences(source, target, batch.TokenConfig{Tokens: 4096})
//	batches, err := batch.NewTokenBatches(sentences, seed)
//
// Trainer.Evaluate takes Sentences as they are.
package batch
