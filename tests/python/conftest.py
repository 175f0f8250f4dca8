# SPDX-License-Identifier: Apache-2.0
"""What the tests of the Python package share: exact scores in NumPy, and programs that they start."""
import os
import subprocess
import sys

import numpy as np
import pytest

import onmanifold as om


def program(*words, **options):
    """python3 -m onmanifold with these words; standard output. Fails where it fails."""
    done = subprocess.run([sys.executable, "-m", "onmanifold", *map(str, words)], text=True, capture_output=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def script(text, **options):
    """A Python program in a process of its own."""
    return subprocess.run([sys.executable, "-c", text], text=True, capture_output=True, env=dict(os.environ), **options)


def plane_score(x, s):
    """grad log p of plane-gmm9 under noise s: nine Gaussians of width .1 on the plane (1,2,3)x/sqrt(14) = 1."""
    n = np.array([1, 2, 3]) / np.sqrt(14)
    e1 = np.array([2, -1, 0]) / np.sqrt(5)
    e2 = np.cross(n, e1)
    width = 0.1**2 + s**2
    centres = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)], float)
    difference = centres[None] - np.stack([x @ e1, x @ e2], 1)[:, None]
    logs = -(difference**2).sum(2) / (2 * width)
    weights = np.exp(logs - logs.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    plane = (weights[:, :, None] * difference).sum(1) / width
    return plane @ np.stack([e1, e2]) - ((x @ n - 1) / s**2)[:, None] * n


def sphere_score(x, s):
    """grad log p of sphere-vmf6 under noise s: six von Mises-Fisher modes of concentration 20."""
    golden = (1 + np.sqrt(5)) / 2
    a = 1 / np.sqrt(1 + golden**2)
    b = golden * a
    means = np.array([(0, a, b), (0, -a, b), (a, b, 0), (-a, b, 0), (b, 0, a), (b, 0, -a)])
    masses = np.array([0.30, 0.22, 0.18, 0.14, 0.10, 0.06])
    z = 20 * means[None] + x[:, None] / s**2
    k = np.linalg.norm(z, axis=2)
    logs = np.log(masses) - np.log(k) + k + np.log1p(-np.exp(-2 * k))
    weights = np.exp(logs - logs.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    length = 1 / np.tanh(k) - 1 / k
    return -x / s**2 + ((weights * length / k)[:, :, None] * z).sum(1) / s**2


@pytest.fixture(scope="session")
def sphere():
    return om.task("sphere-vmf6")
