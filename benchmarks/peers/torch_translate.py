"""Time and memory of a beam search with a Transformer in PyTorch.

    python3 torch_translate.py --heads 4 --threads 2 --batch 1024 task.safetensors

The file has the weights, in the layout of this library, and the sources, padded. The
search is that of layers/search: keys and values of earlier positions are kept, those of
the source computed once, sentences of like length searched together, and a sentence
leaves the batch when it is done. Prints one line of JSON as torch_step.py does, with the
best target of each source. A step is the translation of all sources.
"""

import argparse
import json
import math
import statistics
import time

import torch
from torch.nn import functional as F

import torch_resident
import torch_safetensors
from torch_text_net import PADDING, attend, build, feed

BEGIN, END = 1, 2


class Search:
    def __init__(self, net, width, per_token, extra, penalty, batch):
        self.net, self.width, self.penalty, self.batch = net, width, penalty, batch
        self.per_token, self.extra = per_token, extra
        self.heads = net.decoder[0].self_attn.num_heads
        self.scale = net.decoder[0].self_attn.head_dim ** -0.5

    def translate(self, sources):
        order = sorted(range(len(sources)), key=lambda i: -len(sources[i]))
        found = [None] * len(sources)
        while order:
            n = max(1, self.batch // (len(sources[order[0]]) + 1))
            for i, best in zip(order, self.together([sources[i] for i in order[:n]])):
                found[i] = best
            order = order[n:]
        return found

    def encode(self, sources):
        """Keys and values of attention to the sources in each block, and its mask."""
        length = len(sources[0]) + 1
        source = torch.tensor([s + [END] + [PADDING] * (length - 1 - len(s)) for s in sources])
        hidden = source == PADDING
        mask = torch.zeros(hidden.shape).masked_fill_(hidden, -math.inf)[:, None, None]
        x = self.net.embed(source)
        for m in self.net.encoder:
            x = m.norm1(x + attend(m.self_attn, x, None, mask))
            x = m.norm2(x + feed(m, x))
        memory = []
        for m in self.net.decoder:
            w, b, d = m.multihead_attn.in_proj_weight, m.multihead_attn.in_proj_bias, x.shape[-1]
            kv = F.linear(x, w[d:], b[d:]).unflatten(-1, (2, self.heads, -1))
            memory.append((kv[:, :, 0].permute(0, 2, 3, 1).contiguous(), kv[:, :, 1].transpose(1, 2).contiguous()))
        return memory, mask

    def self_attend(self, m, x, kept):
        """One position of each hypothesis, whose keys and values go behind the kept ones."""
        q, kv = F.linear(x, m.in_proj_weight, m.in_proj_bias).split((x.shape[1], 2 * x.shape[1]), 1)
        kept[-1] = kv
        k, v = kept.unflatten(2, (2, self.heads, -1)).unbind(2)  # positions x hypotheses x heads x depth
        weights = ((q * self.scale).unflatten(1, (self.heads, -1)) * k).sum(-1).softmax(0)
        return m.out_proj((weights.unsqueeze(-1) * v).sum(0).flatten(1))

    def cross_attend(self, m, x, memory, mask):
        k, v = memory
        d = x.shape[1]
        q = F.linear(x, m.in_proj_weight[:d], m.in_proj_bias[:d]) * self.scale
        q = q.view(-1, self.width, self.heads, d // self.heads).transpose(1, 2)
        weights = (q @ k).add_(mask).softmax(-1)
        return m.out_proj((weights @ v).transpose(1, 2).reshape(-1, d))

    def logits(self, tokens, at, kept, memory, mask):
        net = self.net
        x = net.embedding(tokens) * math.sqrt(net.embedding.embedding_dim) + net.positions[at]
        for m, own, other in zip(net.decoder, kept, memory):
            x = m.norm1(x + self.self_attend(m.self_attn, x, own))
            x = m.norm2(x + self.cross_attend(m.multihead_attn, x, other, mask))
            x = m.norm3(x + feed(m, x))
        return F.linear(x, net.embedding.weight)

    def together(self, sources):
        width, n = self.width, len(sources)
        most = torch.tensor([max(1, math.floor(self.per_token * len(s) + self.extra)) for s in sources])
        memory, mask = self.encode(sources)
        kept = [torch.empty(1, n * width, 2 * m.self_attn.embed_dim) for m in self.net.decoder]
        tokens = torch.full((n * width,), BEGIN)
        sums = torch.full((n, width), -math.inf)
        sums[:, 0] = 0
        targets = torch.empty(n, width, 0, dtype=torch.long)
        numbers = list(range(n))  # of the sentences that go on
        found = [[] for _ in sources]
        rank = torch.arange(2 * width)
        at = 0
        while True:
            p = self.logits(tokens, at, kept, memory, mask).log_softmax(-1)
            p[:, PADDING] = p[:, BEGIN] = -math.inf
            if at == 0:
                p[:, END] = -math.inf
            p = p.view(len(numbers), width, -1)
            closing = most == at
            if closing.any():
                ends = p[closing, :, END]
                p[closing] = -math.inf
                p[closing, :, END] = ends
            vocabulary = p.shape[-1]
            best, which = p.add_(sums.unsqueeze(-1)).flatten(1).topk(2 * width)
            parent, token = which.div(vocabulary, rounding_mode="floor"), which % vocabulary
            ends = token == END
            over = closing
            ended = (ends & (best > -math.inf))[:, :width].nonzero()
            if len(ended):
                s, c = ended.unbind(1)
                for i, target, total in zip(s.tolist(), targets[s, parent[s, c]].tolist(), best[s, c].tolist()):
                    if len(found[numbers[i]]) < width:
                        found[numbers[i]].append((total / (at + 1) ** self.penalty, target))
                over = over | torch.tensor([len(found[i]) == width for i in numbers])
            going = (~over).nonzero().squeeze(1)
            if len(going) == 0:
                return [max(all, key=lambda f: f[0])[1] if all else [] for all in found]
            chosen = (rank + 2 * width * ends).topk(width, largest=False).indices
            if len(going) < len(numbers):
                numbers = [numbers[i] for i in going.tolist()]
                chosen, parent, token, best, targets, most = (a[going] for a in (chosen, parent, token, best, targets, most))
                memory = [(k[going], v[going]) for k, v in memory]
                mask = mask[going]
            sums, token, parent = best.gather(1, chosen), token.gather(1, chosen), parent.gather(1, chosen)
            targets = torch.cat([targets.gather(1, parent.unsqueeze(-1).expand(-1, -1, at)), token.unsqueeze(-1)], 2)
            rows = (going.unsqueeze(1) * width + parent).flatten()
            at += 1
            for i, a in enumerate(kept):
                kept[i] = a.new_empty(at + 1, len(rows), a.shape[2])
                torch.index_select(a, 1, rows, out=kept[i][:at])
            tokens = token.flatten()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, required=True)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--batch", type=int, required=True, help="tokens of the sources in a batch, with padding")
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--per-token", type=float, required=True)
    parser.add_argument("--extra", type=float, required=True)
    parser.add_argument("--penalty", type=float, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--warmup", type=int, required=True)
    parser.add_argument("task")
    args = parser.parse_args()

    base = torch_resident.resident("VmRSS")
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    given = torch_safetensors.read(args.task)
    sources = [[token for token in row if token != PADDING] for row in given.pop("sources").tolist()]
    net = build("own", args.heads, given).eval()
    search = Search(net, args.width, args.per_token, args.extra, args.penalty, args.batch)

    times = []
    with torch.inference_mode():
        for i in range(args.warmup + args.steps):
            began = time.perf_counter()
            targets = search.translate(sources)
            if i >= args.warmup:
                times.append(1e3 * (time.perf_counter() - began))
    print(json.dumps({
        "median_ms": statistics.median(times),
        "min_ms": min(times),
        "peak_bytes": torch_resident.resident("VmHWM"),
        "base_bytes": base,
        "parameters": sum(p.numel() for p in net.parameters()),
        "targets": targets,
        "version": torch.__version__,
        "blas": torch_resident.blas(),
        "threads": torch.get_num_threads(),
    }))


main()
