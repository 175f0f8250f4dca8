#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs an example of an external method in a suite: external_example.py ONMANIFOLD PYTHON SCRIPT [EXTRA].

The cells must end well, hold what the script printed, and have the moments of their training data. A script that fails
must give a failed cell with its traceback: the control.
"""
import os
import subprocess
import sys
import tempfile

program, python, script = sys.argv[1:4]
extra = " ".join(sys.argv[4:])
places = "--train {train} --samples {samples} --n {n} --seed {seed}"

SUITE = f"""
[suite]
name = "example"
seed = 0
seeds = "0..0"
n_train = 2000
n_samples = 1000
n_reference = 1000
[[task]]
name = "sphere-vmf6"
metrics = "w1,constraint_mean"
[[method]]
name = "gaussian"
[[method]]
name = "good"
type = "external"
command = "{python} {script} {places} {extra}"
timeout_s = 200
[[method]]
name = "bad"
type = "external"
command = "{python} {script} --no-such-option {places}"
"""

with tempfile.TemporaryDirectory() as directory:
    suite = os.path.join(directory, "suite.toml")
    with open(suite, "w", encoding="utf-8") as file:
        file.write(SUITE)
    results = os.path.join(directory, "results")
    run = subprocess.run([program, "run", suite, "-o", results], capture_output=True, text=True, check=False)
    print(run.stdout, run.stderr)
    assert run.returncode == 1, f"exit code {run.returncode}, expected 1 for the failed cell"
    assert "exit code 2" in run.stdout + run.stderr, "the failure is not named"
    cells = os.path.join(results, "sphere-vmf6")
    assert os.path.exists(os.path.join(cells, "good", "none", "seed-0.metrics.h5")), "the good cell has no metrics"
    bad = open(os.path.join(cells, "bad", "none", "seed-0.h5"), "rb").read()
    assert b"no-such-option" in bad, "the failed cell does not hold what the program printed"
    assert subprocess.run([program, "verify", results], check=False).returncode in (0, 1)
