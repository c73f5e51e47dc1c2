#!/usr/bin/env python3
"""Finds what would make a run differ from itself, and what should not be committed.

usage: check_banned.py [TOP] | --self-test

Rules 7 and 14 of the style: no std distributions, shuffle, rand, wall clocks, threads, catch-all
handlers, iteration over unordered containers, mutable globals or function-local statics; no open ends,
no absolute path of one machine in any committed file. cli/, bench/ and tools/ may read clocks
and start threads. The rules are heuristics over text: EXEMPT lists, with the reason, the places where
one of them is right to be broken.
"""
import re

import self_test
from source_files import blanked, read, source_files

FREE_ROOMS = ("cli/", "bench/", "tools/")

# name, pattern over text without comments and strings, whether it also holds in FREE_ROOMS
PATTERNS = [
    ("std distribution", r"\b\w+_distribution\b", True),
    ("std::shuffle", r"\bstd::(?:shuffle|random_shuffle|sample)\b|\branges::(?:shuffle|sample)\b", True),
    ("random device or libc chance", r"\brandom_device\b|(?<![\w>.] )\b(?:s?rand|random|drand48|arc4random)\s*\(", True),
    ("wall clock", r"\b(?:system_clock|steady_clock|high_resolution_clock|gettimeofday|clock_gettime"
                   r"|localtime|gmtime)\b|\bstd::time\s*\(|(?<![\w.:>])time\s*\(\s*(?:NULL|nullptr|0|&)", False),
    ("thread", r"\bstd::(?:j?thread|async|mutex|recursive_mutex|shared_mutex|condition_variable\w*)\b"
               r"|\bpthread_\w+", False),
    ("catch (...)", r"\bcatch\s*\(\s*\.\.\.\s*\)", True),
    ("thread_local", r"\bthread_local\b", True),
    ("std::hash of a pointer", r"\bstd::hash<[^<>]*\*\s*>", True),
    ("ordering by pointer", r"\bstd::(?:set|map)<\s*(?:const\s+)?[\w:]+\s*\*|\bstd::less<[^<>]*\*\s*>", True),
]

# (path, rule): why it is right there.
EXEMPT = {
    ("base/check.cc", "thread_local"): "read only on the way to abort()",
    ("models/memory/allocation_test.cc", "mutable global"): "counts calls of operator new",
    ("models/workload/ext2_workload_test.cc", "wall clock"): "shows that no real time is in an image",
    ("base/check.cc", "mutable global"): "read only on the way to abort()",
}

# Pieces are joined here, so that this file does not find itself.
MARKERS = [("open end", re.compile("TO" + r"DO\b|\bFIX" + r"ME\b|\bXX" + "X\\b")),
           ("path of one machine", re.compile(r"(?<![\w.])/(?:wo" + "rk|ho" + r"me/\w|ro" + "ot|opt/ks" + r"rc)\b"))]
TEXT_ENDINGS = (".cc", ".h", ".c", ".md", ".txt", ".py", ".sh", ".yaml", ".yml", ".json", ".cmake",
                "check", "dmsim", "run")


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def unordered_iteration(text):
    """Range-for, begin() or an algorithm over a name that is declared as an unordered container."""
    names = set(re.findall(r"\bunordered_(?:multi)?(?:map|set)\s*<[^;{}]*?>\s*&?\s*(\w+)\s*[;{=,)]", text))
    for name in names:
        for match in re.finditer(rf"for\s*\([^;()]*:\s*\*?(?:\w+(?:\.|->))*{name}\s*\)"
                                 rf"|\b{name}(?:\.|->)c?begin\s*\(", text):
            yield match.start(), name


