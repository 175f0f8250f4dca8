#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pages say nothing that does not work: docs_test.py PROGRAM SOURCE_DIRECTORY [PAGE ...]

Of README.md, examples/README.md and docs/*.md:
 - every ```sh block is run by bash in a scratch directory, a page after the other, and must end with 0;
 - every command `onmanifold …`, also within a line, names a command and options that its --help has;
 - every fenced block says what it is (```sh, ```toml, ```text, …);
 - every relative link and its anchor lead somewhere;
 - docs/commands.md has every command and option, and no other (docs_test.py --write PROGRAM SOURCE_DIRECTORY writes it);
 - every \\cite key of a header or source is in docs/bibliography.bib; CITATION.cff has what CFF 1.2.0 requires.
With PAGEs, only these are looked at, without the last two.

A comment before a block changes how it is run:
  <!-- test: skip: REASON -->       not run; its commands are still held against --help
  <!-- test: setup: COMMANDS -->    run before
  <!-- test: save: FILE -->         the block is no command but this file
  <!-- test: needs: numpy -->       without this Python module the rest of the page is not run

`onmanifold` is the program behind a shim: `run quick` computes a suite of that name with small sizes, `export` and `score` have
its sizes where a page says 10000 (or nothing), every other `run` gets --dry-run unless it names a suite 'small', and folders
below /shared are folders of the scratch directory.
"""
import glob
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tempfile

SHIM = """#!/bin/bash
# 'run quick', 'score' and 'export' with small sizes, other runs with --dry-run
args=()
for a in "$@"; do args+=("${a/#\\/shared/$SCRATCH/shared}"); done
if [[ ${args[0]} == run && ${args[1]} == quick ]]; then
  args[1]=$SCRATCH/quick.toml
elif [[ ${args[0]} == export || ${args[0]} == score ]]; then
  for i in "${!args[@]}"; do if [[ ${args[i]} == 10000 ]]; then args[i]=300; fi; done
  if [[ ${args[0]} == score && " ${args[*]} " != *" --reference"* ]]; then args+=(--reference-size 300); fi
elif [[ ${args[0]} == run && " ${args[*]} " != *" --help "* ]]; then
  if [[ ${args[1]} != *small* ]]; then args+=(--dry-run); fi
fi
exec "$PROGRAM" "${args[@]}"
"""

QUICK = """[suite]
name = "quick"
seeds = "0..1"
n_train = 300
n_samples = 300
n_reference = 300
[[task]]
name = "plane-gmm9"
[[task]]
name = "sphere-vmf6"
[[lift]]
name = "normal"
type = "normal"
[[lift]]
name = "isotropic"
type = "isotropic"
[[method]]
name = "oracle"
[[method]]
name = "gaussian"
[[method]]
name = "ddpm"
steps = 20
width = 32
batch = 64
timesteps = 20
lifts = ["none", "isotropic", "normal"]
"""


class Block:
    def __init__(self, line, language):
        self.line, self.language, self.lines, self.marks = line, language, [], []

    def mark(self, kind):
        return [text for key, text in self.marks if key == kind]

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"


def parse(page):
    """Fenced blocks, and the text around them."""
    blocks, prose, marks, block = [], [], [], None
    with open(page, encoding="utf-8") as file:
        for number, line in enumerate(file.read().split("\n"), 1):
            if block is None and line.lstrip().startswith("```"):
                block = Block(number, line.strip()[3:])
                block.marks, marks = marks, []
            elif block is not None and line.strip() == "```":
                blocks.append(block)
                block = None
            elif block is not None:
                block.lines.append(line)
            else:
                prose.append((number, line))
                if re.match(r" {4}(onmanifold|build/|\./|python3|cmake|git|sbatch) ?", line):
                    yield_error(page, number, "an indented command is not run: put it into a ```sh block")
                mark = re.fullmatch(r"\s*<!-- test: (skip|setup|save|needs): (.*?) -->", line)
                if mark:
                    marks.append(mark.groups())
                elif "<!-- test:" in line:
                    yield_error(page, number, f"not a mark of the test: {line.strip()}")
                elif line.strip():
                    marks = []
    if block is not None:
        yield_error(page, block.line, "the block does not end")
    return blocks, prose


errors = []


def yield_error(page, line, text):
    errors.append(f"{page}:{line}: {text}")


class Program:
    def __init__(self, path):
        self.path = path
        self.top = self.run(["--help"])
        body = self.top.split("Subcommands:\n")[1].split("\n\n")[0]
        self.commands = re.findall(r"^  (\w+) ", body, re.M)
        self.help = {command: self.run([command, "--help"]) for command in self.commands}
        self.options = {command: self.options_of(text) for command, text in self.help.items()}

    def run(self, arguments):
        return subprocess.run([self.path, *arguments], check=True, capture_output=True, text=True).stdout

    @staticmethod
    def options_of(text):
        """Names from the first column of the options, long and short."""
        found = set()
        body = text.split("\nOptions:\n")[1].split("\n\n")[0] if "\nOptions:\n" in text else ""
        for line in body.split("\n"):
            names = re.match(r"  (-[\w,-]+)", line)
            if names:
                found.update(names.group(1).split(","))
        return found

    def check_call(self, page, line, words):
        """Words of a call after the program's name."""
        if not words or words[0] in ("--help", "--version", "COMMAND", "…"):
            return
        if words[0] not in self.commands:
            if re.fullmatch(r"[a-z]+", words[0]):
                yield_error(page, line, f"onmanifold has no command '{words[0]}'")
            return
        for word in words[1:]:
            if word == "--":
                return
            name = word.split("=")[0]
            if re.fullmatch(r"--[a-z][\w-]*|-[a-zA-Z]", name) and name not in self.options[words[0]]:
                yield_error(page, line, f"'onmanifold {words[0]}' has no option '{name}'")


def calls_in(text):
    """Words after 'onmanifold' of every call in shell text."""
    text = re.sub(r"\\\n", " ", text)
    for line in text.split("\n"):
        line = re.sub(r"(^|\s)#.*", "", line)
        for part in re.split(r"&&|\|\||[;|]", line):
            try:
                words = shlex.split(part)
            except ValueError:
                words = part.split()
            for place, word in enumerate(words):
                if word == "onmanifold" or word.endswith("/onmanifold"):
                    yield words[place + 1:]
                    break


def slug(heading):
    """Anchor of a heading, as forges make it."""
    text = re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", heading.strip()).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def check_links(page, prose):
    for number, line in prose:
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = os.path.join(os.path.dirname(page), path) if path else page
            if not os.path.exists(file):
                yield_error(page, number, f"the link {target} leads nowhere")
            elif anchor and file.endswith(".md"):
                with open(file, encoding="utf-8") as other:
                    headings = re.findall(r"^#+ (.*)", other.read(), re.M)
                if anchor not in map(slug, headings):
                    yield_error(page, number, f"no heading for the anchor of {target}")


def check_page(page, program, scratch, environment):
    blocks, prose = parse(page)
    check_links(page, prose)
    for number, line in prose:
        for code in re.findall(r"`([^`]*)`", line):
            for words in calls_in(code):
                program.check_call(page, number, words)
    os.makedirs(scratch, exist_ok=True)
    for block in blocks:
        if not block.language:
            yield_error(page, block.line, "the block does not say what it is: ```sh is run, ```text is not")
            continue
        for module in block.mark("needs"):
            if importlib.util.find_spec(module) is None:
                print(f"{page}:{block.line}: no Python module {module}: the rest of the page is not run")
                return
        for name in block.mark("save"):
            with open(os.path.join(scratch, name), "w", encoding="utf-8") as file:
                file.write(block.text)
        if block.language not in ("sh", "bash", "console"):
            continue
        for words in calls_in(block.text):
            program.check_call(page, block.line, words)
        if block.mark("skip"):
            continue
        commands = "set -euo pipefail\n" + "".join(text + "\n" for text in block.mark("setup")) + block.text
        try:
            result = subprocess.run(["bash", "-c", commands], cwd=scratch, env=environment, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        except subprocess.TimeoutExpired:
            yield_error(page, block.line, "the block takes more than 300 s")
            continue
        if result.returncode != 0:
            yield_error(page, block.line, f"exit code {result.returncode}:\n{result.stdout[-2000:]}")


COMMANDS_HEAD = """# Commands

What `onmanifold COMMAND --help` prints, for those who would rather search a page. Written by
`python3 tests/docs/docs_test.py --write build/release/onmanifold .`; a test holds its options against the program's.
"""


def commands_page(program):
    page = COMMANDS_HEAD + "\n## onmanifold\n\n```text\n" + program.top.strip() + "\n```\n"
    for command in program.commands:
        page += f"\n## onmanifold {command}\n\n```text\n" + program.help[command].strip() + "\n```\n"
    return page


def check_commands_page(page, program):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    parts = dict(re.findall(r"^## onmanifold (\w+)\n\n```text\n(.*?)\n```", text, re.M | re.S))
    hint = "; write the page again with docs_test.py --write"
    for command in program.commands:
        if command not in parts:
            yield_error(page, 1, f"the command '{command}' is missing{hint}")
        elif program.options_of(parts[command]) != program.options[command]:
            difference = program.options_of(parts[command]) ^ program.options[command]
            yield_error(page, 1, f"'{command}': options differ from the program's: {', '.join(sorted(difference))}{hint}")
    for command in set(parts) - set(program.commands):
        yield_error(page, 1, f"there is no command '{command}'{hint}")


def check_citations(source):
    with open(os.path.join(source, "docs/bibliography.bib"), encoding="utf-8") as file:
        keys = set(re.findall(r"^@\w+\{([^,\s]+),", file.read(), re.M))
    for folder in ("core", "manifolds", "datasets", "models", "metrics", "diagnostics", "suite", "reports", "cli"):
        for path in glob.glob(os.path.join(source, folder, "**", "*.[ch]pp"), recursive=True):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            for found in re.finditer(r"\\cite[\s/*]+([\w-]+)", text):
                if found.group(1) not in keys:
                    yield_error(path, text.count("\n", 0, found.start()) + 1,
                                f"\\cite {found.group(1)} is not in docs/bibliography.bib")
    page = os.path.join(source, "CITATION.cff")
    with open(page, encoding="utf-8") as file:
        text = file.read()
    for key in ("cff-version: 1.2.0", "message: .+", "title: .+", "authors:\n  - name: .+", "version: .+", "license: Apache-2.0"):
        if not re.search("^" + key + "$", text, re.M):
            yield_error(page, 1, f"'{key}' is missing")
    with open(os.path.join(source, "CMakeLists.txt"), encoding="utf-8") as file:
        version = re.search(r"project\(OnManifold VERSION (\S+)", file.read()).group(1)
    if f'version: "{version}"' not in text and f"version: {version}" not in text:
        yield_error(page, 1, f"version is not that of the project, {version}")


def main(arguments):
    write = "--write" in arguments
    arguments = [argument for argument in arguments if argument != "--write"]
    program, source = Program(os.path.abspath(arguments[0])), os.path.abspath(arguments[1])
    commands_file = os.path.join(source, "docs/commands.md")
    if write:
        with open(commands_file, "w", encoding="utf-8") as file:
            file.write(commands_page(program))
        return 0
    pages = [os.path.abspath(page) for page in arguments[2:]]
    if not pages:
        pages = [os.path.join(source, "README.md"), os.path.join(source, "examples/README.md"),
                 *sorted(glob.glob(os.path.join(source, "docs/*.md")))]
        check_commands_page(commands_file, program)
        check_citations(source)
    with tempfile.TemporaryDirectory() as scratch:
        shims = os.path.join(scratch, "shims")
        os.mkdir(shims)
        # python3 is the one that runs this test: another one in the path may have no NumPy.
        for name, text in (("onmanifold", SHIM), ("python3", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')):
            with open(os.path.join(shims, name), "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(os.path.join(shims, name), 0o755)
        with open(os.path.join(scratch, "quick.toml"), "w", encoding="utf-8") as file:
            file.write(QUICK)
        environment = dict(os.environ, PATH=shims + ":" + os.environ["PATH"], PROGRAM=program.path, SCRATCH=scratch,
                           PYTHONDONTWRITEBYTECODE="1", OMP_NUM_THREADS="1")
        subprocess.run([program.path, "run", os.path.join(scratch, "quick.toml"), "-o", os.path.join(scratch, "results/quick")],
                       check=True, capture_output=True, cwd=scratch)
        for page in pages:
            # Every page begins with results of the suite quick, the program where a build puts it, and the examples.
            place = os.path.join(scratch, re.sub(r"\W", "_", os.path.relpath(page, source)))
            os.makedirs(os.path.join(place, "build/release"))
            os.makedirs(os.path.join(place, "results"))
            subprocess.run(["cp", "-r", os.path.join(scratch, "results/quick"), os.path.join(place, "results/quick")], check=True)
            os.symlink(os.path.join(shims, "onmanifold"), os.path.join(place, "build/release/onmanifold"))
            for folder in ("examples", "scripts", "docs", "suite"):
                os.symlink(os.path.join(source, folder), os.path.join(place, folder))
            before = sum(os.times()[:4])
            check_page(page, program, place, environment)
            print(f"{os.path.relpath(page, source)}: {sum(os.times()[:4]) - before:.1f} s of CPU")
    for error in errors:
        print(error)
    print(f"{len(pages)} pages, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
