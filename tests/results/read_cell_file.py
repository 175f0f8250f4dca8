# SPDX-License-Identifier: Apache-2.0
"""Reads a raw file and a metrics file as anyone with h5py would: read_cell_file.py RAW METRICS."""
import hashlib
import json
import sys

import h5py
import numpy as np

raw_path, metrics_path = sys.argv[1:]
with h5py.File(raw_path, "r") as raw:
    assert raw.attrs["schema_version"] == 1 and raw.attrs["kind"] == "raw"
    config = json.loads(raw["config"][()])
    assert config["steps"] == 7000 and config["unicode"] == "σ ✓", config
    assert raw["status"].asstr()[()] == "ok" and raw["status"].attrs["message"] == ""
    samples = raw["samples/raw"][:]
    assert samples.shape == (10000, 3) and samples.dtype == np.float64
    assert np.isnan(samples[2, 1]) and samples[2, 2] == -np.inf and np.signbit(samples[3, 0])
    projected = raw["samples/projected"][:]
    good = np.isfinite(projected).all(axis=1)
    assert good.sum() == 9999 and np.allclose(np.linalg.norm(projected[good], axis=1), 1)
    converged = raw["samples/projection_converged"]
    assert converged.dtype == bool and converged[:].sum() == 9999
    assert raw["training/vae/loss"].shape == (5,)
    assert raw["model/state/weight_0"].dtype == np.float32 and raw["model/state/weight_0"].shape == (128, 35)
    assert raw["timing/fit"][()] == 1.25
    digest = raw.attrs["file_digest"]

with h5py.File(metrics_path, "r") as metrics:
    table = metrics["metrics/raw"][:]
    assert table.dtype.names[:14] == ("name", "value", "target", "null", "null_sd", "se", "unit", "direction", "version",
                                 "parameters", "n_reference", "n_samples", "n_nonfinite", "status"), table.dtype
    assert table.dtype.names[14:] == ("p",), table.dtype  # additions go to the end
    assert table["name"].tolist() == [b"tvd", b"constraint_mean"]
    assert table["value"][0] == 0.125 and np.isnan(table["value"][1]) and table["version"][0] == 3
    assert json.loads(table["parameters"][0]) == {"bins": 20, "note": "σ"}
    assert metrics["metrics/projected"].shape == (0,)

# The digest can be checked without this program.
with open(raw_path, "rb") as file:
    content = file.read()
kind, digits = digest.split(":")
assert hashlib.new(kind, content.replace(digits.encode(), b"0" * len(digits))).hexdigest() == digits
