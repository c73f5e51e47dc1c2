#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Builds a kernel image: device-mapper's own sources, unmodified, and the shim, as one shared object.

usage: build.py (--series 6.1|6.12 | --tree DIR) --out DIR [--mutant FILE.cocci]...
                [--flavour release|asan|coverage] [--compiler gcc|clang] [--jobs N]

Prints the path of the object on stdout and what it does on stderr. Exit codes: 0 built (or nothing had
changed), 1 it does not compile, 2 something is missing (no package, no such tree, no spatch).

Where the sources come from: the tarball of Debian's linux-source-SERIES, of which the few folders that are
needed are extracted once into DIR/tree-SERIES; or a tree of the user's own, which is only ever read.
What is compiled: the files that kernel/sources.txt lists. What of the kernel's own headers they see:
those that kernel/borrowed.txt lists, through a folder of links; everything else is kernel/include, or
one of the names of kernel/covered.txt, which the shim's own headers already cover.

A translation unit is compiled again when its command line, its text or the text of a header that it
read has changed (by content). Builders that run at the same time wait for each other on a lock.
"""
import argparse
import concurrent.futures
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
KERNEL = os.path.join(HERE, "kernel")
SERIES = ("6.1", "6.12")
FOLDERS = ("Makefile", "drivers/md", "include", "lib", "block")  # of the tarball

COMMON_FLAGS = """
    -std=gnu11 -nostdinc -ffreestanding -fPIC -fvisibility=hidden -fno-common -fno-strict-aliasing -fwrapv
    -fno-delete-null-pointer-checks -fasynchronous-unwind-tables -fno-exceptions -fno-stack-protector
    -g1 -D__KERNEL__ -DKBUILD_MODNAME="dmsim"
    -Wall -Wno-unused -Wno-format -Wno-address-of-packed-member -Wno-pointer-sign
    -Werror=implicit-function-declaration -Werror=incompatible-pointer-types -Werror=int-conversion
    -Werror=return-type
""".split()
FLAVOURS = {
    "release": ["-O2"],
    "asan": ["-O1", "-fno-omit-frame-pointer", "-fsanitize=address", "-DSHIM_ASAN=1"],
    "coverage": ["-O1", "-DSHIM_COVERAGE=1"],
}
KERNEL_ONLY_FLAGS = {"coverage": ["-fsanitize-coverage=trace-pc"]}
GCC_FLAGS = ["-fno-allow-store-data-races", "-fconserve-stack", "-Wno-maybe-uninitialized"]
CLANG_FLAGS = ["-Wno-gnu", "-Wno-unknown-warning-option", "-Wno-initializer-overrides"]


class Missing(Exception):
    """Something that is not ours to make: the message says what, and how to get it."""


class Broken(Exception):
    """A compiler or linker said no."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def lines_of(path):
    with open(path) as file:
        for line in file:
            line = line.split("#", 1)[0].strip()
            if line:
                yield line


def for_series(path, series):
    """Lines of a list; "6.12: name" holds for that series only."""
    for line in lines_of(path):
        match = re.match(r"([\d.]+):\s*(.*)", line)
        if match is None:
            yield line
        elif match.group(1) == series:
            yield match.group(2)


# --- the tree -----------------------------------------------------------------------------------------

def version_of(tree):
    """("6.1", "6.1.164") of a kernel tree, by its Makefile."""
    try:
        with open(os.path.join(tree, "Makefile")) as file:
            head = file.read(4096)
    except OSError:
        raise Missing(f"{tree}: no Makefile there: not the top of a kernel tree")
    value = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*=[ \t]*(\S*)", head, re.M))
    if "VERSION" not in value or "PATCHLEVEL" not in value:
        raise Missing(f"{tree}/Makefile does not say which version this is")
    series = f"{value['VERSION']}.{value['PATCHLEVEL']}"
    return series, f"{series}.{value.get('SUBLEVEL') or 0}{value.get('EXTRAVERSION', '')}"