def mutable_statics(text):
    """Statics inside functions, and variables at namespace scope, that are not constant."""
    for match in re.finditer(r"^[ \t]+static\s+(?!const\b|constexpr\b|constinit const|inline constexpr"
                             r"|_?[Aa]ssert)(?:thread_local\s+)?[\w:<>,*& ]+?\s[\w]+\s*(?:=[^=]|\{|;)",
                             text, re.M):
        yield match.start(), match.group(0).strip()
    for match in re.finditer(r"^(?:static\s+|inline\s+|thread_local\s+|constinit\s+|extern\s+)*"
                             r"(?!using|typedef|namespace|return|struct|class|enum|union|template|friend"
                             r"|const\b|constexpr|consteval|static|inline|extern|goto|case|public|private"
                             r"|thread_local|constinit|concept|requires|export|else|delete|throw|asm)"
                             r"[A-Za-z_][\w:<>,]*(?:\s*[*&])?\s+[a-z]\w*(?:\[\w*\])?\s*(?:=[^=][^;()]*|\{[^;()]*\})?;",
                             text, re.M):
        if not re.match(r"^\s*(?:inline\s+|static\s+)*(?:const|constexpr)\b", match.group(0)):
            yield match.start(), match.group(0).strip()


def check_code(path, text):
    code = blanked(text)
    free = path.startswith(FREE_ROOMS)
    for rule, pattern, everywhere in PATTERNS:
        if free and not everywhere:
            continue
        for match in re.finditer(pattern, code):
            yield line_of(code, match.start()), rule, match.group(0).strip()
    for offset, name in unordered_iteration(code):
        yield line_of(code, offset), "iteration over an unordered container", name
    if not free and not path.startswith("engine/linux/"):
        for offset, what in mutable_statics(code):
            yield line_of(code, offset), "mutable global", " ".join(what.split())[:60]


def check(top):
    problems = []
    for path in source_files(top, TEXT_ENDINGS):
        text = read(top, path)
        found = []
        if path.endswith((".cc", ".h", ".c")):
            found += check_code(path, text)
        for rule, pattern in MARKERS:
            found += [(line_of(text, m.start()), rule, m.group(0)) for m in pattern.finditer(text)]
        for line, rule, what in sorted(found):
            if (path, rule) not in EXEMPT:
                problems.append(f"{path}:{line}: {rule}: {what}")
    return problems


# (path, text, the rule that must speak; None: none may)
CASES = [
    ("sim/a.cc", "std::uniform_int_distribution<int> d;", "std distribution"),
    ("bench/a.cc", "std::normal_distribution<> d;", "std distribution"),
    ("sim/b.cc", "std::shuffle(v.begin(), v.end(), g);", "std::shuffle"),
    ("sim/c.cc", "int f() { const int x = rand(); }", "random device"),
    ("sim/c2.cc", "RandomChoices random(7);", None),
    ("sim/d.cc", "auto t = std::chrono::steady_clock::now();", "wall clock"),
    ("cli/d.cc", "void f() { auto t = std::chrono::steady_clock::now(); }", None),
    ("sim/e.cc", "void f() { long t = time(nullptr); }", "wall clock"),
    ("sim/f.cc", "void f() { std::thread t; }", "thread"),
    ("sim/g.cc", "void f() { try { g(); } catch (...) { } }", "catch"),
    ("sim/h.cc", "std::unordered_map<int, int> m_;\nvoid f() { for (auto& x : m_) g(x); }", "unordered"),
    ("sim/i.cc", "void f(std::unordered_set<int> s) { g(s.begin()); }", "unordered"),
    ("sim/j.cc", "void f() {\n  static int counter = 0;\n}", "mutable global"),
    ("sim/k.cc", "namespace {\nint counter = 0;\n}", "mutable global"),
    ("sim/l.cc", "std::vector<int> all;\n", "mutable global"),
    ("sim/m.cc", "constexpr int kAll = 3;\nconst char* const kName = \"x\";\n"
                 "void f() {\n  static constexpr int kTwo = 2;\n}", None),
    ("sim/n.cc", "// A shuffle by std::shuffle, rand() and time(0) would be wrong.\n", None),
    ("sim/o.cc", "std::map<Fiber*, int> by_fiber;", "ordering by pointer"),
    ("sim/p.cc", "// TO" + "DO: later\n", "open end"),
    ("docs/q.md", "see /wo" + "rk/shared/x\n", "path of one machine"),
    ("docs/r.md", "see docs/work/x, ./work\n", None),
    ("sim/s.h", "class A {\n  static int f(int x);\n  static bool less(A a, A b) { return true; }\n};", None),
    ("sim/t.cc", "thread_local int depth;", "thread_local"),
]

if __name__ == "__main__":
    self_test.main(check, CASES, "nothing banned is used")
