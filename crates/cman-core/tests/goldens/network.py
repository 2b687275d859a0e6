"""The Cross-Modal Attention Network (Zhao et al., IJCAI 2020) in PyTorch, written from the paper's equations.

A batch is a list of sentences and features are lists of tensors `[tokens, width]`, each as long as its sentence:
nothing is padded except inside the packed sequences of `nn.LSTM`. Clear and slow on purpose: attention runs head by
head, the CRF sentence by sentence, the relation scorer over the whole table of pairs at once.

Modules carry the names of the Rust modules, so that `burn_tensors` can name every parameter as burn does.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence


def packed(sequences):
    lengths = [len(sequence) for sequence in sequences]
    padded = pad_sequence(sequences, batch_first=True)
    return pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)


class Lstm(nn.LSTM):
    """Eq. 1, with one bias per gate: PyTorch's second one is fixed at zero."""

    def __init__(self, d_input, d_hidden):
        super().__init__(d_input, d_hidden, batch_first=True, bidirectional=True)
        for bias in (self.bias_hh_l0, self.bias_hh_l0_reverse):
            bias.requires_grad_(False).zero_()

    def states(self, sequences):
        """The states of every sequence, `[tokens, 2 d_hidden]` each."""
        output, lengths = pad_packed_sequence(self(packed(sequences))[0], batch_first=True)
        return [row[:n] for row, n in zip(output, lengths)]

    def final_states(self, sequences):
        """The final states of both directions, `[sequences, 2 d_hidden]`."""
        forward, backward = self(packed(sequences))[1][0]
        return torch.cat([forward, backward], 1)


class WordEmbedding(nn.Module):
    """Ids below the number of training words are rows of `trained`, the others follow in `pretrained`."""

    def __init__(self, config, sizes):
        super().__init__()
        width = config["word"]["width"]
        self.trained = nn.Parameter(torch.empty(sizes["words"], width), config["word"]["trainable"])
        if sizes["pretrained"]:
            self.pretrained = nn.Parameter(torch.empty(sizes["pretrained"], width), requires_grad=False)
        else:
            self.pretrained = None

    def forward(self, words):
        table = self.trained if self.pretrained is None else torch.cat([self.trained, self.pretrained])
        return table[words]


