#!/usr/bin/env python3
"""The plain hygiene of source files: what a reader stumbles over and a compiler does not.

usage: check_layout.py [TOP] | --self-test

Headers say #pragma once; x.cc includes its own x.h first; no line is longer than 120 columns, none ends
in blanks, none holds a tab; files end with one newline; no header says `using namespace`; files with
logic (more than 60 lines) open with a comment; test names are sentences, and every test asserts
something.
"""
import os
import re

import self_test
from source_files import blanked, read, source_files

LONGEST = 120
ESSAY_FROM_LINES = 60


def check_lines(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST:
            yield number, f"{len(line)} columns"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        if "\t" in line:
            yield number, "a tab"
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield text.count("\n") + 1, "the file does not end with one newline"


def check_header(path, text):
    if "#pragma once" not in text:
        yield 1, "no #pragma once"
    if re.search(r"^\s*using namespace", text, re.M):
        yield 1, "using namespace in a header"
    if text.count("\n") > ESSAY_FROM_LINES and not text.startswith(("//", "/*")):
        yield 1, "no opening comment"


def check_source(top, path, text):
    own = path[:-3] + ".h"
    first = re.search(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', text, re.M)
    if os.path.isfile(os.path.join(top, own)) and (first is None or first.group(1) != own):
        yield 1, f'does not include "{own}" first'


def body_after(code, offset):
    """The brace-balanced block that starts at or after `offset`."""
    start = code.find("{", offset)
    depth = 0
    for at in range(start, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return code[start:at + 1]
    return code[start:]


ASSERTS = (r"\b(?:EXPECT_|ASSERT_|RC_ASSERT|RC_FAIL|FAIL\(|ADD_FAILURE|SUCCEED|CHECK\("
           r"|expect\w*\(|check\w*\(|\w*verify\w*\(|\w*expect\w*\(|compare\w*\(|assert\w*\()")


def asserting_helpers(code):
    """Functions of this file that assert on behalf of the tests that call them."""
    for match in re.finditer(r"^[ ]{0,2}(?:[\w:<>,&*]+ )+[&*]?(\w+)\([^;{}]*\)[^;{}()]*(?=\{)", code, re.M):
        if re.search(ASSERTS, body_after(code, match.end())):
            yield match.group(1)


def check_test(path, text):
    code = blanked(text)
    helpers = set(asserting_helpers(code))
    for match in re.finditer(r"^(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP|TYPED_TEST)"
                             r"\(\s*\w+,\s*(\w+)", code, re.M):
        name = match.group(1)
        line = code.count("\n", 0, match.start()) + 1
        if not re.fullmatch(r"[a-z0-9]+(?:_[a-zA-Z0-9]+){2,}", name):
            yield line, f"the name of test {name} is no sentence"
        body = body_after(code, match.end())
        called = set(re.findall(r"\b(\w+)\(", body))
        if not re.search(ASSERTS, body) and not called & helpers:
            yield line, f"test {name} asserts nothing"


def check(top):
    problems = []
    for path in source_files(top, (".cc", ".h")):
        if path.startswith("engine/linux/"):
            continue  # the kernel's own layout
        text = read(top, path)
        found = list(check_lines(path, text))
        if path.endswith(".h"):
            found += check_header(path, text)
        elif path.endswith("_test.cc"):
            found += check_test(path, text)
        else:
            found += check_source(top, path, text)
        problems += [f"{path}:{line}: {what}" for line, what in found]
    return problems


CASES = [
    ("sim/a.h", "int f();\n", "no #pragma once"),
    ("sim/b.h", "#pragma once\nusing namespace std;\n", "using namespace"),
    ("sim/c.cc", "int f();  \n", "blanks at the end"),
    ("sim/d.cc", "\tint f();\n", "a tab"),
    ("sim/e.cc", "int f();", "one newline"),
    ("sim/f.cc", "// " + "x" * 130 + "\n", "columns"),
    ("sim/a.cc", '#include <vector>\n#include "sim/a.h"\n', "first"),
    ("sim/g_test.cc", "TEST(A, OneStep2) {\n  EXPECT_EQ(1, 1);\n}\n", "no sentence"),
    ("sim/h_test.cc", "TEST(A, it_does_a_thing) {\n  f();\n}\n", "asserts nothing"),
    ("sim/i_test.cc", "TEST(A, it_does_a_thing) {\n  EXPECT_EQ(f(), 1);\n}\n", None),
    ("sim/k_test.cc", "void holds(int x) {\n  EXPECT_EQ(x, 1);\n}\n"
                      "TEST(A, it_does_a_thing) {\n  holds(1);\n}\n", None),
    ("sim/j.h", "#pragma once\n" + "int f();\n" * 70, "no opening comment"),
]

if __name__ == "__main__":
    self_test.main(check, CASES, "every file is in order")
