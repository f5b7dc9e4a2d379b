"""A Transformer in PyTorch with the weights of this library.

Its blocks are PyTorch's modules. With "own" they only keep the parameters, and the
functions here compute the blocks: they join the products of queries, keys and values and
keep no averages of weights.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

PADDING = 0


def positions(length, width):
    """Sinusoids of Vaswani et al., the sines in the first half of the columns."""
    half = width // 2
    angles = torch.arange(length).unsqueeze(1) * torch.exp(-math.log(10000) * torch.arange(half) / (half - 1))
    return torch.cat([angles.sin(), angles.cos()], 1)


def split(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def attend(m, x, memory, mask):
    """nn.MultiheadAttention with an additive mask; memory None is self-attention."""
    w, b, d = m.in_proj_weight, m.in_proj_bias, m.embed_dim
    if memory is None:
        q, k, v = F.linear(x, w, b).chunk(3, -1)
    else:
        q = F.linear(x, w[:d], b[:d])
        k, v = F.linear(memory, w[d:], b[d:]).chunk(2, -1)
    q, k, v = (split(part, m.num_heads) for part in (q, k, v))
    weights = (q * m.head_dim ** -0.5) @ k.transpose(-2, -1)
    weights += mask
    y = (weights.softmax(-1) @ v).transpose(1, 2).flatten(2)
    return m.out_proj(y)


def feed(m, x):
    return m.linear2(F.relu(m.linear1(x), inplace=True))


class Net(nn.Module):
    def __init__(self, blocks, heads, table, feed, encoder, decoder):
        super().__init__()
        self.own = blocks == "own"
        options = dict(dim_feedforward=feed, dropout=0.0, batch_first=True)
        vocabulary, width = table
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=PADDING)
        self.encoder = nn.ModuleList(nn.TransformerEncoderLayer(width, heads, **options) for _ in range(encoder))
        self.decoder = nn.ModuleList(nn.TransformerDecoderLayer(width, heads, **options) for _ in range(decoder))
        self.register_buffer("positions", positions(512, width))

    def embed(self, tokens):
        return self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim) + self.positions[:tokens.shape[1]]

    def forward(self, source, target):
        hidden = source == PADDING
        length = target.shape[1]
        causal = torch.triu(torch.full((length, length), -math.inf), 1)
        memory, x = self.embed(source), self.embed(target)
        seen = torch.zeros(hidden.shape).masked_fill_(hidden, -math.inf)[:, None, None]
        for m in self.encoder:
            if self.own:
                memory = m.norm1(memory + attend(m.self_attn, memory, None, seen))
                memory = m.norm2(memory + feed(m, memory))
            else:
                memory = m(memory, src_key_padding_mask=hidden)
        for m in self.decoder:
            if self.own:
                x = m.norm1(x + attend(m.self_attn, x, None, causal))
                x = m.norm2(x + attend(m.multihead_attn, x, memory, seen))
                x = m.norm3(x + feed(m, x))
            else:
                x = m(x, memory, tgt_mask=causal, memory_key_padding_mask=hidden)
        return F.linear(x, self.embedding.weight)


def set_dense(weight, bias, w):
    """Sets a layer from a matrix of (inputs+1) x outputs, the bias last."""
    weight.copy_(w[:-1].t())
    bias.copy_(w[-1])


def set_block(m, given, name, attentions):
    for ours, theirs in attentions.items():
        a = getattr(m, theirs)
        for i, part in enumerate(("query", "key", "value")):
            rows = slice(i * a.embed_dim, (i + 1) * a.embed_dim)
            set_dense(a.in_proj_weight[rows], a.in_proj_bias[rows], given.pop(f"{name}/{ours}/{part}"))
        set_dense(a.out_proj.weight, a.out_proj.bias, given.pop(f"{name}/{ours}/output"))
    for i in range(len(attentions) + 1):
        norm = getattr(m, f"norm{i + 1}")
        norm.weight.copy_(given.pop(f"{name}/norm{i}/gain"))
        norm.bias.copy_(given.pop(f"{name}/norm{i}/shift"))
    for i in range(2):
        linear = getattr(m, f"linear{i + 1}")
        set_dense(linear.weight, linear.bias, given.pop(f"{name}/dense{i}"))


def build(blocks, heads, given):
    table = given.pop("embedding")
    feed = given["encoder0/dense0"].shape[1]
    counts = [sum(name.startswith(stack) and name.endswith("/dense0") for name in given) for stack in ("encoder", "decoder")]
    net = Net(blocks, heads, table.shape, feed, *counts)
    with torch.no_grad():
        net.embedding.weight.copy_(table)
        for i, m in enumerate(net.encoder):
            set_block(m, given, f"encoder{i}", {"attention": "self_attn"})
        for i, m in enumerate(net.decoder):
            set_block(m, given, f"decoder{i}", {"attention": "self_attn", "cross": "multihead_attn"})
    if given:
        raise SystemExit(f"weights that the net does not have: {', '.join(given)}")
    return net
