# SPDX-License-Identifier: Apache-2.0
"""CPU seconds of scikit-learn, NumPy and SciPy for the work of benchmarks/metric_benchmark.cpp: N = M = 10,000, D = 3,
and fd at N = M = 5,000, D = 2,048 by the general matrix square root.

One thread (OMP_NUM_THREADS=1). Prints one JSON object on one line.
"""
import json
import time

import numpy
import scipy
import scipy.linalg
import sklearn
from sklearn.metrics import pairwise_distances
from sklearn.metrics.pairwise import rbf_kernel


def mmd2_five_bandwidths(x, y):
    total = 0.0
    for gamma in (0.01, 0.1, 1.0, 10.0, 100.0):
        total += rbf_kernel(x, x, gamma).mean() + rbf_kernel(y, y, gamma).mean() - 2 * rbf_kernel(x, y, gamma).mean()
    return total / 5


def prdc(x, y, k):
    def radii(points):
        return numpy.partition(pairwise_distances(points), k, axis=1)[:, k]

    radii_x, radii_y = radii(x), radii(y)
    between = pairwise_distances(x, y)
    inside_x = between < radii_x[:, None]
    inside_y = between < radii_y[None, :]
    return (inside_x.any(axis=0).mean(), inside_y.any(axis=1).mean(),
            inside_x.sum() / (k * len(y)), (between.min(axis=1) < radii_x).mean())


def fd(x, y):
    a, b = numpy.cov(x, rowvar=False), numpy.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(a @ b)
    return ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum() + numpy.trace(a) + numpy.trace(b) - 2 * numpy.trace(root).real


def seconds(work, *arguments):
    start = time.process_time()
    work(*arguments)
    return time.process_time() - start


if __name__ == "__main__":
    generator = numpy.random.default_rng(0)
    a, b = generator.normal(size=(10000, 3)), generator.normal(size=(10000, 3))
    print(json.dumps({"sklearn": sklearn.__version__, "numpy": numpy.__version__,
                      "mmd2_five_bandwidths": seconds(mmd2_five_bandwidths, a, b),
                      "prdc_k5": seconds(prdc, a, b, 5), "scipy": scipy.__version__,
                      "fd_2048": seconds(fd, generator.normal(size=(5000, 2048)), generator.normal(size=(5000, 2048)))}))
