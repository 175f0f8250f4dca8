#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The negative control of docs_test.py: each page of broken/ must be refused, for its own reason.

    broken_test.py PROGRAM SOURCE_DIRECTORY
"""
import os
import subprocess
import sys

REASONS = {"flag": "no option '--colour'", "exit": "exit code 2", "inline": "no option '--fast'",
           "link": "no-such-page.md leads nowhere", "anchor": "no heading", "unmarked": "does not say what it is"}

here = os.path.dirname(os.path.abspath(__file__))
pages = sorted(os.listdir(os.path.join(here, "broken")))
assert pages == sorted(name + ".md" for name in REASONS), pages
result = subprocess.run([sys.executable, os.path.join(here, "docs_test.py"), sys.argv[1], sys.argv[2],
                         *(os.path.join(here, "broken", page) for page in pages)], capture_output=True, text=True)
print(result.stdout, result.stderr)
assert result.returncode == 1, result.returncode
for name, reason in REASONS.items():
    found = [part for part in result.stdout.split(os.path.join(here, "broken") + os.sep) if part.startswith(name + ".md:")]
    assert any(reason in part for part in found), (name, reason)
print("ok")