def package_tree(series, out):
    """The needed folders of Debian's source package, extracted once."""
    tree = os.path.join(out, f"tree-{series}")
    tarball = f"/usr/src/linux-source-{series}.tar.xz"
    stamp = os.path.join(tree, ".from")
    if not os.path.exists(tarball):
        if os.path.exists(stamp):
            return tree
        raise Missing(f"there is no {tarball}: `apt-get install linux-source-{series}` brings it")
    status = os.stat(tarball)
    identity = f"{tarball} {status.st_size} {int(status.st_mtime)}"
    if os.path.exists(stamp) and open(stamp).read() == identity:
        return tree
    say(f"extracting {tarball}")
    fresh = tempfile.mkdtemp(prefix=f"tree-{series}.", dir=out)
    top = f"linux-source-{series}"
    subprocess.run(["tar", "-xf", tarball, "-C", fresh, "--strip-components=1"]
                   + [f"{top}/{name}" for name in FOLDERS], check=True)
    with open(os.path.join(fresh, ".from"), "w") as file:
        file.write(identity)
    shutil.rmtree(tree, ignore_errors=True)
    os.rename(fresh, tree)
    return tree


# --- mutants ------------------------------------------------------------------------------------------

def apply_mutants(tree, mutants, variant_dir):
    """A folder like tree/drivers/md in which the mutants' files are changed and all others are links, and the names of
    the changed ones in the tree."""
    source = os.path.join(tree, "drivers/md")
    if shutil.which("spatch") is None:
        raise Missing("there is no spatch: `apt-get install coccinelle` brings it")
    top = os.path.join(variant_dir, "mutated")
    overlay = os.path.join(top, "drivers/md")
    shutil.rmtree(top, ignore_errors=True)
    for folder, _, files in os.walk(source):
        into = os.path.join(overlay, os.path.relpath(folder, source))
        os.makedirs(into, exist_ok=True)
        for name in files:
            if name.endswith((".c", ".h")):
                os.symlink(os.path.join(folder, name), os.path.join(into, name))
    changed = set()
    for mutant in mutants:
        with open(mutant) as file:
            match = re.search(r"^// file: (\S+)$", file.read(), re.M)
        if match is None:
            raise Missing(f"{mutant} does not say which file it changes: a line `// file: drivers/md/X.c`")
        path = os.path.join(top, match.group(1))
        with open(path) as file:
            before = file.read()
        result = subprocess.run(["spatch", "--very-quiet", "--sp-file", mutant, path, "-o", path + ".new"],
                                capture_output=True, text=True)
        after = None
        if os.path.exists(path + ".new"):
            with open(path + ".new") as file:
                after = file.read()
        if result.returncode != 0 or after in (None, before):
            raise Broken(f"{mutant} changes nothing in {match.group(1)}\n{result.stderr}")
        os.unlink(path)
        os.rename(path + ".new", path)
        changed.add(os.path.join(tree, match.group(1)))
    return overlay, changed


# --- headers ------------------------------------------------------------------------------------------

def make_headers(tree, series, variant_dir):
    """Links to the borrowed headers, and empty ones for the names that the shim covers."""
    wanted = {}
    for name in for_series(os.path.join(KERNEL, "borrowed.txt"), series):
        target = os.path.join(tree, "include", name)
        if not os.path.exists(target):  # as the kernel's own include path does
            target = os.path.join(tree, "include/uapi", name)
        if not os.path.exists(target):
            raise Broken(f"{target} is to be borrowed and does not exist")
        wanted[name] = target
    covered = [name for name in for_series(os.path.join(KERNEL, "covered.txt"), series) if name not in wanted]
    top = os.path.join(variant_dir, "include")
    for name, target in wanted.items():
        link = os.path.join(top, name)
        if not os.path.islink(link) or os.readlink(link) != target:
            os.makedirs(os.path.dirname(link), exist_ok=True)
            if os.path.lexists(link):
                os.unlink(link)
            os.symlink(target, link)
    for name in covered:
        path = os.path.join(top, name)
        if os.path.islink(path) or not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if os.path.lexists(path):
                os.unlink(path)
            open(path, "w").close()
    keep = set(wanted) | set(covered)
    for folder, _, files in os.walk(top):
        for name in files:
            if os.path.relpath(os.path.join(folder, name), top) not in keep:
                os.unlink(os.path.join(folder, name))
    return top


