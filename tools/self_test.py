"""Shows that a check of tools/ finds what it is there for: what every check has besides its rules.

A case is (path, text, expected): in a tree of such files the check must complain of `path` in words that contain
`expected`, or not at all when that is None.
"""
import os
import sys
import tempfile


def _misses(check, cases, others):
    with tempfile.TemporaryDirectory() as top:
        for path, text, *_ in [*others, *cases]:
            os.makedirs(os.path.dirname(os.path.join(top, path)), exist_ok=True)
            with open(os.path.join(top, path), "w") as file:
                file.write(text)
        problems = check(top)
    for path, text, expected in cases:
        found = [p for p in problems if p.startswith(path + ":")]
        if found if expected is None else not any(expected in p for p in found):
            yield f"{path} with {text!r}: expected {expected!r}, found {found}"


def main(check, cases, in_order, others=()):
    """`CHECK.py [TOP] | --self-test`: `others` are files that the cases need; `in_order` is said when nothing is wrong."""
    if sys.argv[1:] == ["--self-test"]:
        misses = list(_misses(check, cases, others))
        print("\n".join([*misses, f"{len(cases) - len(misses)} passed, {len(misses)} failed"]))
        sys.exit(1 if misses else 0)
    found = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(found) if found else in_order)
    sys.exit(1 if found else 0)
