// Package search translates by a Transformer: beam search for the target of largest
// probability, greedy search with width 1.
//
//	s, err := search.New(model, params, search.Config{Width: 5, Begin: 1, End: 2})
//	found, err := s.Search(ctx, sources)  // ids, without <bos> and <eos>
//	best := found[i][0].Tokens            // of sentence i
//
// Keys and values of the earlier positions are kept from step to step, so a step costs
// what one position does. Sentences of like length are searched together, in static
// graphs of few shapes: the number of sentences is a power of 2, the length of the source
// a multiple of 8, that of the kept positions a power of 2. Graphs are kept by shape, at
// most 128 of each kind. As soon as a sentence is done the next one takes its place; at the
// end, when half of the places are free, the others go on in a smaller graph.
//
// The search is fairseq's. In each step a sentence has the Width best hypotheses that
// have not ended. Of all their continuations by a token the best 2·Width are candidates,
// by the sum of the log probabilities. A candidate that ends, among the first Width, is
// found; the first Width that do not end go on. The search of a sentence is over as soon
// as Width are found, or with the step in which hypotheses of the largest length can only
// end. Found hypotheses are ordered by
//
//	score = Σ log p / length^LengthPenalty
//
// where the length counts the token that ends. The padding and Begin are never chosen,
// nor is End as the first token.
//
// Of candidates that are equally probable, the one that goes on a hypothesis of higher
// rank is first, then the one of the smaller token. Of equal scores, the hypothesis that
// was found first is first.
package search
