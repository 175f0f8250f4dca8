#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pages keep to the list of words in CONTRIBUTING.md: words_test.py PROGRAM SOURCE_DIRECTORY.

Code, addresses and the list itself are left out, so are commands.md, which is printed by the program, the decisions, which quote, and the
lines of claims.md that state a claim in the words of the program. Each word of the list must be found in a sentence made of it.
"""
import glob
import os
import re
import sys

source = sys.argv[2]
LIST = re.compile(r"^## Words$.*?^\| not \| but \|$\n^\|---\|---\|$\n((?:^\|[^\n]*\|$\n)+)", re.MULTILINE | re.DOTALL)


def read(path):
    with open(os.path.join(source, path), encoding="utf-8") as file:
        return file.read()


def prose(text):
    """The lines of a page without what is no prose, in their places."""
    text = LIST.sub("", text)
    text = re.sub(r"^```.*?^```$", lambda code: "\n" * code.group().count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^\| C\d+ \|.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"`[^`\n]*`|\]\([^)\n]*\)", "", text)


def found(text, words):
    """(line, word) of each word of the list; a phrase may be broken between lines."""
    return [(text.count("\n", 0, match.start()) + 1, word) for word in words
            for match in re.finditer(r"\b" + word.replace(" ", r"\s+") + r"s?\b", text, re.IGNORECASE)]


words = [line.split("|")[1].strip() for line in LIST.search(read("CONTRIBUTING.md")).group(1).splitlines()]
assert len(words) >= 5, words
for one in words:
    assert found(prose(f"They say\n{one}, here."), words) == [(2, one)], one
assert found(prose("`law`, lawful, [a](law.md) and\n```\nlaw\n```\n"), words) == []

pages = ["README.md", "CONTRIBUTING.md"] + sorted(os.path.relpath(path, source)
                                                  for path in glob.glob(os.path.join(source, "docs", "*.md"))
                                                  if os.path.basename(path) != "commands.md")
wrong = [f"{page}:{line}: {word}" for page in pages for line, word in found(prose(read(page)), words)]
print("\n".join(wrong) or "ok")
sys.exit(1 if wrong else 0)
