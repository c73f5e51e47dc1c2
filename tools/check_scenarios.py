#!/usr/bin/env python3
"""Runs all scenarios with one or two builds of dmsim, and compares what came out.

usage: check_scenarios.py expected BINARY OUT_DIR [--runs N]
       check_scenarios.py replay   BINARY OUT_DIR
       check_scenarios.py same     BINARY OUT_DIR OTHER_BINARY LABEL [--runs N] [--scramble]
       check_scenarios.py reached  PREFIX
       check_scenarios.py --self-test

expected  every variant ends as its file says; leaves result.json and the crash files in OUT_DIR.
replay    each crash file that `expected` has left shows its violation again, with the same fingerprint.
same      fingerprints of every scenario and variant are equal between BINARY and OTHER_BINARY; with
          --scramble the other process also gets another environment, folder and address layout.
reached   of all the lists PREFIX*, every REACHED mark is reached in at least one.
All end with `N passed, N failed`.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# How `dmsim replay` ends when the violation came again, and what it says of the fingerprint then.
REPLAYED = 1
SAME_FINGERPRINT = ", as recorded"
NAMES = ("file", "scenario", "variant", "engine", "seed")


def find_results(node, out, inherited=()):
    """Every object with a fingerprint, under the names that it and those around it carry."""
    if isinstance(node, dict):
        names = dict(inherited)
        names.update({k: str(v) for k, v in node.items() if k in NAMES and not isinstance(v, (dict, list))})
        if "fingerprint" in node:
            key = " / ".join(names[n] for n in NAMES if n in names and n != "file")
            while key in out:
                key += "'"
            out[key] = node
        for value in node.values():
            find_results(value, out, tuple(names.items()))
    elif isinstance(node, list):
        for value in node:
            find_results(value, out, inherited)
    return out


def results_of(path):
    with open(path) as file:
        return find_results(json.load(file), {})


def finish(passed, failed):
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0




def run_all(binary, out_dir, name, runs, prefix=(), env=None, cwd=None, extra=()):
    """`dmsim run scenarios`; (exit code, output, path of the results)."""
    report = os.path.join(out_dir, name + ".json")
    if os.path.exists(report):
        os.unlink(report)
    command = [*prefix, binary, "run", os.path.join(TOP, "scenarios"), "--json", report, *extra]
    if runs:
        command += ["--most-runs", str(runs)]
    run = subprocess.run(command, cwd=cwd or out_dir, env=env, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    return run.returncode, run.stdout.decode(errors="replace"), report


def expected(options):
    shutil.rmtree(options.out_dir, ignore_errors=True)
    os.makedirs(options.out_dir)
    code, output, report = run_all(options.binary, options.out_dir, "result", options.runs,
                                   extra=("--reached", os.path.join(options.out_dir, "reached.scenarios")))
    if not os.path.exists(report):
        print(output)
        print(f"dmsim wrote no results (exit code {code})")
        return finish(0, 1)
    results = results_of(report)
    unexpected = [k for k, r in results.items() if r.get("as_expected") is False]
    if code != 0 or unexpected or not results:
        print(output)
        print(f"exit code {code}; not as expected: {', '.join(unexpected) or 'see above'}")
        return finish(len(results) - len(unexpected), max(1, len(unexpected)))
    return finish(len(results), 0)


def crash_files(out_dir):
    found = set(glob.glob(os.path.join(out_dir, "crashes", "**", "*.yaml"), recursive=True))
    found |= set(glob.glob(os.path.join(TOP, "crash-replay", "**", "*.crash.yaml"), recursive=True))

    def walk(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if "crash" in key and "file" in key and isinstance(value, str) and value:
                    found.add(os.path.join(out_dir, value))
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)
    with open(os.path.join(out_dir, "result.json")) as file:
        walk(json.load(file))
    return sorted(found)


def replay(options):
    passed = failed = 0

    def one(path):
        return path, subprocess.run([options.binary, "replay", path], cwd=options.out_dir,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for path, run in pool.map(one, crash_files(options.out_dir)):
            if run.returncode == REPLAYED and SAME_FINGERPRINT in run.stdout.decode(errors="replace"):
                passed += 1
            else:
                failed += 1
                print(f"--- replay {path}: exit code {run.returncode}")
                print(run.stdout.decode(errors="replace"))
    return finish(passed, failed)


def compare(ours, theirs, label):
    """Prints the first difference; (how many are the same, how many are not)."""
    same = different = 0
    for key in sorted(set(ours) | set(theirs)):
        a = ours.get(key, {}).get("fingerprint", "missing")
        b = theirs.get(key, {}).get("fingerprint", "missing")
        if a == b:
            same += 1
            continue
        if different == 0:
            print(f"first difference, {label}: {key}: {a} against {b}")
        different += 1
    return same, different


def same(options):
    out_dir = os.path.join(options.out_dir, options.label)
    shutil.rmtree(out_dir, ignore_errors=True)
    os.makedirs(out_dir)
    prefix, env, cwd = (), None, None
    if options.scramble:
        # Another process in every respect that must not matter.
        if shutil.which("setarch"):
            prefix = ("setarch", "-R")
        env = {"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "Pacific/Chatham", "HOME": "/nonexistent",
               "MALLOC_PERTURB_": "173", "DMSIM_FILLER": "x" * 5000}
        cwd = os.path.join(out_dir, "a folder", "with spaces")
        os.makedirs(cwd)
    # Without a limit the results of `expected` are the other side already.
    ours = os.path.join(options.out_dir, "result.json")
    if options.runs:
        code, output, ours = run_all(options.binary, out_dir, "ours", options.runs)
    _, output, theirs = run_all(options.other, out_dir, "theirs", options.runs, prefix, env, cwd)
    if not os.path.exists(ours) or not os.path.exists(theirs):
        print(output)
        print(f"no results, {options.label}")
        return finish(0, 1)
    good, bad = compare(results_of(ours), results_of(theirs), options.label)
    if bad:
        print("to see where the two part, run that scenario in both with --trace and compare the files")
    return finish(good, bad)


def reached(prefix):
    counts = {}
    for path in glob.glob(glob.escape(prefix) + "*"):
        with open(path) as file:
            for line in file:
                count, place, sentence = line.rstrip("\n").split("\t")
                if place.split(":")[0].endswith("_test.cc"):
                    continue  # a test's own
                counts[(place, sentence)] = counts.get((place, sentence), 0) + int(count)
    never = sorted(key for key, count in counts.items() if count == 0)
    for place, sentence in never:
        print(f"never reached: {place}: {sentence}")
    return finish(len(counts) - len(never), len(never))


def self_test():
    tree = {"results": [{"scenario": "a", "variants": [{"variant": "x", "fingerprint": "1"},
                                                       {"variant": "y", "fingerprint": "2"}]}]}
    other = json.loads(json.dumps(tree).replace('"2"', '"3"'))
    found = find_results(tree, {})
    cases = [
        (sorted(found), ["a / x", "a / y"]),
        (compare(found, find_results(tree, {}), "self"), (2, 0)),
        (compare(found, find_results(other, {}), "planted"), (1, 1)),
        (compare(found, {}, "planted"), (0, 2)),
    ]
    wrong = sum(1 for got, wanted in cases if got != wanted)
    for got, wanted in cases:
        if got != wanted:
            print(f"expected {wanted}, found {got}")
    print(f"{len(cases) - wrong} passed, {wrong} failed")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) == 3 and sys.argv[1] == "reached":
        return reached(sys.argv[2])
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=("expected", "replay", "same"))
    parser.add_argument("binary")
    parser.add_argument("out_dir")
    parser.add_argument("other", nargs="?")
    parser.add_argument("label", nargs="?")
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--scramble", action="store_true")
    options = parser.parse_args()
    options.out_dir = os.path.abspath(options.out_dir)
    options.binary = os.path.abspath(options.binary)
    options.other = options.other and os.path.abspath(options.other)
    return {"expected": expected, "replay": replay, "same": same}[options.mode](options)


if __name__ == "__main__":
    sys.exit(main())
