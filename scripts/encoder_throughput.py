#!/usr/bin/env python3
"""Encoder throughput beside PyTorch's: the same sentences on the same CPU, in turns.

    python scripts/encoder_throughput.py --cman target/debug/cman --model MINILM --corpus test.txt [--rounds 5]

Both cut the words into pieces and give all layers. PyTorch (with `transformers`) runs padded batches of 32 sentences, in
the order of the corpus and, as a second figure, sorted by length. Prints words a second (medians) and the ratios.
"""

import argparse, os, re, statistics, subprocess, sys, tempfile, time

import torch
from transformers import AutoModel, AutoTokenizer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../crates/cman-encoder/tests/bert"))
from generate import corpus


def peer(model, tokenizer, sentences, batch):
    start = time.perf_counter()
    for i in range(0, len(sentences), batch):
        pieces = tokenizer(sentences[i:i + batch], is_split_into_words=True, padding=True, truncation=True,
                           return_tensors="pt")
        with torch.inference_mode():
            model(**pieces, output_hidden_states=True)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cman", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModel.from_pretrained(args.model).eval()
    sentences = [list(words) for words in dict.fromkeys(map(tuple, corpus(args.corpus)))]
    by_length = sorted(sentences, key=len)
    words = sum(map(len, sentences))
    times = {"cman": [], "torch": [], "torch, sorted": []}
    with tempfile.TemporaryDirectory() as folder:
        for round in range(args.rounds + 1):
            command = [args.cman, "embed", "--threads", str(args.threads), "--encoder", args.model, "--corpus",
                       args.corpus, "--out", os.path.join(folder, "out")]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found = {"cman": float(re.search(r"encoded in ([0-9.]+) s", said)[1]),
                     "torch": peer(model, tokenizer, sentences, args.batch),
                     "torch, sorted": peer(model, tokenizer, by_length, args.batch)}
            if round:  # the first warms up
                for name, seconds in found.items():
                    times[name].append(seconds)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    print(f"{len(sentences)} sentences, {words} words, {args.threads} threads, {args.rounds} rounds")
    for name, seconds in medians.items():
        print(f"{name:14} {words / seconds:8.0f} words/s  {seconds / medians['cman']:.2f} x the time of cman")


if __name__ == "__main__":
    main()
