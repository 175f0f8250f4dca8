#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No source compares with the name of a method, metric, suite, suite or state: what is known of a unit is a type.

    names_test.py PROGRAM SOURCE_DIRECTORY

Names are asked from the program. Where they may stand: registries, claims/ (where experiments name their configurations),
readers of old files, and tests."""
import os
import re
import subprocess
import sys

FOLDERS = ("core", "contracts", "results", "manifolds", "datasets", "models", "metrics", "diagnostics", "suite", "analysis",
           "reports", "cli")
# The words of CellState, contracts/unit_info.hpp.
STATES = ("ok", "failed", "unsupported", "timeout", "diverged")
# Names of something else too -> of what. Comparing with those is not forbidden.
AMBIGUOUS = {"so3": "the specification of a manifold"}


def registered(program):
    names = set(STATES)
    for kind in ("methods", "metrics", "suites"):
        listed = subprocess.run([program, "list", kind], check=True, capture_output=True, text=True).stdout
        found = {line.split()[0] for line in listed.splitlines() if line.strip()}
        assert len(found) > 3, (kind, found)
        names |= found
    return names - set(AMBIGUOUS)


def exempt(path):
    """Registries, and readers of files that were written before names became types."""
    return os.path.basename(path).startswith("registry.") or os.path.basename(path).startswith("old_")


def without_comments(text):
    """Comments become spaces; literals, also raw ones, stay."""
    pattern = re.compile(r'R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m[0].startswith("/") else m[0], text)


LITERAL = r'"((?:\\.|[^"\\\n])*)"(?:s|sv)?'
COMPARISONS = [re.compile(expression) for expression in (
    rf"[=!]=\s*(?:std::string(?:_view)?[({{])?\s*{LITERAL}",                         # name == "ddpm"
    rf"{LITERAL}(?:s|sv)?\s*[)}}]?\s*[=!]=",                                          # "ddpm" == name
    rf"(?:starts_with|ends_with|compare|contains|rfind|find|count|strcmp)\s*\((?:[^()\"]*,)?\s*{LITERAL}",
)]


def comparisons(text):
    """Pairs (line, literal) of comparisons with a literal."""
    text = without_comments(text)
    for expression in COMPARISONS:
        for match in expression.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, match[1]


def matches(literal, names):
    """The name itself, or the beginning of a labelled one: "w2(raw)", "ddpm / none"."""
    return literal in names or re.split(r"[ (/:]", literal)[0] in names and re.search(r"[(/]", literal) is not None


def violations(root, names):
    """Texts file:line: literal."""
    found, read = [], 0
    for folder in FOLDERS:
        for directory, _, files in os.walk(os.path.join(root, folder)):
            for name in sorted(files):
                if not name.endswith((".cpp", ".hpp")) or exempt(name):
                    continue
                path = os.path.join(directory, name)
                relative = os.path.relpath(path, root)
                read += 1
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                for line, literal in comparisons(text):
                    if matches(literal, names):
                        found.append(f'{relative}:{line}: compares with "{literal}"')
    assert read > 0, f"no sources below {root}"
    return sorted(set(found))


def check_twins(names):
    """The search finds what it must and nothing else."""
    broken = ['if (method == "ddpm") {}', 'return "oracle" != label;', 'if (m.starts_with("ddpm")) {}',
              'if (status == std::string_view("ok")) {}', 'x.find("w2(raw)")', 'if (a ==\n    "smoke") {}',
              'if (values.count("w2") > 0) {}', 'std::strcmp(name, "ddpm") == 0']
    fine = ['// if (method == "ddpm") {}', 'methods.add("ddpm", "denoising", make_ddpm);', 'if (key == "sigma") {}',
            'print("ddpm != oracle");', 'if (role == MethodRole::oracle) {}', '/* name == "w2" */', 'at("w2_not_a_name")']
    for text in broken:
        assert any(matches(literal, names) for _, literal in comparisons(text)), f"not found: {text}"
    for text in fine:
        assert not any(matches(literal, names) for _, literal in comparisons(text)), f"wrongly found: {text}"


def main():
    program, root = sys.argv[1:]
    names = registered(program)
    assert {"ddpm", "w2", "smoke"} <= names, names
    check_twins(names)
    found = violations(root, names)
    print("\n".join(found) if found else f"{len(names)} names, none compared with")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
