"""A program that runs beside a script, and must end well."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

PATIENCE = 30  # seconds, for each thing that is waited for


class Program:
    """A program that runs, until the end of the `with`, where it must end well when it is told to."""

    def __init__(self, command, ready, folder, may_be_cut=False, **environment):
        self.name, self.said, self.may_be_cut = Path(command[-1]).name, [], may_be_cut
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=folder, env=os.environ | environment,
        )
        self.found, self.known = None, threading.Event()
        self.reader = threading.Thread(target=self.read, args=[re.compile(ready)], daemon=True)
        self.reader.start()

    def read(self, ready):
        for line in self.process.stdout:
            self.said.append(line)
            if self.found is None and (found := ready.search(line)):
                self.found = found
                self.known.set()
        self.known.set()

    def __enter__(self):
        self.known.wait(PATIENCE)
        if self.found is None:
            self.process.kill()
            sys.exit(f"{self.name} did not become ready; it said:\n{''.join(self.said)}")
        return self.found

    def __exit__(self, *_):
        self.process.terminate()
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            sys.exit(f"{self.name} did not end when it was told to")
        self.reader.join(PATIENCE)
        if status != 0 and not (self.may_be_cut and status == -signal.SIGTERM):
            sys.exit(f"{self.name} ended with {status}; it said:\n{''.join(self.said)}")
