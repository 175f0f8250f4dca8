#!/usr/bin/env python3
"""The gate and its recipes: ci_recipes_test.py ONMANIFOLD ROOT.

Without a baseline every recipe must fail and say that nothing was measured; the model of examples/ci/gate.toml must be good enough on
the plane that a sampler of two steps fails."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = sys.argv.pop(1)
ROOT = Path(sys.argv.pop(1))
RECIPES = ROOT / "examples" / "ci"


def github_steps(text):
    """(condition, commands) of every step with commands of its own."""
    steps = []
    for step in re.split(r"\n      - ", text.split("steps:", 1)[1])[1:]:
        condition = re.search(r"^ *if: (.*)$", step, re.M)
        block = re.search(r"run: \|\n((?:          .*\n?)+)", step)
        line = re.search(r"run: (?!\|)(.*)$", step, re.M)
        commands = block.group(1) if block else line.group(1) if line else ""
        if commands:
            steps.append((condition.group(1) if condition else "", re.sub(r"^ {10}", "", commands, flags=re.M)))
    return steps


def gitlab_script(text):
    """The commands of the job, one a line of the script."""
    body = re.search(r"\n  script:\n(.*?)\n  artifacts:", text, re.S).group(1)
    items = [re.sub(r"\s*\n\s*", " ", item) for item in re.split(r"(?:^|\n)    - ", body) if item]
    return [item[1:-1].replace("''", "'") if item.startswith("'") else item for item in items]


def shell(commands, directory, **environment):
    """Exit code and output of \\p commands where only the given variables are set."""
    result = subprocess.run(["bash", "-e", "-c", commands], cwd=directory, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"], **environment}, check=False)
    return result.returncode, result.stdout


def without_baseline(text):
    """What the recipe does on a pull request whose baseline was not found: code and output of its check."""
    for condition, commands in github_steps(text):
        if "pull_request" in condition and "cache-matched-key == ''" in condition:
            return shell(commands, "/")
    return 0, ""


class Recipes(unittest.TestCase):
    def test_github_fails_without_a_baseline(self):
        for name in ("github.yml", "own-method.yml"):
            text = (RECIPES / name).read_text()
            code, output = without_baseline(text)
            self.assertEqual(code, 3, name)
            self.assertIn("nothing measured", output, name)
            # The check stands before the comparison, and the twin without it is green.
            order = [commands for _, commands in github_steps(text)]
            check = next(i for i, commands in enumerate(order) if "nothing measured" in commands)
            self.assertLess(check, next(i for i, commands in enumerate(order) if " compare " in commands), name)
            self.assertEqual(without_baseline(text.replace("cache-matched-key == ''", "cache-hit"))[0], 0, name)

    def test_gitlab_fails_without_a_baseline(self):
        script = gitlab_script((RECIPES / "gitlab.yml").read_text())
        first = next(i for i, line in enumerate(script) if line.startswith("mkdir baseline"))
        commands = "\n".join(script[first:first + 2])
        self.assertIn("curl", commands)
        for found, code in (("exit 22", 3), ("exit 0", 0)):
            with tempfile.TemporaryDirectory() as directory:
                curl = Path(directory) / "curl"
                curl.write_text(f"#!/bin/sh\n{found}\n")
                curl.chmod(0o755)
                seen, output = shell(commands, directory, PATH=f"{directory}:{os.environ['PATH']}", CI_DEFAULT_BRANCH="main")
                self.assertEqual(seen, code, output)
                self.assertEqual("nothing measured" in output, code == 3, output)

    def test_recipes_use_commands_that_there_are(self):
        known = subprocess.run([PROGRAM, "compare", "--help"], text=True, stdout=subprocess.PIPE, check=True).stdout
        for name in ("github.yml", "own-method.yml", "gitlab.yml"):
            for line in re.findall(r"onmanifold compare (.*)", (RECIPES / name).read_text()):
                for option in re.findall(r"--[a-z-]+", line):
                    self.assertIn(option, known, name)


class Gate(unittest.TestCase):
    def test_a_sampler_of_two_steps_fails_on_the_plane(self):
        text = (RECIPES / "gate.toml").read_text()
        self.assertTrue(text.rstrip().endswith("timesteps = 50"), "the last lines are the model's settings")
        with tempfile.TemporaryDirectory() as directory:
            results = {}
            for name, more in (("baseline", ""), ("candidate", "\nsampler_steps = 2\n")):
                suite = Path(directory) / f"{name}.toml"
                suite.write_text(text + more)
                results[name] = str(Path(directory) / name)
                subprocess.run([PROGRAM, "run", str(suite), "-o", results[name], "--only", "plane-*"], check=True,
                               stdout=subprocess.DEVNULL)
            same = subprocess.run([PROGRAM, "compare", results["baseline"], results["baseline"]], text=True,
                                  stdout=subprocess.PIPE, check=False)
            self.assertEqual(same.returncode, 0, same.stdout)
            self.assertNotIn("blind", same.stdout)
            worse = subprocess.run([PROGRAM, "compare", results["baseline"], results["candidate"]], text=True,
                                   stdout=subprocess.PIPE, check=False)
            self.assertEqual(worse.returncode, 1, worse.stdout)
            self.assertRegex(worse.stdout, r"(?m)^- plane-gmm9 ddpm ")


if __name__ == "__main__":
    unittest.main()
