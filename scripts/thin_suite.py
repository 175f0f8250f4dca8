#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a suite that has every configuration of another, small enough for seconds a cell: one replicate, 20 steps of
training, some hundred points.  thin_suite.py SUITE.toml OUTPUT.toml"""
import re
import sys

SMALL = {"seeds": '"0..0"', "n_train": "500", "n_samples": "300", "n_reference": "300", "steps": "20"}


def thin(text):
    for key, value in SMALL.items():
        text, count = re.subn(rf"(?m)^{key}(\s*)=(\s*)[^#\n]*?(\s*(?:#.*)?)$", rf"{key}\1=\g<2>{value}\3", text)
        if count == 0:
            raise SystemExit(f"thin_suite.py: the suite has no '{key}'")
    return re.sub(r'(?m)^name = "([^"]+)"', r'name = "\1-thin"', text, count=1)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as source, open(sys.argv[2], "w", encoding="utf-8") as target:
        target.write(thin(source.read()))
