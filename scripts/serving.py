"""Starts `cman serve` for the scripts that check it. Standard library only."""

import json
import re
import shlex
import subprocess
import threading
import urllib.request


class Service:
    """A running service; a context manager that stops it."""

    def __init__(self, program, model, *flags):
        command = [*shlex.split(program), "serve", "--model", str(model), "--port", "0", *flags]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.log = []
        self.address = None
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"listening on http://([\d.]+):(\d+)", line)
            if found:
                self.address = (found[1], int(found[2]))
                break
        if self.address is None:
            raise SystemExit("the service did not start:\n" + "".join(self.log))
        self.url = f"http://{self.address[0]}:{self.address[1]}"
        threading.Thread(target=self.log.extend, args=(self.process.stderr,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Stops it; the exit status."""
        self.process.terminate()
        return self.process.wait(60)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return answer.read().decode()

    def extract(self, **body):
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + "/extract", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def metric(self, name):
        """The sum of a metric over its labels."""
        pattern = re.compile(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? (\S+)$", re.M)
        return sum(float(value) for value in pattern.findall(self.get("/metrics")))
