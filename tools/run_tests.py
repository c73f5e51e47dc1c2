#!/usr/bin/env python3
"""Runs every *_test binary of a build folder, in parallel, and counts test cases.

usage: run_tests.py BUILD_DIR [--jobs N] [--timeout SECONDS] [--reached PREFIX] [--filter PATTERN]

Big binaries are cut into shards. Prints the output of what failed, then the line
`N passed, N failed`; exit code 1 when a case failed, a binary crashed, or there was nothing to run.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

CASES_PER_SHARD = 40


def test_binaries(build_dir):
    found = []
    for folder, folders, files in os.walk(build_dir):
        folders[:] = [f for f in folders if f not in ("CMakeFiles", "_deps")]
        for name in files:
            path = os.path.join(folder, name)
            if name.endswith("_test") and os.access(path, os.X_OK):
                found.append(path)
    # The upper rooms' binaries are the biggest and take longest: they begin.
    return sorted(found, key=lambda path: (-os.path.getsize(path), path))


def count_cases(binary, pattern):
    listing = subprocess.run([binary, "--gtest_list_tests", "--gtest_filter=" + pattern],
                             capture_output=True, text=True, timeout=60)
    return sum(1 for line in listing.stdout.splitlines() if line.startswith("  "))


def run_shard(job):
    binary, shard, shards, options = job
    handle, report = tempfile.mkstemp(suffix=".json")
    os.close(handle)
    env = dict(os.environ, GTEST_TOTAL_SHARDS=str(shards), GTEST_SHARD_INDEX=str(shard))
    # A check says the same twice: properties hunt with a seed of their own only when asked to.
    env.setdefault("RC_PARAMS", "seed=20261121")
    if options.reached:
        env["DMSIM_REACHED"] = options.reached
    command = [binary, "--gtest_brief=1", "--gtest_output=json:" + report,
               "--gtest_filter=" + options.filter]
    try:
        run = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             timeout=options.timeout)
        output, code = run.stdout.decode(errors="replace"), run.returncode
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        output += f"\nstopped after {options.timeout} s"
        code = -1
    try:
        with open(report) as file:
            result = json.load(file)
        passed = result["tests"] - result["failures"] - result.get("disabled", 0)
        failed = result["failures"]
    except (ValueError, KeyError, OSError):
        passed, failed = 0, 0
    os.unlink(report)
    if code != 0 and failed == 0:
        failed = 1  # it crashed, or a sanitizer spoke after the last case
    if failed:
        name = os.path.basename(binary)
        output = f"--- {name}, shard {shard} of {shards}, exit code {code}\n{output}"
    return passed, failed, output


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build_dir")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--timeout", type=int, default=900)
    parser.add_argument("--reached", default="")
    parser.add_argument("--filter", default="*")
    options = parser.parse_args()
    jobs = []
    for binary in test_binaries(options.build_dir):
        cases = count_cases(binary, options.filter)
        shards = max(1, -(-cases // CASES_PER_SHARD))
        jobs += [(binary, shard, shards, options) for shard in range(shards)]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for shard_passed, shard_failed, output in pool.map(run_shard, jobs):
            passed += shard_passed
            failed += shard_failed
            if shard_failed:
                print(output, flush=True)
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
