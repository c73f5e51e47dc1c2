#!/usr/bin/env python3
"""Holds the table of trace kinds in docs/TRACE_FORMAT.md to the code that declares them.

usage: check_trace_kinds.py [TOP] | --self-test | --write

Every `constexpr TraceKind` outside tests has a row: its name, its arguments in order, and the comment above its
declaration, which it must have. --write makes the table anew.
"""
import re
import sys

import self_test
from source_files import read, source_files

DOC = "docs/TRACE_FORMAT.md"
HEAD = "| kind | arguments | what it says |\n|---|---|---|\n"
BEGIN, END = "<!-- kinds: made by tools/check_trace_kinds.py --write -->\n", "<!-- end of kinds -->\n"

DECLARED = re.compile(r"^(?P<above>(?:[ \t]*//[^\n]*\n)*)[ \t]*(?:inline |static )?constexpr TraceKind \w+\{"
                      r"\s*\"(?P<name>[a-z0-9_]+\.[a-z0-9_]+)\",(?P<arguments>.*?)\};\n", re.S | re.M)
SHARED = re.compile(r"constexpr TraceArg (\w+)\{\"(\w+)\"")
# From engine/dm_trace.h, which other headers use.
KNOWN = {"kOpArg": "op"}
ARGUMENT = re.compile(r"\"(\w+)\"|\b(k\w+Arg)\b")


def rows_of(text):
    shared = {**KNOWN, **dict(SHARED.findall(text))}
    for found in DECLARED.finditer(text):
        comment = " ".join(line.strip(" \t/") for line in found["above"].splitlines())
        arguments = [name or shared.get(constant, constant) for name, constant in ARGUMENT.findall(found["arguments"])]
        yield found["name"], f"| `{found['name']}` | {', '.join(arguments)} | {comment.replace('|', '/')} |\n"


def table(top):
    rows = {}
    for path in source_files(top):
        if not path.endswith("_test.cc") and not path.startswith("bench/"):
            rows.update(rows_of(read(top, path)))
    return HEAD + "".join(rows[name] for name in sorted(rows))


def parts(text):
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return (before + begin, end + after) if begin and end else None


def check(top):
    text = read(top, DOC)
    around = parts(text)
    if around is None:
        return [f"{DOC}:1: has no place for the table of kinds"]
    wanted = set(table(top).splitlines())
    has = set(text[len(around[0]):len(text) - len(around[1])].splitlines())
    return ([f"{DOC}: nothing is said of {row}" for row in sorted(wanted) if row.endswith("|  |")] +
            [f"{DOC}: lacks {row}" for row in sorted(wanted - has)] +
            [f"{DOC}: no code has {row}" for row in sorted(has - wanted)])


# One document, three things wrong with it, and a row that is right.
TEXT = BEGIN + HEAD + "| `sim.gone` | sector | It went. |\n| `sim.kept` |  | It stays. |\n" + END
CASES = [
    (DOC, TEXT, "no code has | `sim.gone`"),
    (DOC, TEXT, "nothing is said of | `sim.mute`"),
    (DOC, TEXT, "lacks | `sim.came` | sector, what | It came. |"),
]
OTHERS = [("sim/a.h", '// It came.\ninline constexpr TraceKind kCame{\n    "sim.came", {{{"sector"}, kWhatArg}}};\n'
                      'inline constexpr TraceArg kWhatArg{"what", ArgForm::kText};\n\n// It stays.\n'
                      'inline constexpr TraceKind kKept{"sim.kept", {}};\n\ninline constexpr TraceKind kMute{"sim.mute", {}};\n')]

if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        before, after = parts(read(".", DOC))
        with open(DOC, "w", encoding="utf-8") as file:
            file.write(before + table(".") + after)
    else:
        self_test.main(check, CASES, "every kind of trace event is documented", OTHERS)
