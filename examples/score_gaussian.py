#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scores a model that lives outside OnManifold: here a Gaussian fitted with NumPy.

    score_gaussian.py PATH/TO/onmanifold [task] [directory]

Replace fit_and_sample by any model of any framework; the rest stays.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np


def fit_and_sample(train, n, seed):
    """The model: N(mean, covariance) of the training points."""
    rng = np.random.default_rng(seed)
    return rng.multivariate_normal(train.mean(axis=0), np.cov(train.T), size=n)


def main(program, task, directory):
    train_file = os.path.join(directory, "train.npy")
    sample_file = os.path.join(directory, "samples.npy")
    score_file = os.path.join(directory, "score.json")

    # Training points of replicate 0: what the built-in methods get, too.
    subprocess.run([program, "export", task, "-n", "10000", "--seed", "0", "-o", train_file], check=True)
    train = np.load(train_file)  # N×D, float64

    np.save(sample_file, fit_and_sample(train, 10000, seed=0))

    # Metrics, settings and reference of the task. --train lets train_copy_rate look for copies.
    subprocess.run([program, "score", "--task", task, "--samples", sample_file, "--train", train_file,
                    "--json", score_file], check=True)

    with open(score_file, encoding="utf-8") as file:
        score = json.load(file)
    metrics = {(metric["name"], metric["samples"]): metric for metric in score["metrics"]}
    tvd = metrics["tvd", "projected"]
    print(f"\ntvd of the projected samples: {tvd['value']:.4f}; a perfect model of this size shows "
          f"{tvd['null']:.4f} ± {tvd['null_sd']:.4f}")
    return score


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    chosen = sys.argv[2] if len(sys.argv) > 2 else "sphere-vmf6"
    if len(sys.argv) > 3:
        os.makedirs(sys.argv[3], exist_ok=True)
        main(sys.argv[1], chosen, sys.argv[3])
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(sys.argv[1], chosen, scratch)