# --- compiling ----------------------------------------------------------------------------------------

class Unit:
    """One translation unit: what to compile, and whether it is kernel text (and so instrumented)."""

    def __init__(self, name, path, kernel):
        self.name, self.path, self.kernel = name, path, kernel


def units_of(md, tree, series):
    peeked = {}
    for line in for_series(os.path.join(KERNEL, "sources.txt"), series):
        words = line.split()
        path = os.path.join(md, words[0][len("drivers/md/"):]) if words[0].startswith("drivers/md/") \
            else os.path.join(tree, words[0])
        if len(words) == 3 and words[1] == "through":  # a shim file that includes it
            path = os.path.join(KERNEL, words[2])
        peeked[words[0]] = path
        yield Unit(words[0], path, True)
    for kind in ("control", "stubs", "duplicates", "custom", os.path.join("series", series)):
        folder = os.path.join(KERNEL, kind)
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if name.endswith(".c") and not name.startswith("smoke"):
                yield Unit(os.path.join("shim", kind, name), os.path.join(folder, name), False)


class Hashes:
    """Content hashes of files, each file read once."""

    def __init__(self):
        self.known = {}

    def of(self, path):
        if path not in self.known:
            try:
                with open(path, "rb") as file:
                    self.known[path] = hashlib.sha1(file.read()).hexdigest()
            except OSError:
                self.known[path] = "absent"
        return self.known[path]


def fresh(stamp, command, hashes):
    try:
        with open(stamp) as file:
            known = json.load(file)
    except (OSError, ValueError):
        return False
    return known["command"] == command and all(hashes.of(path) == value for path, value in known["inputs"])


def inputs_of(unit, objects):
    """What a unit that has been compiled there was made from."""
    with open(os.path.join(objects, unit.name.replace("/", "__") + ".stamp")) as file:
        return {os.path.realpath(path) for path, _ in json.load(file)["inputs"]}


def compile_unit(unit, command, objects, hashes):
    """Path of the object, and whether it was compiled now."""
    base = os.path.join(objects, unit.name.replace("/", "__"))
    target, stamp, deps = base + ".o", base + ".stamp", base + ".d"
    command = command + ["-MD", "-MF", deps, "-c", unit.path, "-o", target]
    if os.path.exists(target) and fresh(stamp, command, hashes):
        return target, False
    if os.path.exists(stamp):
        os.unlink(stamp)
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise Broken(f"{unit.name}:\n{result.stderr}")
    if result.stderr.strip():
        say(result.stderr.rstrip())
    with open(deps) as file:
        inputs = file.read().replace("\\\n", " ").split(":", 1)[1].split()
    with open(stamp, "w") as file:
        json.dump({"command": command, "inputs": [[path, hashes.of(path)] for path in inputs]}, file)
    return target, True


