"""Reference values of BERT, RoBERTa and DistilBERT, by the `transformers` library.

    python generate.py                                          the tiny random models beside this script
    python generate.py --model DIR --corpus FILE.. [--n 100]    a real model: DIR/pieces.json of all sentences,
                                                                DIR/goldens.safetensors of n sentences of the first file

Python 3.11, torch 2.15, transformers 5.23, tokenizers 0.23, safetensors 0.8. The values are computed in
double precision. Sentences longer than the window are cut by the rule of `src/bert/window.rs`, which is repeated here.
"""

import argparse, json, os, sys

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (AutoModel, AutoTokenizer, BertConfig, BertModel, DistilBertConfig, DistilBertModel,
                          PreTrainedTokenizerFast, RobertaConfig, RobertaModel)

HERE = os.path.dirname(os.path.abspath(__file__))

SENTENCES = [
    "Mrs. Tsuruyama is from Kumamoto Prefecture in Japan .",
    "Zoë left the café in Zürich at 10:45 p.m. -- in tears !",
    "unbelievable",
    "The harbour of Lisbon , said Ana Souza , was closed on Monday .",
    "東京 is a city",
    " ".join(["the ferry sailed from Lisbon to Zürich"] * 9),
    "a b",
]


def wordpiece():
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = ["the", "is", "from", "in", "at", "of", "ferry", "lisbon", "mon", "##day", "un", "##able", "##believ", "ts",
             "##uru", "##yama", "japan", "left", "on", "東"]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *",.:!-'", *letters, *("##" + c for c in letters), *words]
    t = Tokenizer(models.WordPiece({w: i for i, w in enumerate(vocab)}, unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    t.decoder = decoders.WordPiece()
    # Published files may contain the truncation and padding of an earlier use.
    t.enable_truncation(12)
    t.enable_padding(length=12)
    return t, len(vocab)


def byte_level():
    t = Tokenizer(models.BPE(unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=special, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    t.train_from_iterator(SENTENCES, trainer)
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    return t, t.get_vocab_size()


def windows(n, capacity):
    if n <= capacity:
        return [(0, n)]
    stride = max(capacity // 2, 1)
    return [(s, s + capacity) for s in [*range(0, n - capacity, stride), n - capacity]]


def owner(piece, n, spans):
    room = lambda s, e: min(piece - s if s else n, e - 1 - piece if e < n else n)
    return max((i for i, (s, e) in enumerate(spans) if s <= piece < e), key=lambda i: (room(*spans[i]), -i))


def golden(model, tokenizer, window, sentences):
    """Ids of every window, pieces of every word, and every layer's vector of every piece."""
    words, counts, lengths, ids, vectors = [], [], [], [], []
    for sentence in sentences:
        plain = tokenizer(sentence, is_split_into_words=True, add_special_tokens=False, truncation=False, padding=False)
        pieces, of = plain["input_ids"], plain.word_ids()
        words.append(sentence)
        counts += [of.count(i) for i in range(len(sentence))]
        full = tokenizer(sentence, is_split_into_words=True, truncation=False, padding=False)["input_ids"]
        before, after = full[:1], full[-1:]
        assert full == before + pieces + after
        spans = windows(len(pieces), window - 2)
        states = []
        for s, e in spans:
            cut = before + pieces[s:e] + after
            with torch.no_grad():
                out = model(torch.tensor([cut]), output_hidden_states=True).hidden_states
            states.append(torch.stack([h[0, 1:-1] for h in out], 1))
            lengths.append(len(cut))
            ids += cut
        for piece in range(len(pieces)):
            w = owner(piece, len(pieces), spans)
            vectors.append(states[w][piece - spans[w][0]])
    tensors = {"counts": torch.tensor(counts), "window.lengths": torch.tensor(lengths), "window.ids": torch.tensor(ids),
               "vectors": torch.stack(vectors).float()}
    return tensors, {"words": json.dumps(words, ensure_ascii=False)}


def random(model):
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            scale = 0.3 if p.dim() > 1 else 0.1
            p.copy_(torch.randn(p.shape, generator=generator) * scale + (1.0 if "LayerNorm.weight" in name or "norm.weight" in name else 0.0))
    return model.eval()


def tiny():
    piece, n = wordpiece()
    byte, m = byte_level()
    cases = {
        # The names of the oldest files (the family, gamma and beta), and a pooler, which is not read.
        "bert": (BertModel(BertConfig(vocab_size=n, hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
                                      intermediate_size=24, max_position_embeddings=40)), piece,
                 lambda k: "bert." + k.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")),
        "distilbert": (DistilBertModel(DistilBertConfig(vocab_size=n, dim=16, n_layers=2, n_heads=2, hidden_dim=24,
                                                        max_position_embeddings=40)), piece, lambda k: "distilbert." + k),
        "roberta": (RobertaModel(RobertaConfig(vocab_size=m, hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
                                               intermediate_size=24, max_position_embeddings=42, type_vocab_size=1,
                                               hidden_act="gelu_new")), byte, lambda k: k),
    }
    for name, (model, tokenizer, rename) in cases.items():
        folder = os.path.join(HERE, name)
        os.makedirs(folder, exist_ok=True)
        model = random(model)
        config = {k: v for k, v in model.config.to_dict().items() if v is not None}
        config.pop("transformers_version", None)
        json.dump(config, open(os.path.join(folder, "config.json"), "w"), indent=1, sort_keys=True)
        tokenizer.save(os.path.join(folder, "tokenizer.json"), pretty=False)
        weights = {rename(k): v.clone().contiguous() for k, v in model.state_dict().items() if "position_ids" not in k}
        save_file(weights, os.path.join(folder, "model.safetensors"), {"format": "pt"})
        fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
        if name == "roberta":
            fast.backend_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        window = 40
        tensors, metadata = golden(model.double(), fast, window, [s.split() for s in SENTENCES])
        save_file(tensors, os.path.join(folder, "goldens.safetensors"), metadata)


def corpus(path):
    if path.endswith(".json"):
        return [s["tokens"] for s in json.load(open(path, encoding="utf-8"))]
    sentences, words = [], []
    for line in open(path, encoding="utf-8-sig"):
        if line.startswith("#doc"):
            words = []
            sentences.append(words)
        elif "\t" in line:
            words.append(line.split("\t")[1])
    return sentences


def real(folder, files, n):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    sentences = [s for f in files for s in corpus(f)]
    pieces = []
    for s in sentences:
        plain = tokenizer(s, is_split_into_words=True, add_special_tokens=False, truncation=False, padding=False)
        of = plain.word_ids()
        counts = [0] * len(s)
        for i in of:
            counts[i] += 1
        pieces.append({"words": s, "ids": plain["input_ids"], "counts": counts})
    json.dump(pieces, open(os.path.join(folder, "pieces.json"), "w"), ensure_ascii=False)
    model = AutoModel.from_pretrained(folder).double().eval()
    sentences = corpus(files[0])
    step = max(len(sentences) // n, 1)
    tensors, metadata = golden(model, tokenizer, model.config.max_position_embeddings, sentences[::step][:n])
    save_file(tensors, os.path.join(folder, "goldens.safetensors"), metadata)
    print(f"{len(pieces)} sentences cut, {min(n, len(sentences))} of {files[0]} encoded", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--corpus", nargs="+")
    parser.add_argument("--n", type=int, default=100)
    args = parser.parse_args()
    torch.set_num_threads(1)
    real(args.model, args.corpus, args.n) if args.model else tiny()
