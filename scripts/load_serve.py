#!/usr/bin/env python3
"""Loads a service and prints throughput and latency.

usage: scripts/load_serve.py --model DIR [--program cman] [--connections 1,8,64] [--seconds 30] [--threads 1,2] [--compare]

For each number of connections, every connection sends one sentence of the sample corpus after the other for some seconds:
requests per second, the median and the 99th percentile of the latency, errors, the processor time of the service, and its
memory before and after. `--compare` adds a service that reads text by text (`--max-batch-texts 1`). `--threads` measures
each number of threads of the model. The clients are threads of one process with persistent connections and compete with the
service for the processor. Standard library only.
"""

import argparse
import http.client
import json
import os
import pathlib
import threading
import time

from serving import Service

SAMPLE = pathlib.Path(__file__).resolve().parent.parent / "crates/cman-data/sample/train.json"


def processor_seconds(pid):
    """Processor time of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(service, bodies, connections, seconds):
    """Latencies in seconds, and the number of errors."""
    latencies, errors = [], []
    end = time.monotonic() + seconds

    def work(number):
        connection = http.client.HTTPConnection(*service.address, timeout=60)
        own, i = [], number
        while time.monotonic() < end:
            start = time.monotonic()
            try:
                connection.request("POST", "/extract", bodies[i % len(bodies)], {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    errors.append(answer.status)
            except OSError as error:
                errors.append(error)
                connection.close()
            own.append(time.monotonic() - start)
            i += connections
        latencies.extend(own)
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(latencies), errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--program", default="cman")
    parser.add_argument("--connections", default="1,8,64")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--threads", default="0", help="threads of the model; 0: one per core")
    parser.add_argument("--texts", type=int, default=1, help="texts per request")
    parser.add_argument("--compare", action="store_true")
    args = parser.parse_args()
    records = json.loads(SAMPLE.read_text())
    texts = [" ".join(record["tokens"]) for record in records]
    groups = [texts[i : i + args.texts] for i in range(0, len(texts) - args.texts + 1, args.texts)]
    bodies = [json.dumps({"texts": group}).encode() for group in groups]
    ways = [("batches", [])] + ([("text by text", ["--max-batch-texts", "1"])] if args.compare else [])
    print(f"{'':14}{'threads':>8}{'connections':>12}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}{'cores':>7}{'texts/batch':>13}{'MB before':>11}{'after':>7}")
    for threads in args.threads.split(","):
        for name, flags in ways:
            count = [] if threads == "0" else ["--threads", threads]
            with Service(args.program, args.model, "--log-level", "info", *flags, *count) as service:
                load(service, bodies, 4, 1)
                for connections in map(int, args.connections.split(",")):
                    memory = service.metric("cman_resident_memory_bytes") / 1e6
                    batches = service.metric("cman_batch_texts_count")
                    read = service.metric("cman_batch_texts_sum")
                    start, before = time.monotonic(), processor_seconds(service.process.pid)
                    latencies, errors = load(service, bodies, connections, args.seconds)
                    wall = time.monotonic() - start
                    cores = (processor_seconds(service.process.pid) - before) / wall
                    share = (service.metric("cman_batch_texts_sum") - read) / max(1, service.metric("cman_batch_texts_count") - batches)
                    after = service.metric("cman_resident_memory_bytes") / 1e6
                    at = lambda share: 1000 * latencies[min(len(latencies) - 1, int(share * len(latencies)))]
                    print(
                        f"{name:14}{threads:>8}{connections:>12}{len(latencies) / wall:>12.0f}{at(0.5):>9.2f}{at(0.99):>9.2f}"
                        f"{len(errors):>8}{cores:>7.2f}{share:>13.1f}{memory:>11.0f}{after:>7.0f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