def compiler_include(compiler):
    """Where the compiler keeps its own freestanding headers (stddef.h, stdarg.h)."""
    flag = {"gcc": "-print-file-name=include", "clang": "-print-resource-dir"}[compiler]
    try:
        path = subprocess.run([compiler, flag], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        raise Missing(f"there is no working {compiler}")
    return path if compiler == "gcc" else os.path.join(path, "include")


def flags_for(unit, options, series, release, tree, md, include):
    flags = list(COMMON_FLAGS) + FLAVOURS[options.flavour]
    flags += GCC_FLAGS if options.compiler == "gcc" else CLANG_FLAGS
    major, minor = series.split(".")
    flags += [f"-DSHIM_SERIES={int(major) * 100 + int(minor)}", f'-DSHIM_SERIES_NAME="{series}"',
              f'-DSHIM_RELEASE="{release}"']
    if unit.kernel:
        flags += KERNEL_ONLY_FLAGS.get(options.flavour, [])
    if options.flavour == "coverage" and options.compiler == "clang" and unit.kernel:
        flags += ["-fsanitize-coverage=trace-pc,edge"]
    flags += ["-I" + os.path.join(KERNEL, "series", series, "include"), "-I" + os.path.join(KERNEL, "include"),
              "-I" + include, "-I" + HERE, "-iquote", md, "-isystem", compiler_include(options.compiler),
              "-include", "shim/kernel.h"]
    # What __FILE__ says inside WARN and BUG must not name a folder of this machine.
    flags += [f"-fmacro-prefix-map={os.path.dirname(os.path.dirname(md))}/=", f"-fmacro-prefix-map={tree}/=",
              f"-fmacro-prefix-map={include}/=include/", f"-fmacro-prefix-map={HERE}/=engine/linux/"]
    return flags


def link(objects, target, options, relink):
    if not relink and os.path.exists(target):
        return
    command = [options.compiler, "-shared", "-nostdlib", "-Wl,-Bsymbolic", "-Wl,-z,relro", "-Wl,-z,now",
               "-Wl,--hash-style=gnu", "-Wl,--build-id=none", "-Wl,-z,noexecstack", "-o", target + ".new"]
    # The sanitizer's runtime belongs to the process that opens the image.
    command += ["-Wl,-z,defs"] if options.flavour != "asan" else []
    result = subprocess.run(command + objects + ["-lgcc"], capture_output=True, text=True)
    if result.returncode != 0:
        raise Broken(result.stderr)
    os.rename(target + ".new", target)


def undefined_symbols(target):
    """What an object built for the sanitizer misses, besides the sanitizer."""
    listed = subprocess.run(["nm", "-D", "--undefined-only", target], capture_output=True, text=True).stdout
    return [name for name in re.findall(r"\bU (\S+)", listed) if not name.startswith("__asan_")]


def write_places(target, path, tree):
    """Where a coverage image tells of itself: a line "OFFSET FILE LINE" for each place in the kernel's own C files."""
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", target], capture_output=True, text=True, check=True)
    offsets, after_call = [], False
    for line in code.stdout.splitlines():
        match = re.match(r"\s*([0-9a-f]+):\t(.*)", line)
        if match and after_call:
            offsets.append(match.group(1))
        after_call = match is not None and "__sanitizer_cov_trace_pc" in match.group(2)
    # A call's own line: its return address may belong to the next one.
    asked = "\n".join(f"{int(offset, 16) - 1:x}" for offset in offsets)
    lines = subprocess.run(["addr2line", "-e", target], input=asked, capture_output=True, text=True, check=True)
    with open(path + ".new", "w") as file:
        for offset, where in zip(offsets, lines.stdout.splitlines()):
            name, _, number = where.split(" ")[0].rpartition(":")
            place = name[len(tree) + 1:] if name.startswith(tree + "/") else ""
            if place.startswith("drivers/md/") and place.endswith(".c") and number.isdigit():
                file.write(f"{int(offset, 16)} {place} {number}\n")
    os.rename(path + ".new", path)


def compile_units(units, flags, objects, hashes, jobs):
    """Objects by the units' names, and how many were compiled now."""
    os.makedirs(objects, exist_ok=True)
    broken, made, compiled = [], {}, 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [(unit, pool.submit(compile_unit, unit, flags(unit), objects, hashes)) for unit in units]
        for unit, future in futures:
            try:
                made[unit.name], now = future.result()
                compiled += now
            except Broken as error:
                broken.append(str(error))
    if broken:
        raise Broken("\n".join(broken))
    return made, compiled


def compile_all(options, series, release, tree, variant_dir, mutant_dir):
    """Objects in the order of linking, and how many were compiled now. Of a mutant, only what the change touches
    is compiled again; everything else is shared with the variant without it."""
    md = os.path.join(tree, "drivers/md")
    include = make_headers(tree, series, variant_dir)
    hashes = Hashes()
    units = list(units_of(md, tree, series))

    def flags(md):
        return lambda unit: [options.compiler] + flags_for(unit, options, series, release, tree, md, include)

    objects = os.path.join(variant_dir, "objects")
    made, compiled = compile_units(units, flags(md), objects, hashes, options.jobs)
    if options.mutant:
        overlay, changed = apply_mutants(tree, options.mutant, mutant_dir)
        changed = {os.path.realpath(path) for path in changed}
        touched = {unit.name for unit in units if inputs_of(unit, objects) & changed}
        again = [unit for unit in units_of(overlay, tree, series) if unit.name in touched]
        mutated, now = compile_units(again, flags(overlay), os.path.join(mutant_dir, "objects"), hashes, options.jobs)
        made.update(mutated)
        compiled += now
    return [made[unit.name] for unit in units], compiled


def build(options):
    started = time.monotonic()
    os.makedirs(options.out, exist_ok=True)
    out = os.path.abspath(options.out)
    with open(os.path.join(out, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tree = os.path.abspath(options.tree) if options.tree else package_tree(options.series, out)
        series, release = version_of(tree)
        if series not in SERIES or (options.series and options.series != series):
            raise Missing(f"{tree} is Linux {release}; this engine knows {' and '.join(SERIES)}")
        variant = f"{series}-{options.flavour}-{options.compiler}"
        if options.tree:
            variant += "-" + hashlib.sha1(tree.encode()).hexdigest()[:8]
        mutant = "".join("-" + os.path.splitext(os.path.basename(name))[0] for name in options.mutant)
        variant_dir, mutant_dir = os.path.join(out, variant), os.path.join(out, variant + mutant)
        os.makedirs(mutant_dir, exist_ok=True)
        objects, compiled = compile_all(options, series, release, tree, variant_dir, mutant_dir)
        target = os.path.join(mutant_dir, f"dmsim-linux-{series}.so")
        linked = os.path.join(mutant_dir, "linked")
        identity = Hashes()
        want = "\n".join(f"{identity.of(path)} {path}" for path in objects)
        have = open(linked).read() if os.path.exists(linked) else ""
        link(objects, target, options, want != have)
        missing = undefined_symbols(target) if options.flavour == "asan" else []
        if missing:
            os.unlink(target)
            raise Broken("undefined: " + " ".join(missing))
        places = os.path.join(mutant_dir, "places.txt")
        if options.flavour == "coverage" and (want != have or not os.path.exists(places)):
            write_places(target, places, tree)
        with open(linked, "w") as file:
            file.write(want)
        say(f"linux-{series} ({release}, {options.flavour}, {options.compiler}{mutant.replace('-', ', ', 1)}): "
            f"{compiled} of {len(objects)} files compiled, {time.monotonic() - started:.1f} s")
        return target


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", choices=SERIES)
    parser.add_argument("--tree", help="a kernel tree of your own")
    parser.add_argument("--out", required=True)
    parser.add_argument("--mutant", action="append", default=[], help="a semantic patch to apply")
    parser.add_argument("--flavour", choices=sorted(FLAVOURS), default="release")
    parser.add_argument("--compiler", choices=("gcc", "clang"), default="gcc")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if not options.series and not options.tree:
        parser.error("--series or --tree, please")
    try:
        print(build(options))
    except Missing as problem:
        say(f"build.py: {problem}")
        return 2
    except Broken as problem:
        say(f"build.py: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
