#!/usr/bin/env python3
"""Compares the public API of gateway-runtime with the table in ARCHITECTURE.md; fails where they differ.

    public-api.py                the difference, if there is one
    public-api.py --table        the names of each public module, for the table
    public-api.py --examples     also the public names without a doc example or a use in examples/, docs/ or README.md

The names are read from rustdoc's JSON, built with all features but `internals` into `public-api` below the target
folder. Re-exports are followed; what is `#[doc(hidden)]` is left out.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "public-api"
FEATURES = "amqp,postgres,redis,credentials"
ROOT_MODULE = "(root)"
START, END = "<!-- public-api -->", "<!-- /public-api -->"
# Code blocks of docs that rustdoc compiles.
RUST_BLOCK = re.compile(r"^```[ \t]*(?:rust)?(?:[ ,]*(?:no_run|should_panic))*[ \t]*\n(.*?)^```", re.M | re.S)


def build():
    """Returns rustdoc's JSON of the crate."""
    command = ["cargo", "rustdoc", "--quiet", "-p", "gateway-runtime", "--lib", "--features", FEATURES]
    command += ["--target-dir", str(TARGET), "--", "--cap-lints", "allow", "-Z", "unstable-options"]
    command += ["--output-format", "json"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "RUSTC_BOOTSTRAP": "1"}, check=True)
    return json.loads((TARGET / "doc" / "gateway_runtime.json").read_text())


class Api:
    """The public items of a crate, by the shortest path of modules that leads to them."""

    def __init__(self, doc):
        self.index = doc["index"]
        self.paths = doc["paths"]
        # Module path → name → ids of the items of this name: a trait and its derive macro share one.
        self.modules = {}
        # The module path of each module item; the first is the shortest.
        seen = {str(doc["root"]): ROOT_MODULE}
        queue = [str(doc["root"])]
        while queue:
            module = queue.pop(0)
            path = seen[module]
            names = self.modules.setdefault(path, {})
            for name, target, kind in self.exports(module, set()):
                if kind == "module" and target in self.index and target not in seen:
                    seen[target] = name if path == ROOT_MODULE else f"{path}::{name}"
                    queue.append(target)
                else:
                    names.setdefault(name, []).append(target)

    def exports(self, module, globs):
        """Yields name, id and kind of each item that a module exports."""
        for child in self.index[module]["inner"]["module"]["items"]:
            item = self.index.get(str(child))
            if item is None or is_hidden(item) or "impl" in item["inner"]:
                continue
            if "use" not in item["inner"]:
                if item["visibility"] == "public":
                    yield self.spelled(item["name"], str(child)), str(child), next(iter(item["inner"]))
                continue
            use = item["inner"]["use"]
            target = str(use["id"])
            # The macro `service` is exported together with the private module of this name.
            if self.kind(target) == "module" and target in self.index and self.index[target]["visibility"] != "public":
                continue
            if use["is_glob"]:
                if target in self.index and target not in globs:
                    yield from self.exports(target, globs | {target})
                continue
            if target in self.index and is_hidden(self.index[target]):
                continue
            yield self.spelled(use["name"], target), target, self.kind(target)

    def kind(self, target):
        item = self.index.get(target)
        return next(iter(item["inner"])) if item else self.paths.get(target, {}).get("kind")

    def spelled(self, name, target):
        """A macro that is called like a function has its `!`."""
        item = self.index.get(target)
        if item and "proc_macro" in item["inner"]:
            return name + "!" if item["inner"]["proc_macro"]["kind"] == "bang" else name
        return name + "!" if self.kind(target) == "macro" else name

    def docs(self, target, depth=0):
        """Yields the docs of an item and of its parts: fields, variants, methods."""
        item = self.index.get(str(target))
        if item is None or depth > 3:
            return
        if item["docs"]:
            yield item["docs"]
        kind, inner = next(iter(item["inner"].items()))
        if kind == "impl" and inner["trait"]:
            return
        for part in parts(kind, inner):
            yield from self.docs(part, depth + 1)


def is_hidden(item):
    return any("doc(hidden)" in str(attribute).replace(" ", "") for attribute in item["attrs"])


def parts(kind, inner):
    """The ids of an item's parts."""
    if kind == "struct":
        fields = inner["kind"]
        if isinstance(fields, dict):
            plain = fields.get("plain")
            yield from plain["fields"] if plain else [field for field in fields["tuple"] if field is not None]
        yield from inner["impls"]
    elif kind == "enum":
        yield from inner["variants"]
        yield from inner["impls"]
    elif kind in ("trait", "impl"):
        yield from inner["items"]


