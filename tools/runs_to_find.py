#!/usr/bin/env python3
"""How many runs `dmsim fuzz` needs, from random starts, to find what is broken on purpose.

    tools/runs_to_find.py BINARY switches [NAME...]      each faulty value of each switch, in generated plans
    tools/runs_to_find.py BINARY scenarios [PATH...]     each faulty variant of the scenarios (default: scenarios)

One line for each, as a row of a Markdown table: the run that found it, for each seed, then the slowest in
seconds. `-`: not within the time. Exit code 1 if anything was not found from any seed.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time


def fuzz(options, seed, arguments, scratch):
    """(run, seconds) of the first finding from this seed; run is None if there is none."""
    database = os.path.join(scratch, "fuzz.sqlite")
    for name in os.listdir(scratch):
        if name.startswith("fuzz.sqlite"):
            os.remove(os.path.join(scratch, name))
    began = time.monotonic()
    done = subprocess.run(
        [options.binary, "fuzz", *arguments, "--until-found", "--minimise", "0", "--seed", str(seed),
         "--seconds", str(options.seconds), "--jobs", str(options.jobs), "--db", database,
         "--crashes", scratch],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    took = time.monotonic() - began
    first = [int(run) for run in re.findall(r"first at run (\d+)", done.stdout)]
    if done.returncode not in (0, 1):
        sys.exit(f"dmsim fuzz {' '.join(arguments)} failed:\n{done.stderr}")
    return (min(first) if first else None), took


def listed(options, *arguments):
    return subprocess.run([options.binary, "list", *arguments], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


def faulty_switches(options):
    """(label, arguments of fuzz) of every value but the first of every switch."""
    for line in listed(options, "switches").splitlines():
        match = re.match(r"(\S+) = (\S+)", line)
        if not match or (options.names and not any(match[1].startswith(name) for name in options.names)):
            continue
        for value in match[2].split("|")[1:]:
            yield f"`{match[1]}={value}`", ["--switch", f"{match[1]}={value}"]


def faulty_variants(options):
    for path in options.names or ["scenarios"]:
        files = [path]
        if os.path.isdir(path):
            files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(path)
                           for name in names if name.endswith(".yaml") and "/bad" not in folder)
        for file in files:
            for line in listed(options, "scenarios", file).splitlines():
                match = re.match(r"(\S+)/(\S+)\s+(\S+)\s+violates (.+)", line)
                if match:
                    yield f"{match[1]} / {match[2]}", [file, "--variant", match[2]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("what", choices=["switches", "scenarios"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=int, default=60, help="for each seed (60)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1000, 2000000, 777777])
    options = parser.parse_args()
    faulty = faulty_switches(options) if options.what == "switches" else faulty_variants(options)
    never = 0
    print("| what | runs to find, by seed | slowest |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for label, arguments in faulty:
            tries = [fuzz(options, seed, arguments, scratch) for seed in options.seeds]
            never += all(run is None for run, _ in tries)
            runs = ", ".join("-" if run is None else f"{run:,}" for run, _ in tries)
            print(f"| {label} | {runs} | {max(took for _, took in tries):.1f} s |", flush=True)
    return 1 if never else 0


if __name__ == "__main__":
    sys.exit(main())
