"""The Cross-Modal Attention Network and its training step in PyTorch, written to be fast on a CPU.

It does what a careful PyTorch user does: batches sorted by length, packed sequences, one product for queries, keys and
values, fused attention, the CRF over the whole batch, one encoding per distinct word of a batch, fused Adam. The relation
scorer forms the table of all pairs, with a mask, as every public implementation does.

`check.py` compares losses and gradients with the reference values of `crates/cman-core/tests/goldens`.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence


@dataclass
class Batch:
    """Sentences from long to short. `order`: the index of each in the input of `collate`."""

    order: list
    lengths: torch.Tensor  # [sentences]
    mask: torch.Tensor  # [sentences, tokens], true at tokens
    words: torch.Tensor  # [sentences, tokens]
    characters: torch.Tensor  # [distinct words, characters], from long to short
    character_lengths: torch.Tensor
    word_of: torch.Tensor  # [sentences, tokens]
    tags: torch.Tensor = None  # [sentences, tokens]
    related: torch.Tensor = None  # [sentences, tokens, tokens, relations]
    contextual: torch.Tensor = None  # [sentences, tokens, layers, width]

    def to(self, device):
        """The same batch on a device. The lengths stay on the CPU, where packing needs them."""
        moved = {name: x.to(device) for name, x in vars(self).items() if isinstance(x, torch.Tensor)}
        return replace(self, **moved | {"lengths": self.lengths, "character_lengths": self.character_lengths})


def collate(sentences, n_relations, contextual=None):
    """A batch of encoded sentences. Sentences without tags are for inference."""
    order = sorted(range(len(sentences)), key=lambda i: -len(sentences[i]["words"]))
    sentences = [sentences[i] for i in order]
    lengths = torch.tensor([len(s["words"]) for s in sentences])
    spellings = {tuple(word) for s in sentences for word in s["chars"]}
    spellings = sorted(spellings, key=lambda word: (-len(word), word))
    rows = {word: row for row, word in enumerate(spellings)}

    def padded(lists):
        return pad_sequence([torch.tensor(x) for x in lists], batch_first=True)

    n = int(lengths[0])
    batch = Batch(
        order=order,
        lengths=lengths,
        mask=torch.arange(n) < lengths[:, None],
        words=padded([s["words"] for s in sentences]),
        characters=padded(spellings),
        character_lengths=torch.tensor([len(word) for word in spellings]),
        word_of=padded([[rows[tuple(word)] for word in s["chars"]] for s in sentences]),
    )
    if sentences[0]["tags"]:
        batch.tags = padded([s["tags"] for s in sentences])
        batch.related = torch.zeros(len(sentences), n, n, n_relations)
        for row, s in zip(batch.related, sentences):
            for head, tail, kind in s["relations"]:
                row[head, tail, kind] = 1.0
    if contextual is not None:
        batch.contextual = contextual[order]
    return batch


class BiLstm(nn.LSTM):
    """Eq. 1."""

    def __init__(self, d_input, d_hidden):
        super().__init__(d_input, d_hidden, batch_first=True, bidirectional=True)

    def states(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True)
        return pad_packed_sequence(self(packed)[0], batch_first=True)[0]

    def final_states(self, x, lengths):
        forward, backward = self(pack_padded_sequence(x, lengths, batch_first=True))[1][0]
        return torch.cat([forward, backward], 1)


class Attention(nn.Module):
    """Eqs. 2 and 3."""

    def __init__(self, d, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.projection = nn.Parameter(nn.init.xavier_uniform_(torch.empty(3 * d, d)))
        self.output = nn.Linear(d, d, bias=False)

    def forward(self, x, memory, mask):
        d = x.shape[-1]
        if x is memory:
            q, k, v = F.linear(x, self.projection).chunk(3, -1)
        else:
            q = F.linear(x, self.projection[:d])
            k, v = F.linear(memory, self.projection[d:]).chunk(2, -1)
        q, k, v = (part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for part in (q, k, v))
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None])
        return self.output(heads.transpose(1, 2).flatten(2))


class Bsa(nn.Module):
    """The self-attention unit (Figure 3a)."""

    def __init__(self, config, d_input):
        super().__init__()
        d = 2 * config["hidden"]
        self.lstm, self.attention, self.norm = BiLstm(d_input, config["hidden"]), Attention(d, config["heads"]), nn.LayerNorm(d)
        self.dropout = nn.Dropout(config["dropout"]["sequence"])

    def forward(self, x, batch):
        h = self.dropout(self.lstm.states(x, batch.lengths))
        return self.norm(h + self.attention(h, h, batch.mask))


class Bla(nn.Module):
    """The label-attention unit (Figure 3b)."""

    def __init__(self, config):
        super().__init__()
        d = 2 * config["hidden"]
        self.lstm, self.attention, self.norm = BiLstm(config["label"]["width"], config["hidden"]), Attention(d, config["heads"]), nn.LayerNorm(d)
        self.dropout = nn.Dropout(config["dropout"]["sequence"])

    def forward(self, x, labels, batch):
        labels = self.dropout(self.lstm.states(labels, batch.lengths))
        return self.norm(x + self.attention(x, labels, batch.mask))


class Crf(nn.Module):
    """Eqs. 8 and 11, over the whole batch."""

    def __init__(self, d, n_tags):
        super().__init__()
        self.emission = nn.Linear(d, n_tags)
        self.transitions = nn.Parameter(0.1 * torch.randn(n_tags, n_tags))
        self.start, self.end = nn.Parameter(0.1 * torch.randn(n_tags)), nn.Parameter(0.1 * torch.randn(n_tags))

    def loss(self, x, batch):
        emissions = self.emission(x)
        mask, tags = batch.mask, batch.tags
        own = emissions.gather(2, tags[:, :, None])[:, :, 0]
        moves = self.transitions[tags[:, :-1], tags[:, 1:]]
        last = tags.gather(1, (batch.lengths - 1).to(tags.device)[:, None])[:, 0]
        gold = (own * mask).sum() + (moves * mask[:, 1:]).sum() + self.start[tags[:, 0]].sum() + self.end[last].sum()

        alpha = self.start + emissions[:, 0]
        for t in range(1, emissions.shape[1]):
            onward = torch.logsumexp(alpha[:, :, None] + self.transitions, 1) + emissions[:, t]
            alpha = torch.where(mask[:, t, None], onward, alpha)
        return torch.logsumexp(alpha + self.end, 1).sum() - gold

    def decode(self, x, batch):
        """The best tags `[sentences, tokens]`, 0 at padding."""
        emissions = self.emission(x)
        n = emissions.shape[1]
        score, back = self.start + emissions[:, 0], []
        stay = torch.arange(len(self.start), device=x.device).expand(len(score), -1)
        for t in range(1, n):
            best, source = (score[:, :, None] + self.transitions).max(1)
            live = batch.mask[:, t, None]
            score = torch.where(live, best + emissions[:, t], score)
            back.append(torch.where(live, source, stay))
        tags = [(score + self.end).argmax(1)]
        for source in reversed(back):
            tags.append(source.gather(1, tags[-1][:, None])[:, 0])
        return torch.stack(tags[::-1], 1) * batch.mask


class RelationScorer(nn.Module):
    """Eq. 9 over the table of all pairs, with a hidden layer per relation."""

    def __init__(self, d, hidden, n_relations):
        super().__init__()
        self.head, self.tail = nn.Linear(d, n_relations * hidden), nn.Linear(d, n_relations * hidden, bias=False)
        self.v = nn.Parameter(torch.randn(n_relations, hidden) / math.sqrt(hidden) - 0.05)

    def forward(self, x):
        """`[sentences, tokens (head), tokens (tail), relations]`"""
        return self.scores(self.head(x), self.tail(x))

    def scores(self, u, w):
        """The table of the projections of both arguments, `[sentences, tokens, relations * hidden]` each."""
        # One relation at a time and tanh in place: twice as fast as one einsum over the table of hidden layers.
        parts = zip(u.chunk(len(self.v), -1), w.chunk(len(self.v), -1), self.v[:, :, None])
        return torch.cat([(u[:, :, None] + w[:, None]).tanh_() @ v for u, w, v in parts], -1)


class Cman(nn.Module):
    def __init__(self, config, sizes):
        super().__init__()
        d, n_tags = 2 * config["hidden"], 2 * sizes["entities"] + 1
        character, contextual = config["character"], config["contextual"]
        d_input = config["word"]["width"] + character["width"] + contextual["width"]
        self.words = nn.Embedding(sizes["words"], config["word"]["width"])
        self.characters = nn.Embedding(sizes["characters"], character["embedding"])
        self.spelling = BiLstm(character["embedding"], character["width"] // 2)
        self.mix = nn.Parameter(torch.zeros(contextual["layers"])) if contextual["width"] else None
        self.gamma = nn.Parameter(torch.ones(1)) if contextual["width"] else None
        self.bsa = nn.ModuleList([Bsa(config, d if i else d_input) for i in range(config["layers"])])
        self.crf = Crf(d, n_tags)
        self.labels = nn.Embedding(n_tags, config["label"]["width"])
        self.first, self.fuse, self.second = Bla(config), BiLstm(2 * d, config["hidden"]), Bla(config)
        self.relation = RelationScorer(d, config["relation"]["hidden"], sizes["relations"])
        self.input_dropout = nn.Dropout(config["dropout"]["input"])
        self.label_dropout = nn.Dropout(config["dropout"]["label"])
        self.sequence_dropout = nn.Dropout(config["dropout"]["sequence"])

    def embed(self, batch):
        words = self.spelling.final_states(self.characters(batch.characters), batch.character_lengths)
        parts = [self.words(batch.words), F.embedding(batch.word_of, words)]
        if self.mix is not None:
            weights = self.gamma * self.mix.softmax(0)
            parts.append((batch.contextual * weights[:, None]).sum(2))
        return torch.cat(parts, 2)

    def encode(self, x, batch):
        x = self.input_dropout(x)
        for unit in self.bsa:
            x = unit(x, batch)
        return x

    def interact(self, x, tags, batch):
        labels = self.label_dropout(self.labels(tags))
        fused = self.fuse.states(torch.cat([x, self.first(x, labels, batch)], 2), batch.lengths)
        return self.second(self.sequence_dropout(fused), labels, batch)

    def losses(self, x, batch):
        """Eqs. 11 and 12, each summed over the sentences, given the output of `embed`."""
        x = self.encode(x, batch)
        table = self.relation(self.interact(x, batch.tags, batch))
        entropy = F.binary_cross_entropy_with_logits(table, batch.related, reduction="none")
        pairs = batch.mask[:, :, None] & batch.mask[:, None]
        return self.crf.loss(x, batch), (entropy * pairs[..., None]).sum()

    @torch.inference_mode()
    def predict(self, batch, threshold=0.5):
        """The entities (start, end, type) and relations (head entity, tail entity, type) of every sentence."""
        x = self.encode(self.embed(batch), batch)
        tags = self.crf.decode(x, batch)
        table = self.relation(self.interact(x, tags, batch))
        entities = [spans(row[:n]) for row, n in zip(tags.tolist(), batch.lengths.tolist())]
        ends = torch.zeros(batch.mask.shape, dtype=torch.bool)
        for row, found in zip(ends, entities):
            row[[end - 1 for _, end, _ in found]] = True
        pairs = (ends[:, :, None] & ends[:, None] & ~torch.eye(ends.shape[1], dtype=torch.bool)).to(x.device)
        related = (table > math.log(threshold / (1 - threshold))) & pairs[..., None]
        at = [{end - 1: i for i, (_, end, _) in enumerate(found)} for found in entities]
        relations = [[] for _ in entities]
        for sentence, head, tail, kind in related.nonzero().tolist():
            relations[sentence].append((at[sentence][head], at[sentence][tail], kind))
        return list(zip(entities, relations))


def spans(tags):
    """Entities of BIO tags: O = 0, B-t = 2t + 1, I-t = 2t + 2. A stray I-t starts an entity."""
    found = []
    for i, tag in enumerate(tags):
        if tag and tag % 2 == 0 and i > 0 and tags[i - 1] in (tag - 1, tag):
            found[-1] = (found[-1][0], i + 1, found[-1][2])
        elif tag:
            found.append((i, i + 1, (tag - 1) // 2))
    return found


def perturbation(gradient, alpha):
    """eta of eq. 14: alpha sqrt(d_w) g / ||g||, with the norm over all values of a sentence."""
    norm = gradient.flatten(1).norm(dim=1).clamp_min(1e-30)
    return gradient * (alpha * math.sqrt(gradient.shape[2]) / norm)[:, None, None]


def gradients(model, batch, alpha, factor):
    """Adds the gradient of `factor (L(w) + L(w + eta))` to the parameters. The input is embedded once."""
    embedded = model.embed(batch)
    x = embedded.detach().requires_grad_()
    ner, re = model.losses(x, batch)
    ((ner + re) * factor).backward()
    gradient = x.grad
    if alpha:
        moved = (x.detach() + perturbation(gradient, alpha)).requires_grad_()
        (sum(model.losses(moved, batch)) * factor).backward()
        gradient = gradient + moved.grad
    embedded.backward(gradient)
    return ner, re


def train_step(model, optimizer, batch, alpha):
    """One update. Returns the losses before it."""
    optimizer.zero_grad(set_to_none=True)
    ner, re = gradients(model, batch, alpha, 1.0 / len(batch.lengths))
    optimizer.step()
    return ner.item(), re.item()


def adam(model, rate):
    return torch.optim.Adam(model.parameters(), lr=rate, fused=True)


def burn_views(model, of=lambda parameter: parameter.data):
    """`of` every parameter by its name in burn, as views in burn's layout. An LSTM has a view per direction."""
    views = {}

    def lstm(name, module):
        for burn, torch_name in (("w_ih", "weight_ih_l0"), ("w_hh", "weight_hh_l0"), ("bias", "bias_ih_l0")):
            both = [of(getattr(module, torch_name + end)) for end in ("", "_reverse")]
            views[f"{name}.{burn}"] = [tensor.T if tensor.dim() == 2 else tensor for tensor in both]

    def linear(name, module):
        views[f"{name}.weight"] = [of(module.weight).T]
        if module.bias is not None:
            views[f"{name}.bias"] = [of(module.bias)]

    def unit(name, module):
        lstm(f"{name}.sequence.lstm", module.lstm)
        for part, tensor in zip(("query", "key", "value"), of(module.attention.projection).chunk(3)):
            views[f"{name}.attention.{part}.weight"] = [tensor.T]
        linear(f"{name}.attention.output", module.attention.output)
        views[f"{name}.norm.gamma"], views[f"{name}.norm.beta"] = [of(module.norm.weight)], [of(module.norm.bias)]

    views["embedding.word.trained"] = [of(model.words.weight)]
    views["embedding.character.embedding"] = [of(model.characters.weight)]
    lstm("embedding.character.lstm", model.spelling)
    if model.mix is not None:
        views["embedding.contextual.weights"], views["embedding.contextual.gamma"] = [of(model.mix)], [of(model.gamma)]
    for i, bsa in enumerate(model.bsa):
        unit(f"bsa.{i}", bsa)
    linear("crf.scorer.emission", model.crf.emission)
    for name in ("transitions", "start", "end"):
        views[f"crf.scorer.{name}"] = [of(getattr(model.crf, name))]
    views["labels.embedding.table"] = [of(model.labels.weight)]
    unit("labels.fusion.first", model.first)
    lstm("labels.fusion.fuse.lstm", model.fuse)
    unit("labels.fusion.second", model.second)
    linear("relation.head", model.relation.head)
    linear("relation.tail", model.relation.tail)
    views["relation.v"] = [of(model.relation.v)]
    return views


def load_burn(model, tensors):
    """Loads burn's parameters. PyTorch's second bias of an LSTM becomes zero."""
    for name, views in burn_views(model).items():
        parts = [tensors[name]] if len(views) == 1 else tensors[name].unbind(0)
        for view, part in zip(views, parts, strict=True):
            view.copy_(part)
    for module in model.modules():
        if isinstance(module, BiLstm):
            module.bias_hh_l0.data.zero_()
            module.bias_hh_l0_reverse.data.zero_()
