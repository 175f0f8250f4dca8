# SPDX-License-Identifier: Apache-2.0
"""Runs examples/score_gaussian.py and checks its numbers: score_example.py EXAMPLE PROGRAM."""
import importlib.util
import math
import os
import sys
import tempfile

import numpy as np

sys.dont_write_bytecode = True  # leave the source tree as it is
spec = importlib.util.spec_from_file_location("score_gaussian", sys.argv[1])
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)

with tempfile.TemporaryDirectory() as directory:
    score = example.main(sys.argv[2], "sphere-vmf6", directory)
    train = np.load(os.path.join(directory, "train.npy"))
    samples = np.load(os.path.join(directory, "samples.npy"))

assert train.shape == samples.shape == (10000, 3) and train.dtype == np.float64, train.shape
assert np.allclose(np.linalg.norm(train, axis=1), 1, atol=1e-12)
assert (score["n_samples"], score["dimension"], score["n_reference"]) == (10000, 3, 10000)

found = {(metric["name"], metric["samples"]): metric for metric in score["metrics"]}
for (name, where), metric in found.items():
    assert metric["status"] == "ok", (name, where, metric["status"])
    assert math.isfinite(metric["value"]), (name, where)
# A Gaussian is not the law: far outside the null band, before and after projection.
for where in ("raw", "projected"):
    tvd = found["tvd", where]
    assert tvd["value"] > tvd["null"] + 10 * tvd["null_sd"], tvd
# NumPy's own value of what is simple. Both are sums of 10,000 numbers of size 1: 1e-12 is ample.
off = np.abs(np.linalg.norm(samples, axis=1) - 1)
assert abs(found["constraint_mean", "raw"]["value"] - off.mean()) < 1e-12
assert found["constraint_max", "raw"]["value"] > 0.1
assert found["constraint_max", "projected"]["value"] < 1e-12
# Nothing was copied.
assert found["train_copy_rate", "projected"]["value"] < 0.05
print("ok")
