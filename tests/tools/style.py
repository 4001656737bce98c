#!/usr/bin/env python3
"""Measures how the code speaks, as docs/style.md says, and prints it; fails where a word of the rules is not in its file.

    style.py [FOLDER]            default: gateway-runtime/src
    style.py --list [FOLDER]     the places of weak openers, wide lines, long functions and shared type names
"""

import re
import statistics
import sys
from collections import defaultdict
from pathlib import Path

ARGUMENTS = [argument for argument in sys.argv[1:] if argument != "--list"]
LIST = "--list" in sys.argv
SOURCE = Path(ARGUMENTS[0] if ARGUMENTS else "gateway-runtime/src")

# Words with which a doc comment should not open: relatives, pronouns, prepositions.
WEAK = set(
    """what who whom whose which when where why how whoever whatever whichever whether it its they their them he she this
    that these those there such so nobody somebody everybody one some any all each other others from of to by for in on
    at with without within under over after before between until as if also not no none""".split()
)
# A third-person verb at the opening: `Returns`, `Applies`. Nouns in the plural that open comments are no verbs.
NOUNS = set(
    """requests responses headers fields methods services providers calls keys names values settings limits counters
    rules schemas types errors tests bytes connections messages answers routes prices changes entries accounts tokens
    holds items events jobs problems digits words texts units seconds milliseconds microseconds numbers lists
    credentials migrations statements tables rows columns""".split()
)
# A word of SEMANTICS.md, and the file that holds its rule.
WORDS = [
    ("ambiguous", "base/attempt.rs"),
    ("not executed", "provider/error.rs"),
    ("retry budget", "provider/retry_budget.rs"),
    ("half-open", "provider/breaker/mod.rs"),
    ("EWMA", "provider/strategy/latency.rs"),
    ("fingerprint", "pipeline/idempotency/mod.rs"),
    ("stored answer", "pipeline/idempotency/stored_reply.rs"),
    ("GCRA", "quota/gcra.rs"),
    ("local share", "quota/fallback_buckets.rs"),
    ("definite failure", "pipeline/request_log/execution.rs"),
    ("captured", "store/commit/ledger.rs"),
    ("reconciliation", "store/sweeper.rs"),
    ("price list", "control/price_list.rs"),
    ("request log", "pipeline/request_log/mod.rs"),
    ("one flight", "cache/single_flight.rs"),
    ("stale while revalidating", "pipeline/cache/policy.rs"),
    ("hop-by-hop", "edge/dispatch/hop_by_hop.rs"),
    ("dot segments", "edge/dispatch/path_rule.rs"),
    ("late replies", "bus/pending_calls/mod.rs"),
    ("dead-letter queue", "edge/bus_consumer/retry.rs"),
]


def files():
    paths = [path for path in SOURCE.rglob("*.rs") if "tests" not in path.stem and "tests" not in path.parts]
    return {path.relative_to(SOURCE).as_posix(): path.read_text() for path in sorted(paths)}


def openers(text):
    """The line and the first word of each doc comment."""
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        comment = re.match(r"\s*//[/!] ?(.*)", line)
        if comment and not re.match(r"\s*//[/!]", before):
            word = re.match(r"[A-Za-z][\w'-]*", comment[1])
            if word:
                yield number, word[0]
        before = line


def functions(text):
    """The line and the length of each function, in lines; the code is formatted, so it ends where its indentation does."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        head = re.match(r"( *)(?:pub(?:\([^)]*\))? )?(?:const )?(?:async )?(?:unsafe )?fn \w+", line)
        if head and not line.rstrip().endswith(";"):
            end = next((end for end in range(at + 1, len(lines)) if lines[end].startswith((head[1] + "}", head[1] + ")"))), at)
            if lines[end].startswith(head[1] + ")") and not lines[end].endswith(";"):
                # The end of a wrapped signature, with a body after it.
                end = next((end for end in range(end + 1, len(lines)) if lines[end] == head[1] + "}"), at)
            yield at + 1, end - at + 1


def show_places(texts, shared):
    for name, text in texts.items():
        places = [(number, f"opens with `{word}`") for number, word in openers(text) if word.lower() in WEAK]
        places += [(number, f"{len(line)} columns") for number, line in enumerate(text.splitlines(), 1) if len(line) > 100]
        places += [(number, f"a function of {length} lines") for number, length in functions(text) if length > 60]
        for number, what in sorted(places):
            print(f"{SOURCE / name}:{number}: {what}")
    for kind, names in sorted(shared.items()):
        print(f"{kind}: {', '.join(sorted(names))}")


def main():
    texts = files()
    words = [word for text in texts.values() for _, word in openers(text)]
    weak = sum(word.lower() in WEAK for word in words)
    verbs = sum(bool(re.fullmatch(r"[A-Z][a-z]+s", word)) and word.lower() not in NOUNS | WEAK for word in words)
    places = defaultdict(set)
    for name, text in texts.items():
        for kind in re.findall(r"(?m)^(?:\s*(?:pub(?:\([^)]*\))? )?(?:struct|enum|trait)|(?:pub(?:\([^)]*\))? )?type) ([A-Z]\w*)", text):
            places[kind].add(name)
    private = ("Inner", "State", "Error")
    shared = {kind: names for kind, names in places.items() if len(names) > 1 and kind not in private}
    if LIST:
        return show_places(texts, shared)
    lengths = [text.count("\n") for text in texts.values()]
    wide = sum(len(line) > 100 for text in texts.values() for line in text.splitlines())
    long_functions = sum(length > 60 for text in texts.values() for _, length in functions(text))

    def show(what, figure, goal):
        print(f"{what:<64} {figure:>8}   goal {goal}")

    show("doc comments that open with a relative, pronoun or preposition", f"{weak / len(words):.0%}", "5 %")
    show("doc comments that open with a verb in the third person", f"{verbs / len(words):.0%}", "30 %")
    show("type names in more than one file", len(shared), "25")
    show("lines over 100 columns", wide, "0")
    show("functions over 60 lines", long_functions, "0")
    show("files over 300 lines", sum(length > 300 for length in lengths), "0")
    show("median length of a file, in lines", round(statistics.median(lengths)), "120")

    missing = [(word, name) for word, name in WORDS if word.lower() not in re.sub(r"\s*\n\s*//[/!]?\s*", " ", texts.get(name, "")).lower()]
    for word, name in missing:
        print(f"`{word}` is not in {name}, which holds its rule", file=sys.stderr)
    print(f"{len(WORDS) - len(missing)} of {len(WORDS)} words of the rules stand in their files")
    sys.exit(bool(missing))


main()