def documented():
    """Module → names, from the table in ARCHITECTURE.md: the first column is the module, the last has the names."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    if text.count(START) != 1 or text.count(END) != 1:
        sys.exit(f"ARCHITECTURE.md: expected one table between `{START}` and `{END}`")
    modules = {}
    for line in text.split(START)[1].split(END)[0].strip().splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        modules.setdefault(cells[0].strip("`"), set()).update(re.findall(r"`([^`]+)`", cells[-1]))
    return modules


def compare(api, table):
    """Prints the difference, and returns whether there is one."""
    exported = {module: set(names) for module, names in api.modules.items()}
    differs = False
    for module in sorted(exported.keys() | table.keys()):
        for name in sorted(exported.get(module, set()) - table.get(module, set())):
            print(f"`{module}` exports `{name}`, which ARCHITECTURE.md does not list", file=sys.stderr)
            differs = True
        for name in sorted(table.get(module, set()) - exported.get(module, set())):
            print(f"ARCHITECTURE.md lists `{name}` in `{module}`, which does not export it", file=sys.stderr)
            differs = True
    return differs


def uncommented(text):
    return re.sub(r"(?m)^\s*//(?!/|!).*$", "", text)


def pages():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def code():
    """The code in which a name counts as used: examples, docs, and the examples of the macros' docs."""
    texts = [uncommented(path.read_text()) for path in sorted((ROOT / "examples").rglob("*.rs"))]
    for path in pages():
        texts += re.findall(r"^```rust[^\n]*\n(.*?)^```", path.read_text(), re.M | re.S)
    for path in sorted((ROOT / "gateway-macros" / "src").rglob("*.rs")):
        docs = "\n".join(re.findall(r"(?m)^\s*//[/!] ?(.*)$", path.read_text()))
        texts += RUST_BLOCK.findall(docs)
    return texts


def is_used(module, name, text):
    bare = name.rstrip("!")
    if name[0].isupper():
        return re.search(rf"\b{bare}\b", text)
    if name in ("serialize", "deserialize"):
        # serde's `with` names the module of both.
        return re.search(rf'with = "(\w+::)*{module}"', text)
    if module == ROOT_MODULE:
        macro = rf"\b{bare}!" if name.endswith("!") else rf"#\[(\w+::)*{bare}\b|\b{bare}::"
        return re.search(macro, text)
    return re.search(rf"\b{module.split('::')[-1]}::{bare}\b", text)


def without_example(api):
    """Yields module, name and the docs that name it in a sentence, of what has no example. A name that two modules
    export is looked at once."""
    texts = code()
    spans = {page.name: " ".join(re.findall(r"`([^`\n]+)`", page.read_text())) for page in pages()}
    prose = {page: set(re.findall(r"\w+", text)) for page, text in spans.items()}
    for item in api.index.values():
        texts += RUST_BLOCK.findall(item["docs"] or "")
    done = set()
    for module, names in api.modules.items():
        if module == "prelude":
            continue
        for name, targets in sorted(names.items()):
            if done.issuperset(targets):
                continue
            done.update(targets)
            own = any(RUST_BLOCK.search(docs) for target in targets for docs in api.docs(target))
            if not own and not any(is_used(module, name, text) for text in texts):
                yield module, name, [page for page, words in prose.items() if name in words and name[0].isupper()]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--examples", action="store_true", help="also list public names without an example")
    arguments.add_argument("--table", action="store_true", help="print the names of each module instead")
    arguments = arguments.parse_args()
    api = Api(build())
    if arguments.table:
        for module, names in api.modules.items():
            print(f"| `{module}` | {', '.join(f'`{name}`' for name in sorted(names))} |")
        return
    differs = compare(api, documented())
    names = sum(map(len, api.modules.values()))
    verdict = "differ from" if differs else "are those of"
    print(f"{names} public names in {len(api.modules)} modules {verdict} ARCHITECTURE.md")
    if arguments.examples:
        missing = list(without_example(api))
        print(f"{len(missing)} of them have no example and no use:")
        for module, name, prose in missing:
            path = name if module == ROOT_MODULE else f"{module}::{name}"
            print(f"  {path}" + (f" (only named in {', '.join(prose)})" if prose else ""))
    sys.exit(differs)


main()