class CharacterEncoder(nn.Module):
    def __init__(self, config, sizes):
        super().__init__()
        d_embedding, width = config["character"]["embedding"], config["character"]["width"]
        self.embedding = nn.Parameter(torch.empty(sizes["characters"], d_embedding))
        if config["character"]["kind"] == "bilstm":
            self.lstm, self.convolution = Lstm(d_embedding, width // 2), None
        else:
            self.lstm, self.convolution = None, nn.Conv1d(d_embedding, width, kernel_size=3, padding=1)

    def forward(self, words):
        """A list of words as lists of characters -> `[words, width]`."""
        words = [self.embedding[word] for word in words]
        if self.lstm is not None:
            return self.lstm.final_states(words)
        return torch.stack([self.convolution(word.T).tanh().amax(1) for word in words])


class ScalarMix(nn.Module):
    """Peters et al. (2018), eq. 1. Without weights, the top layer."""

    def __init__(self, config):
        super().__init__()
        learned = config["contextual"]["mix"] == "scalar"
        self.weights = nn.Parameter(torch.empty(config["contextual"]["layers"])) if learned else None
        self.gamma = nn.Parameter(torch.empty(1)) if learned else None

    def forward(self, layers):
        """`[tokens, layers, width]` -> `[tokens, width]`"""
        if self.weights is None:
            return layers[:, -1]
        return self.gamma * torch.einsum("l,tlw->tw", self.weights.softmax(0), layers)


class TokenEmbedding(nn.Module):
    """`X` of section 3.1."""

    def __init__(self, config, sizes):
        super().__init__()
        self.word = WordEmbedding(config, sizes)
        self.character = CharacterEncoder(config, sizes) if config["character"]["kind"] != "none" else None
        self.contextual = ScalarMix(config) if config["contextual"]["width"] else None

    def forward(self, sentence):
        parts = [self.word(sentence["words"])]
        if self.character is not None:
            parts.append(self.character(sentence["characters"]))
        if self.contextual is not None:
            parts.append(self.contextual(sentence["contextual"]))
        return torch.cat(parts, 1)


class SequenceEncoder(nn.Module):
    def __init__(self, config, d_input):
        super().__init__()
        d = 2 * config["hidden"]
        if config["sequence"] == "bilstm":
            self.lstm, self.mlp = Lstm(d_input, config["hidden"]), None
        else:
            self.lstm, self.mlp = None, nn.ModuleDict({"inner": nn.Linear(d_input, d), "outer": nn.Linear(d, d)})

    def forward(self, sentences):
        if self.lstm is not None:
            return self.lstm.states(sentences)
        return [self.mlp["outer"](self.mlp["inner"](x).tanh()) for x in sentences]


class MultiHeadAttention(nn.Module):
    """Eqs. 2 and 3."""

    def __init__(self, config):
        super().__init__()
        d = 2 * config["hidden"]
        self.n_heads = config["heads"]
        for name in ("query", "key", "value", "output"):
            setattr(self, name, nn.Linear(d, d, bias=config["attention_bias"]))

    def forward(self, x, memory):
        d_head = self.output.in_features // self.n_heads
        heads = []
        for i in range(self.n_heads):
            block = slice(i * d_head, (i + 1) * d_head)

            def project(linear, features):
                bias = None if linear.bias is None else linear.bias[block]
                return F.linear(features, linear.weight[block], bias)

            q, k, v = project(self.query, x), project(self.key, memory), project(self.value, memory)
            heads.append((q @ k.T / math.sqrt(d_head)).softmax(1) @ v)
        return self.output(torch.cat(heads, 1))


class Bsa(nn.Module):
    """The self-attention unit, Figure 3a."""

    def __init__(self, config, d_input):
        super().__init__()
        self.sequence = SequenceEncoder(config, d_input)
        self.attention = MultiHeadAttention(config) if config["self_attention"] else None
        self.norm = nn.LayerNorm(2 * config["hidden"]) if config["layer_norm"] else None

    def forward(self, sentences):
        output = self.sequence(sentences)
        if self.attention is not None:
            output = [h + self.attention(h, h) for h in output]
        if self.norm is not None:
            output = [self.norm(h) for h in output]
        return output


class Bla(nn.Module):
    """The label-attention unit, Figure 3b."""

    def __init__(self, config):
        super().__init__()
        self.sequence = SequenceEncoder(config, config["label"]["width"])
        self.attention = MultiHeadAttention(config)
        self.norm = nn.LayerNorm(2 * config["hidden"])
        self.residual = config["label"]["residual"]

    def forward(self, sentences, labels):
        output = []
        for x, label in zip(sentences, self.sequence(labels)):
            residual = x if self.residual == "query" else label
            output.append(self.norm(self.attention(x, label) + residual))
        return output


class LabelInteraction(nn.Module):
    """Eqs. 5-7, or label embeddings concatenated to the token features."""

    def __init__(self, config, n_tags):
        super().__init__()
        self.embedding = nn.ParameterDict({"table": torch.empty(n_tags, config["label"]["width"])})
        self.fusion = None
        if config["label"]["kind"] == "attention":
            fuse = SequenceEncoder(config, 4 * config["hidden"])
            self.fusion = nn.ModuleDict({"first": Bla(config), "fuse": fuse, "second": Bla(config)})

    def forward(self, sentences, tags):
        """All intermediate values by name. `output` is the input of the relation scorer."""
        labels = [self.embedding["table"][list(row)] for row in tags]
        if self.fusion is None:
            return {"output": [torch.cat(pair, 1) for pair in zip(sentences, labels)]}
        first = self.fusion["first"](sentences, labels)
        fused = self.fusion["fuse"]([torch.cat(pair, 1) for pair in zip(sentences, first)])
        return {"first": first, "fused": fused, "output": self.fusion["second"](fused, labels)}


class TagScorer(nn.Module):
    """The logarithm of phi in eq. 8."""

    def __init__(self, config, n_tags):
        super().__init__()
        d, d_hidden = 2 * config["hidden"], config["crf"]["hidden"]
        linear = config["crf"]["score"] == "linear"
        self.n_tags = n_tags
        self.constraints = config["crf"]["constraints"]
        self.hidden = nn.Linear(d, d_hidden) if d_hidden else None
        self.emission = nn.Linear(d_hidden or d, n_tags if linear else (n_tags + 1) * n_tags)
        self.transitions = nn.Parameter(torch.empty(n_tags, n_tags)) if linear else None
        self.start = nn.Parameter(torch.empty(n_tags)) if linear else None
        self.end = nn.Parameter(torch.empty(n_tags))

    def forward(self, x):
        """Scores of the first tag `[tags]`, of tags 2..n given the one before `[n - 1, from, to]`, and of the last."""
        if self.hidden is not None:
            x = self.hidden(x).tanh()
        scores = self.emission(x)
        if self.transitions is not None:
            first, pair = scores[0] + self.start, scores[1:, None, :] + self.transitions
        else:
            scores = scores.view(len(x), self.n_tags + 1, self.n_tags)
            first, pair = scores[0, -1], scores[1:, :-1]
        if self.constraints:
            # Tags are O, B-0, I-0, B-1, I-1, ..: I-t may only follow B-t and I-t.
            tags = range(self.n_tags)
            may = torch.tensor([[to % 2 == 1 or to == 0 or source in (to - 1, to) for to in tags] for source in tags])
            first = first.masked_fill(~may[0], -math.inf)
            pair = pair.masked_fill(~may, -math.inf)
        return first, pair, self.end


def log_partition(first, pair, end):
    """The denominator of eq. 8 by the forward recursion."""
    alpha = first
    for step in pair:
        alpha = torch.logsumexp(alpha[:, None] + step, 0)
    return torch.logsumexp(alpha + end, 0)


def gold_score(first, pair, end, tags):
    steps = zip(pair, tags, tags[1:])
    return first[tags[0]] + sum(step[source, to] for step, source, to in steps) + end[tags[-1]]


def path_scores(first, pair, end):
    """The score of every sequence of tags, `[tags, tags, ..]`, one dimension per token."""
    scores = first
    for step in pair:
        scores = scores[..., None] + step
    return scores + end


class RelationScorer(nn.Module):
    """Eq. 9 over the full table of pairs."""

    def __init__(self, config, d_input, n_relations):
        super().__init__()
        relation = config["relation"]
        self.n_outputs = n_relations + relation["none_label"]
        self.n_projections = 1 if relation["shared"] else self.n_outputs
        width = self.n_projections * relation["hidden"]
        self.head, self.tail = nn.Linear(d_input, width), nn.Linear(d_input, width, bias=False)
        self.v = nn.Parameter(torch.empty(self.n_outputs, relation["hidden"]))

    def forward(self, x):
        """`[n, d_input]` -> `[n (head), n (tail), relations]`"""
        n, hidden = len(x), self.v.shape[1]
        shape = (n, self.n_projections, hidden)
        u, w = (linear(x).view(shape).expand(n, self.n_outputs, hidden) for linear in (self.head, self.tail))
        return torch.einsum("ijkh,kh->ijk", torch.tanh(u[:, None] + w[None, :]), self.v)


class Cman(nn.Module):
    def __init__(self, config, sizes):
        super().__init__()
        n_tags = 2 * sizes["entities"] + 1
        d, kind = 2 * config["hidden"], config["label"]["kind"]
        character = 0 if config["character"]["kind"] == "none" else config["character"]["width"]
        d_input = config["word"]["width"] + character + config["contextual"]["width"]
        self.embedding = TokenEmbedding(config, sizes)
        self.bsa = nn.ModuleList([Bsa(config, d if i else d_input) for i in range(config["layers"])])
        self.crf = nn.ModuleDict({"scorer": TagScorer(config, n_tags)})
        self.labels = LabelInteraction(config, n_tags) if kind != "none" else None
        d_relation = d + config["label"]["width"] * (kind == "concatenate")
        self.relation = RelationScorer(config, d_relation, sizes["relations"])
        self.none_label = config["relation"]["none_label"]
        self.n_relations = sizes["relations"]

    def forward(self, xs, labels):
        """Everything the network computes from the inputs `X`, given the tags that the relations see."""
        units = []
        features = xs
        for unit in self.bsa:
            features = unit(features)
            units.append(features)
        interaction = {"output": features} if self.labels is None else self.labels(features, labels)
        potentials = [self.crf["scorer"](x) for x in features]
        tables = [self.relation(x) for x in interaction["output"]]
        return {"bsa": units, "potentials": potentials, "labels": interaction, "tables": tables}

    def losses(self, output, batch):
        """Eqs. 11 and 12, summed over the sentences."""
        ner, re = 0.0, 0.0
        for potentials, table, sentence in zip(output["potentials"], output["tables"], batch):
            ner += log_partition(*potentials) - gold_score(*potentials, sentence["tags"])
            gold = torch.zeros_like(table)
            for head, tail, kind in sentence["relations"]:
                gold[head, tail, kind] = 1.0
            if self.none_label:
                heads = {head for head, _, _ in sentence["relations"]}
                for token in set(range(len(table))) - heads:
                    gold[token, token, self.n_relations] = 1.0
            re += F.binary_cross_entropy_with_logits(table, gold, reduction="sum")
        return ner, re


def burn_tensors(model, of):
    """`of` every parameter (itself or its gradient), by its name and in its layout in burn. None is left out."""
    tensors = {}
    for path, module in model.named_modules():
        if isinstance(module, nn.LSTM):
            parts = {"w_ih": "weight_ih_l0", "w_hh": "weight_hh_l0", "bias": "bias_ih_l0"}
            for name, part in parts.items():
                both = [of(getattr(module, part + direction)) for direction in ("", "_reverse")]
                tensors[f"{path}.{name}"] = torch.stack([x.T if x.dim() == 2 else x for x in both])
            continue
        for name, parameter in module.named_parameters(recurse=False):
            tensor = of(parameter)
            if tensor is None:
                continue
            if isinstance(module, nn.Conv1d) and name == "weight":  # [width, embedding, 3] -> [3 embedding, width]
                tensor = tensor.permute(2, 1, 0).flatten(0, 1)
            elif isinstance(module, nn.Linear) and name == "weight":
                tensor = tensor.T
            elif isinstance(module, nn.LayerNorm):
                name = {"weight": "gamma", "bias": "beta"}[name]
            tensors[f"{path}.{name}"] = tensor
    return tensors
