#!/usr/bin/env python3
"""Holds every #include line against the floor table of docs/ARCHITECTURE.md.

usage: check_floors.py [TOP] | --self-test

The table is the source of truth and is read from the markdown. Besides it: engine/linux, engine/native
and engine/lvm never include each other's headers, except that lvm and both engines share what lies
directly in engine/. One allowlist, below: tests may reach across where a promise can only be shown with
both sides at hand. An #include "..." that names no file of the tree is reported too, and so is one that
is relative to its own folder.
"""
import os
import re
import sys

import self_test
from source_files import read, source_files

# (what a test file's path starts with, what it may include besides): a mapped device is only worth
# testing over simulated disks.
TEST_ALLOWLIST = [
    ("engine/", "models"),
    ("scenarios/", "crash-replay"),
]
# Folders of one room that must not know each other.
APART = [("engine/linux/", "engine/native/"), ("engine/linux/", "engine/lvm/"),
         ("engine/native/", "engine/lvm/")]
NOT_ROOMS = {"tools"}  # may include base only: the main() of test binaries


def parse_table(markdown):
    rows = re.findall(r"^\| `([\w-]+)/` \| ([^|]*) \|", markdown, re.M)
    table, order = {}, []
    for room, allowed in rows:
        words = allowed.replace(",", " ").split()
        may = {w.strip("`/") for w in words if w not in ("-", "and")}
        if "all" in may:
            may = {r for r, _ in rows}
        elif "below" in may:
            may.discard("below")
            # "X and below": X and whatever X may include.
            for named in list(may):
                may |= table.get(named, set())
        table[room] = may | {room}
        order.append(room)
    unknown = {m for may in table.values() for m in may} - set(order)
    if len(order) < 5 or unknown:
        sys.exit(f"docs/ARCHITECTURE.md: cannot read the floor table (rooms {order}, unknown {unknown})")
    return table


def check_file(path, text, table, exists):
    problems = []
    room = path.split("/")[0]
    if "/" not in path or (room not in table and room not in NOT_ROOMS):
        return [f"{path}:1: lies in no room of docs/ARCHITECTURE.md"]
    may = set(table.get(room, {"base"}))
    if path.endswith("_test.cc"):
        may |= {extra for start, extra in TEST_ALLOWLIST if path.startswith(start)}
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not match:
            continue
        target = match.group(1)
        goal = target.split("/")[0]
        if not exists(target):
            if path.startswith("engine/linux/"):
                continue  # the kernel's own sources find their headers by the shim's include path
            problems.append(f'{path}:{number}: "{target}" is no path from the top of the tree')
        elif goal not in may:
            problems.append(f"{path}:{number}: {room}/ may not include {goal}/ ({target})")
        for one, other in APART:
            for a, b in ((one, other), (other, one)):
                if path.startswith(a) and target.startswith(b):
                    problems.append(f"{path}:{number}: {a} and {b} never include each other ({target})")
    return problems


def check(top):
    table = parse_table(read(top, "docs/ARCHITECTURE.md"))
    problems = []
    for path in source_files(top, (".cc", ".h", ".c")):
        problems += check_file(path, read(top, path), table,
                               lambda target: os.path.isfile(os.path.join(top, target)))
    return problems


TABLE = ("| `base/` | - | x |\n| `sim/` | base | x |\n| `block/` | base | x |\n"
         "| `models/` | block sim base | x |\n| `engine/` | block sim base | x |\n"
         "| `harness/` | models engine block sim base | x |\n"
         "| `scenarios/` | harness and below | x |\n| `cli/` | all | x |\n")
OTHERS = [("docs/ARCHITECTURE.md", TABLE)] + [
    (path, "#pragma once\n")
    for path in ("base/b.h", "block/b.h", "engine/e.h", "models/m.h", "cli/c.h")]
CASES = [
    ("sim/a.cc", '#include "block/b.h"', "sim/ may not include block/"),
    ("block/a.cc", '#include "base/b.h"', None),
    ("models/a.cc", '#include "engine/e.h"', "models/ may not include engine/"),
    ("models/a_test.cc", '#include "engine/e.h"', "models/ may not include engine/"),
    ("engine/native/a.cc", '#include "models/m.h"', "engine/ may not include models/"),
    ("engine/native/a_test.cc", '#include "models/m.h"', None),
    ("engine/linux/a.cc", '#include "engine/native/n.h"', "never include each other"),
    ("engine/native/n.h", '#include "engine/linux/a.cc"', "never include each other"),
    ("scenarios/a.cc", '#include "sim/a.cc"', None),
    ("harness/a.cc", '#include "cli/c.h"', "harness/ may not include cli/"),
    ("cli/a.cc", '#include "scenarios/a.cc"', None),
    ("base/a.cc", '#include "b.h"', "is no path from the top"),
    ("attic/a.cc", "", "lies in no room"),
]

if __name__ == "__main__":
    self_test.main(check, CASES, "every include stays within its floor", OTHERS)
