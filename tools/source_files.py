"""What the checks of tools/ look at: the source files of the tree, and their text without comments."""
import os
import re
import subprocess

SKIPPED = {"build", "crashes", ".git"}


def source_files(top, endings=(".cc", ".h")):
    """Paths relative to `top`, sorted: what git knows or could know, else what lies there."""
    listed = subprocess.run(["git", "-C", top, "ls-files", "-z", "-c", "-o", "--exclude-standard"],
                            capture_output=True)
    if listed.returncode == 0:
        names = [n for n in listed.stdout.decode().split("\0") if n]
    else:
        names = []
        for folder, folders, files in os.walk(top):
            folders[:] = [f for f in folders if f not in SKIPPED]
            names += [os.path.relpath(os.path.join(folder, f), top) for f in files]
    return sorted(n for n in set(names)
                  if n.endswith(tuple(endings)) and os.path.isfile(os.path.join(top, n)))


def read(top, path):
    with open(os.path.join(top, path), encoding="utf-8", errors="replace") as file:
        return file.read()


_TOKEN = re.compile(r'''//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'
                        |R"(\w*)\(.*?\)\1"''', re.S | re.X)


def blanked(text, strings=True):
    """The text with comments (and the insides of strings) replaced by blanks; lines keep their number."""
    def blank(match):
        token = match.group(0)
        if token.startswith("/") or (strings and not token.startswith("'")):
            return re.sub(r"[^\n]", " ", token)
        return token
    return _TOKEN.sub(blank, text)
