#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An external method in NumPy: N(mean, covariance) of the training points.

    external_gaussian.py --train TRAIN.npy --samples SAMPLES.npy --n N --seed SEED

A suite runs it as a [[method]] of type "external" (external.toml). Replace fit_and_sample by any model; the rest stays.
"""
import argparse

import numpy as np


def fit_and_sample(train, n, seed):
    """The model: train is M×D float64, already lifted if the cell asks for a lift; returns n×D."""
    rng = np.random.default_rng(seed)
    return rng.multivariate_normal(train.mean(axis=0), np.cov(train.T), size=n)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", required=True)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    train = np.load(arguments.train)
    print(f"{train.shape[0]} training points in R^{train.shape[1]}")  # goes into the cell file, /log
    np.save(arguments.samples, fit_and_sample(train, arguments.n, arguments.seed).astype(np.float64))
