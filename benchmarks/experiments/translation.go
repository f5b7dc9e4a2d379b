package experiments

import (
	"maps"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// translation is the last row of Table 2 at one small scale.
func translation(name, title, data string, small Config) *Experiment {
	return &Experiment{
		Name: name, Group: "table2-translation", Figure: "Table 2", Title: title,
		Data:  data,
		Paper: "test BLEU: SGDm 31.43, AdamW 34.60, APO-Precond 34.62; AdamW with warm-up and decay, SGDm and APO-Precond at a constant rate after the warm-up",
		Choices: "batches by tokens, 4096 at the paper's scale; the base Transformer with 4 heads of fairseq's recipe, label smoothing 0.1, β₂ 0.98 and weight decay 1e-4 for AdamW; " +
			"the rates of all methods rise for the warm-up, then AdamW with schedule falls by the inverse square root; " +
			"one byte-pair encoding and one table of embeddings for both languages and the output; beam search of width 5; BLEU of lower-case tokens; " +
			"tuned for the best accuracy of the next token on pairs that are kept out of the search's trials",
		Spaces: "text", Measure: BLEU, Task: textTask{},
		Plots:   []Plot{LossBySteps, LossByTime, TestLossBySteps, RateBySteps},
		Scores:  map[string]float64{"adamw-isqrt": 34.60, "sgdm": 31.43, "precond": 34.62},
		Methods: []string{"sgdm", "adamw", "adamw-isqrt", "adamw-apo", "adamw-apo-calibrated", "kfac", "precond"},
		Variants: map[string][]Variant{
			"adamw-apo": nearAndFar, "adamw-apo-calibrated": nearAndFar,
		},
		Scales: map[Scale]Config{Paper: paperText, Small: small, Smoke: smokeText},
		Trials: map[Scale]Config{
			Paper: trialOf(paperText, paperText.Steps/10, 2000), Small: trialOf(small, small.Steps/3, 1000), Smoke: trialOf(smokeText, 8, 40),
		},
	}
}

// nearAndFar are the initial rates of AdamW-APO.
var nearAndFar = append([]Variant{DefaultVariant}, farStarts...)

// net are the settings of a Transformer.
func net(blocks, width, heads, hidden, vocabulary int, dropout float64) map[string]float64 {
	return map[string]float64{
		ownBlocks: float64(blocks), ownWidth: float64(width), ownHeads: float64(heads), ownHidden: float64(hidden),
		ownVocabulary: float64(vocabulary), ownDropout: dropout,
	}
}

// merged adds the number of merges of the encoding that is learned.
func merged(net map[string]float64, merges int) map[string]float64 {
	net = maps.Clone(net)
	net[ownMerges] = float64(merges)
	return net
}

// warmUp is a constant rate behind a warm-up.
func warmUp(steps int) methods.Decay { return methods.Decay{WarmUp: steps} }

var (
	// paperText is fairseq's transformer_iwslt_de_en. The 160239 pairs have 10152 joint
	// tokens by the 10000 codes, with the special ones.
	paperText = Config{
		Own: net(6, 512, 4, 1024, 10152, 0.3), Set: iwslt14.name, Steps: 50000, Batch: 4096, Rows: 2000,
		Decay: warmUp(4000), DecayAll: true, Dtype: "float32",
	}
	smallText = Config{
		Own: merged(net(2, 128, 4, 256, 3200, 0.1), 3000), Set: multi30k.name, Steps: 1200, Batch: 2048, Rows: 1000, Evaluations: 20,
		Decay: warmUp(200), DecayAll: true, Dtype: "float32",
	}
	smallTalks = Config{
		Own: net(3, 128, 4, 256, 10152, 0.3), Set: iwslt14.name, Steps: 2000, Batch: 2048, Rows: 1000, Evaluations: 20,
		Decay: warmUp(300), DecayAll: true, Dtype: "float32",
	}
	smokeText = Config{
		Own: merged(net(1, 16, 2, 32, 100, 0.1), 40), Set: numerals.name, Steps: 24, Batch: 256, Rows: 40, Evaluations: 3,
		Decay: warmUp(4), DecayAll: true, Dtype: "float32",
	}
)

// talkData is the data of IWSLT'14. A data folder may have a part of it.
const talkData = "IWSLT'14 German-English, of whose 160239 pairs for training those are used that are there: the rows that are named"

// translations are the experiments on text: on Multi30k, on the talks of IWSLT'14 that
// are there, and the time of the paper's net.
func translations() []*Experiment {
	timed := translation("table2-iwslt14-net", "the time of the paper's Transformer on IWSLT'14", talkData, timedText(paperText, 11))
	timed.Choices += timedChoices + ", with sentences of at most 32 tokens, all padded to that, so that no step but the first builds graphs"
	timed.Timed, timed.TunedAs = []Scale{Small}, []string{"table2-iwslt14"}
	timed.Variants, timed.SmallMethods = nil, []string{"sgdm", "adamw", "adamw-apo", "kfac", "precond"}
	delete(timed.Scales, Smoke)
	delete(timed.Trials, Smoke)
	delete(timed.Trials, Small)
	talks := translation("table2-iwslt14-ted", "Transformer, German to English, on talks", talkData, smallTalks)
	talks.Shares = []string{"table2-iwslt14"}
	first := translation("table2-iwslt14", "Transformer, German to English", multi30k.title+"; at the paper's scale "+talkData, smallText)
	return []*Experiment{first, talks, timed}
}

// timedText is the setting of a measurement of time. All batches have one shape.
func timedText(c Config, steps int) Config {
	c.Own = maps.Clone(c.Own)
	c.Own[ownLength] = randomLength
	c.Steps, c.Evaluations, c.TestRows, c.Rows = steps, 1, -1, 100
	c.Decay, c.DecayAll = methods.Decay{}, false
	return c
}
