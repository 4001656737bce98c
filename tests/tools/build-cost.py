#!/usr/bin/env python3
"""Builds the README's `hello` with chosen features of gateway-runtime in an empty folder, calls it, and prints what the build costs.

    build-cost.py                    without features; fails above 150 crates, or if a call fails
    build-cost.py --all              also with the defaults, and what each feature adds: the table of docs/features.md
"""

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from program import Program

ROOT = Path(__file__).resolve().parents[2]
MOST_CRATES = 150
OPTIONAL = ["docs-page", "process-metrics", "compression", "websocket", "http-client", "sqlite", "postgres", "redis", "amqp", "credentials", "dns"]


def fenced(language):
    """The README's first code block of a language."""
    return re.search(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.S).group(1)


def write(folder, features):
    """Writes the crate of the README with these features; `None` stands for the defaults."""
    manifest = fenced("toml Cargo.toml")
    chosen = "" if features is None else f", default-features = false, features = {features}".replace("'", '"')
    manifest = re.sub(r"\{ path = .*", f'{{ path = "{ROOT / "gateway-runtime"}"{chosen} }}', manifest)
    (folder / "src").mkdir()
    (folder / "Cargo.toml").write_text(manifest + "\n[workspace]\n")
    (folder / "src/main.rs").write_text(fenced("rust"))
    (folder / "Cargo.lock").write_text((ROOT / "Cargo.lock").read_text())


def crates(folder):
    tree = ["cargo", "tree", "--edges", "normal,build", "--prefix", "none", "--no-dedupe", "--format", "{p}"]
    listed = subprocess.run(tree, cwd=folder, check=True, capture_output=True, text=True).stdout
    return len({line.split(" (")[0] for line in listed.splitlines() if line})


def build(folder):
    """Builds, and returns the CPU time of all compilers, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "CARGO_TARGET_DIR": str(folder / "target")}
    subprocess.run(["cargo", "build", "--quiet"], cwd=folder, check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def call(folder):
    """Starts the program, calls its method, and stops it."""
    command = [folder / "target/debug/hello", "--listen", "127.0.0.1:0"]
    with Program(command, r"(http://127\.0\.0\.1:\d+)", folder) as ready:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{ready.group(1)}/services/hello/v1/greet?name=Ada") as response:
            answer = response.read().decode()
    if answer != '"Hello, Ada!"':
        sys.exit(f"hello answered {answer}")


def measure(name, features, folder, base=None):
    """Builds in a folder, on top of the build in `base`, calls the program, and prints the row."""
    folder.mkdir()
    write(folder, features)
    if base:
        shutil.copytree(base / "target", folder / "target", symlinks=True)
    count, seconds = crates(folder), build(folder)
    call(folder)
    print(f"| {name} | {count} | {seconds:.0f} s |", flush=True)
    return count


def main():
    with tempfile.TemporaryDirectory() as root:
        root = Path(root)
        print("| features | crates | CPU time of a debug build |\n|---|---|---|")
        count = measure("none", [], root / "none")
        if "--all" in sys.argv:
            measure("the defaults", None, root / "defaults")
            for feature in OPTIONAL:
                measure(f"+ `{feature}`", [feature], root / feature, root / "none")
    if count > MOST_CRATES:
        sys.exit(f"a service without features builds {count} crates, more than {MOST_CRATES}")


main()
