#!/usr/bin/env python3
"""Sends a service what no client should send, and checks that it survives.

usage: scripts/check_serve.py --model DIR [--program cman] [--requests 10000] [--seed 1]

Broken JSON, wrong types, random bytes, deep nesting, huge texts, invalid UTF-8, broken HTTP, clients that stop sending, that
do not read, and that leave in the middle. Every answer has a status from 400 to 499, or 200 if the request happens to be
valid; nothing is answered with a status from 500 on, the service panics nowhere, it answers a valid request afterwards as
before, and stops with status 0. Standard library only.
"""

import argparse
import collections
import json
import random
import socket
import threading

from serving import Service

TEXT = "Ada Lovelace lived in London. She worked for Acme Corp in Paris."
VALID = json.dumps({"text": TEXT, "options": {"n_best": 2}, "entities": [{"type": "Loc", "start": 22, "end": 28}]})
MOST_BODY = 200_000


def any_value(random_, depth=0):
    """A JSON value of any type."""
    kinds = ["null", "bool", "int", "float", "text"] + (["list", "object"] if depth < 3 else [])
    kind = random_.choice(kinds)
    if kind == "list":
        return [any_value(random_, depth + 1) for _ in range(random_.randrange(4))]
    if kind == "object":
        names = ["text", "texts", "options", "entities", "model", "id", "n_best", "signatures", "only", "x"]
        return {random_.choice(names): any_value(random_, depth + 1) for _ in range(random_.randrange(4))}
    values = {"null": None, "bool": True, "int": random_.choice([0, -1, 7, 2**31, 2**64, -(2**70)]),
              "float": random_.choice([0.5, -1e300, 1e-300]), "text": random_.choice(["", "any", "Loc", "\u0000", "é" * 9])}
    return values[kind]


def body(random_):
    """The kind and the bytes of a body."""
    valid = VALID.encode()
    kind = random_.choice(["cut", "changed", "nested", "bytes", "types", "huge", "utf8", "fields", "entities", "empty"])
    if kind == "cut":
        return kind, valid[: random_.randrange(len(valid))]
    if kind == "changed":
        changed = bytearray(valid)
        for _ in range(random_.randint(1, 5)):
            changed[random_.randrange(len(changed))] = random_.randrange(256)
        return kind, bytes(changed)
    if kind == "nested":
        opening = random_.choice([b"[", b'{"text":', b'{"options":{"signatures":', b'{"entities":['])
        return kind, opening * random_.randrange(1, 12_000)
    if kind == "bytes":
        return kind, random_.randbytes(random_.randrange(5000))
    if kind == "types":
        return kind, json.dumps(any_value(random_)).encode()
    if kind == "huge":
        return kind, json.dumps({"text": "a" * random_.randrange(MOST_BODY, 3 * MOST_BODY)}).encode()
    if kind == "utf8":
        return kind, b'{"text": "' + random_.choice([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\\ud800", b"\x00"]) + b'"}'
    if kind == "fields":
        name = random_.choice(["text", "texts", "options", "entities", "model"])
        return kind, json.dumps({**json.loads(VALID), name: any_value(random_)}).encode()
    if kind == "entities":
        ends = [random_.choice([0, 3, 4, 13, 2**40, -1]) for _ in range(2)]
        return kind, json.dumps({"text": TEXT, "entities": [{"type": "Peop", "start": ends[0], "end": ends[1]}] * 3}).encode()
    return kind, b""


def answer_of(connection):
    """The status of an answer; 0 if there is none."""
    head = b""
    try:
        while b"\r\n" not in head:
            part = connection.recv(65536)
            if not part:
                return 0
            head += part
        return int(head.split(b" ", 2)[1])
    except (OSError, ValueError, IndexError):
        return 0


def send(address, random_, count):
    """Sends one malformed request and counts what came back."""
    kind, content = body(random_)
    manner = random_.choices(["plain", "half", "leave", "chunks", "http", "unread"], [12, 1, 1, 1, 1, 1])[0]
    stream = random_.random() < 0.1
    path, content_type = ("/extract/stream", "application/x-ndjson") if stream else ("/extract", "application/json")
    if random_.random() < 0.03:
        content_type = random_.choice(["text/plain", "", "application/xml", "\xff"])
    head = f"POST {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: {content_type}\r\n".encode("latin-1")
    request = head + f"Content-Length: {len(content)}\r\n\r\n".encode() + content
    if manner == "chunks":
        parts = [content[i : i + 999] for i in range(0, len(content), 999)]
        request = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"
    if manner == "http":
        request = random_.choice([random_.randbytes(300), b"GET\r\n\r\n", b"POST / HTTP/9\r\n\r\n", request.replace(b"Host", b"Ho st"),
                                  b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 500 + b"\r\n"])
    with socket.create_connection(address, timeout=30) as connection:
        try:
            if manner in ("half", "leave"):
                connection.sendall(request[: len(request) // 2])
            else:
                connection.sendall(request)
        except OSError:
            pass  # a service that refuses a body may close before all was sent
        status = -1 if manner in ("leave", "unread") else answer_of(connection)
    count[kind if manner != "http" else "http", status] += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--program", default="cman")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    count = collections.Counter()
    faults = []
    limits = ["--max-body", str(MOST_BODY), "--client-timeout", "0.5", "--header-timeout", "0.5"]
    with Service(args.program, args.model, *limits) as service:
        before = service.extract(text=TEXT)

        def work(part):
            own = random.Random(args.seed * 1000 + part)
            for _ in range(part, args.requests, 8):
                try:
                    send(service.address, own, count)
                except OSError as error:
                    faults.append(f"no connection: {error}")

        threads = [threading.Thread(target=work, args=(part,)) for part in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after = service.extract(text=TEXT)
        if before != after:
            faults.append("the same text has another answer afterwards")
        if service.metric("cman_panics_total") or service.metric("cman_queue_texts"):
            faults.append("a panic, or a text that waits")
        faults.extend(line.strip() for line in service.log if "panic" in line)
        memory = service.metric("cman_resident_memory_bytes") / 1e6
    status = service.process.returncode
    if status != 0:
        faults.append(f"the service ended with status {status}")
    by_status = collections.Counter()
    for (_, status), number in count.items():
        by_status[status] += number
    failures = {key: number for key, number in count.items() if key[1] >= 500}
    if failures:
        faults.append(f"failures: {failures}")
    names = {-1: "client left", 0: "closed without an answer"}
    listed = ", ".join(f"{names.get(status, status)} {number}" for status, number in sorted(by_status.items()))
    print(f"{sum(by_status.values())} requests: {listed}; resident memory afterwards {memory:.0f} MB")
    print("\n".join(faults[:20]) or "no faults")
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
