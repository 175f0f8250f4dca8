#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/same_bits.py finds every kind of planted difference, and none where there is none.  same_bits_test.py SOURCE"""
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

source = sys.argv[1]
script = os.path.join(source, "scripts/same_bits.py")
rows = np.dtype([("name", "S16"), ("value", "f8"), ("null", "f8"), ("status", "S16")])


def write(directory, samples, metrics, sample_hash="a", metric_hash="b", status="ok", cell="sphere/ddpm/none/seed-0"):
    path = os.path.join(directory, cell)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with h5py.File(path + ".h5", "w") as file:
        file.attrs["sample_hash"] = sample_hash
        file["status"] = status
        file["samples/raw"] = samples
    with h5py.File(path + ".metrics.h5", "w") as file:
        file.attrs["metric_hash"] = metric_hash
        file["metrics/raw"] = np.array(metrics, dtype=rows)


def compare(change, exceptions=""):
    """(exit code, output) for a pair of which the second is written by change(samples, metrics, write)."""
    samples = np.linspace(0, 1, 12).reshape(4, 3)
    samples[0, 0] = np.nan
    metrics = [(b"w2", 0.25, np.nan, b"ok"), (b"residual", 1e-17, 0.0, b"ok")]
    with tempfile.TemporaryDirectory() as folder:
        old, new, listed = (os.path.join(folder, name) for name in ("old", "new", "listed"))
        write(old, samples, metrics)
        change(new, samples.copy(), list(metrics))
        with open(listed, "w", encoding="utf-8") as file:
            file.write(exceptions)
        result = subprocess.run([sys.executable, script, old, new, "--exceptions", listed], capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


def last_bit(new, samples, metrics):
    samples[2, 1] = np.nextafter(samples[2, 1], 2)
    write(new, samples, metrics)


def metric(factor):
    def change(new, samples, metrics):
        write(new, samples, [(b"w2", 0.25 * factor, np.nan, b"ok"), metrics[1]])
    return change


def gone(new, samples, metrics):
    write(new, samples, metrics[:1])


def turned(new, samples, metrics):
    write(new, samples, [(b"w2", np.nan, np.nan, b"failed"), metrics[1]])


def other_cell(new, samples, metrics):
    write(new, samples, metrics)
    write(new, samples, metrics, cell="sphere/ddpm/none/seed-1")


must_pass = {
    "the same": write,
    "rounding": metric(1 + 1e-13),
    "a metric more": lambda new, samples, metrics: write(new, samples, metrics + [(b"tvd", 1.0, 0.0, b"ok")]),
}
must_fail = {
    "the last bit of a sample": (last_bit, "samples/raw"),
    "a metric": (metric(1 + 1e-11), "metrics/raw/w2"),
    "a metric that is gone": (gone, "metrics/raw/residual"),
    "a metric that failed": (turned, "metrics/raw/w2"),
    "the hash of samples": (lambda n, s, m: write(n, s, m, sample_hash="c"), "sample_hash"),
    "the hash of metrics": (lambda n, s, m: write(n, s, m, metric_hash="c"), "metric_hash"),
    "a state": (lambda n, s, m: write(n, s, m, status="diverged"), "status"),
    "a cell": (other_cell, "seed-1:cell"),
    "another type": (lambda n, s, m: write(n, s.astype("f4"), m), "samples/raw"),
}
for what, change in must_pass.items():
    code, output = compare(change)
    assert code == 0, (what, output)
for what, (change, place) in must_fail.items():
    code, output = compare(change)
    assert code == 1 and place in output, (what, code, output)
    code, output = compare(change, f"*{place}  planted\n")
    assert code == 0 and "excepted" in output, (what, code, output)
code, output = compare(write, "*:samples/raw  nothing needs it\n")
assert code == 0 and "not needed here" in output, output
code, output = compare(write, "*:samples/raw\n")
assert code == 2 and "no reason" in output, output

sys.path.insert(0, os.path.join(source, "scripts"))
sys.dont_write_bytecode = True
from thin_suite import thin  # noqa: E402: its folder comes first

with open(os.path.join(source, "suite/suites/methods.toml"), encoding="utf-8") as file:
    full = file.read()
thinned = thin(full)
assert thinned.count("[[method]]") == full.count("[[method]]") > 10
assert 'name = "methods-thin"' in thinned and 'seeds = "0..0"' in thinned
assert "steps = 20 " in thinned + " " and "5000" not in thinned.split("[suite]")[1], thinned
print("ok")
