"""Loss and gradients of Transformers, computed by PyTorch in float64.

    python3 torch_transformer.py < cases.json > results.json

A case has the settings of layers.TransformerConfig, the parameters by their names, the
tokens, the targets and the smoothing. A result has the loss and the gradients by the
same names. The blocks are PyTorch's own; weights of a layer come as one matrix of
(inputs+1) x outputs, the bias last.
"""

import json
import math
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


class Parameters:
    """The parameters of a case, as leaves of the graph."""

    def __init__(self, params):
        self.of = {p["name"]: torch.tensor(p["values"]).reshape(p["shape"]).requires_grad_() for p in params}

    def dense(self, name):
        """Weight and bias in PyTorch's form."""
        return self.of[name][:-1].t(), self.of[name][-1]

    def attention(self, name):
        pairs = [self.dense(f"{name}/{part}") for part in ("query", "key", "value")]
        weight, bias = self.dense(name + "/output")
        return {
            "in_proj_weight": torch.cat([w for w, _ in pairs]),
            "in_proj_bias": torch.cat([b for _, b in pairs]),
            "out_proj.weight": weight,
            "out_proj.bias": bias,
        }

    def norm(self, name):
        return {"weight": self.of[name + "/gain"], "bias": self.of[name + "/shift"]}

    def block(self, name, attentions):
        """The parameters of nn.TransformerEncoderLayer or nn.TransformerDecoderLayer."""
        all = {}
        for ours, theirs in attentions.items():
            all.update({f"{theirs}.{k}": v for k, v in self.attention(f"{name}/{ours}").items()})
        for i in range(len(attentions) + 1):
            all.update({f"norm{i + 1}.{k}": v for k, v in self.norm(f"{name}/norm{i}").items()})
        for i in range(2):
            all[f"linear{i + 1}.weight"], all[f"linear{i + 1}.bias"] = self.dense(f"{name}/dense{i}")
        return all


def call(module, params, *args, **options):
    """module(*args) with other parameters."""
    with torch.nn.utils.stateless._reparametrize_module(module, params):
        return module(*args, **options)


def positions(length, width):
    """Sinusoids of Vaswani et al., the sines in the first half of the columns."""
    half = width // 2
    angles = torch.arange(length).unsqueeze(1) * torch.exp(-math.log(10000) * torch.arange(half) / (half - 1))
    return torch.cat([angles.sin(), angles.cos()], 1)


def loss_of(case, params):
    c = case["config"]
    options = dict(dim_feedforward=c["FeedForward"], dropout=0, batch_first=True, norm_first=c["PreNorm"])
    padding, width = c["Padding"], c["Width"]

    def embed(table, learned, tokens):
        rows = math.sqrt(width) * F.embedding(tokens, params.of[table], padding_idx=padding)
        length = tokens.shape[1]
        return rows + (params.of[learned][:length] if c["LearnedPositions"] else positions(length, width))

    def finish(x, norm):
        return F.layer_norm(x, (width,), **params.norm(norm)) if c["PreNorm"] else x

    source_table, target_table = ("embedding",) * 2 if c["Shared"] else ("source", "target")
    target = torch.tensor(case["target"])
    length = target.shape[1]
    causal = torch.triu(torch.ones(length, length, dtype=torch.bool), 1)
    x = embed(target_table, "positions", target)
    if c["Encoder"]:
        source = torch.tensor(case["source"])
        hidden = source == padding
        memory = embed(source_table, "sourcepositions", source)
        encoder = nn.TransformerEncoderLayer(width, c["Heads"], **options)
        for i in range(c["Encoder"]):
            memory = call(encoder, params.block(f"encoder{i}", {"attention": "self_attn"}), memory, src_key_padding_mask=hidden)
        memory = finish(memory, "encodernorm")
        decoder = nn.TransformerDecoderLayer(width, c["Heads"], **options)
        for i in range(c["Decoder"]):
            block = params.block(f"decoder{i}", {"attention": "self_attn", "cross": "multihead_attn"})
            x = call(decoder, block, x, memory, tgt_mask=causal, memory_key_padding_mask=hidden)
    else:
        decoder = nn.TransformerEncoderLayer(width, c["Heads"], **options)
        for i in range(c["Decoder"]):
            x = call(decoder, params.block(f"decoder{i}", {"attention": "self_attn"}), x, src_mask=causal)
    x = finish(x, "decodernorm")
    if c["Shared"] or c["TiedOutput"]:
        logits = x @ params.of[target_table].t()
    else:
        logits = x @ params.of["output"]
    targets = torch.tensor(case["targets"])
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=padding, label_smoothing=case["smoothing"])


results = []
for case in json.load(sys.stdin):
    params = Parameters(case["params"])
    loss = loss_of(case, params)
    loss.backward()
    results.append(dict(loss=loss.item(), gradients={k: v.grad.flatten().tolist() for k, v in params.of.items()}))
json.dump(results, sys.stdout)
