#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What bash offers behind 'onmanifold …' is what the program has: completion_test.py PROGRAM SOURCE_DIRECTORY"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from docs_test import Program  # noqa: E402: its folder comes first

program, source = Program(os.path.abspath(sys.argv[1])), sys.argv[2]
script = os.path.join(source, "cli/completions/onmanifold")


def offered(*words):
    """Completions of the last word."""
    line = " ".join(f"'{word}'" for word in (program.path, *words))
    code = f"source '{script}'; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _onmanifold; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    result = subprocess.run(["bash", "-c", code], check=True, capture_output=True, text=True)
    assert result.stderr == "", result.stderr
    return set(result.stdout.split())


def names(kind):
    return {line.split()[0] for line in program.run(["list", kind]).split("\n") if line.strip()}


assert offered("") == set(program.commands) | {"--help", "--version"}, offered("")
assert len(program.commands) >= 12, program.commands
for command in program.commands:
    assert offered(command, "-") == program.options[command], (command, offered(command, "-"), program.options[command])
assert offered("rep") == {"report"}
assert offered("run", "") == names("suites")
assert offered("export", "sphere-vmf6", "--ref") == {"--reference"}
assert offered("describe", "sphere-vm") == {name for name in names("tasks") if name.startswith("sphere-vm")}
assert offered("score", "--task", "") == names("tasks")
for kind in offered("list", ""):
    assert names(kind), kind
assert "html" in offered("report", "results/quick", "--format", "")
assert offered("verify", "no-such-fil") == set()  # bash goes on with files
print("ok")
