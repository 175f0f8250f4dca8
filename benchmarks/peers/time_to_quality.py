# SPDX-License-Identifier: Apache-2.0
"""CPU time until a task's tvd falls to a given value: `edm` of OnManifold beside the same model in PyTorch.

    benchmarks/peers/time_to_quality.py [--program build/release/onmanifold] [--core 0] [--steps 1000 2000 …]
        [--replicates 3] [--samples 50000] [--targets sphere-vmf6=.040 bunny-eigen=.09]

Both train on the same 10,000 points with the settings that `edm` has by default, draw samples by the same sampler and are
scored by `onmanifold score`. Every number of steps is a training of its own, because the learning rate falls to 0 at its end. Time
is the CPU time of one process on one core, training and sampling; the first number of steps whose mean tvd is at or below the target
counts. PyTorch runs one thread, looks its time features up in a table and samples in blocks of 512, 2,048 and 10,000 columns, of which
the fastest counts. Needs a Python with torch and h5py (Debian: python3-torch, python3-h5py).
"""
import argparse
import csv
import json
import math
import os
import subprocess
import sys
import tempfile
import time

import h5py
import numpy
import torch

N_TRAIN, BATCH, WIDTH, HALF, SCALE = 10_000, 256, 128, 16, 4.0
LEVELS, LARGEST, SMALLEST = 400, 80.0, 0.01
RATE, WARMUP, AVERAGE = 5e-3, 100, 0.9995
MEAN, DEVIATION = -1.2, 1.5
VISITED, POWER = 64, 7


class Network(torch.nn.Module):
    """(features of log s, x, sin Bx, cos Bx) -> F, three hidden layers of SiLU."""

    def __init__(self, dimension):
        super().__init__()
        self.register_buffer("frequencies", torch.randn(HALF, dimension) * SCALE / math.sqrt(dimension))
        inputs = 2 * HALF + dimension + 2 * HALF
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(inputs, WIDTH), torch.nn.SiLU(),
            torch.nn.Linear(WIDTH, WIDTH), torch.nn.SiLU(),
            torch.nn.Linear(WIDTH, WIDTH), torch.nn.SiLU(),
            torch.nn.Linear(WIDTH, dimension))

    def forward(self, x, embedding):
        phase = x @ self.frequencies.T
        return self.layers(torch.cat([embedding, x, torch.sin(phase), torch.cos(phase)], dim=1))


def level_grid():
    """s_1 … s_T, their signal and noise factors, and the features of their logarithms."""
    s = torch.exp(torch.linspace(math.log(SMALLEST), math.log(LARGEST), LEVELS, dtype=torch.float64))
    signal = 1 / torch.sqrt(1 + s * s)
    weights = 0.125 * 32 ** (torch.arange(HALF, dtype=torch.float64) / (HALF - 1))
    angle = torch.log(s)[:, None] * weights
    table = torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)
    return s, signal.float(), (s * signal).float(), table.float()


def level_chances(s):
    """Cumulative chances of the levels: log-normal masses of the cells around their logarithms."""
    log = torch.log(s)
    edges = torch.cat([(1.5 * log[:1] - 0.5 * log[1:2]), 0.5 * (log[1:] + log[:-1]), (1.5 * log[-1:] - 0.5 * log[-2:-1])])
    chances = torch.diff(torch.distributions.Normal(MEAN, DEVIATION).cdf(edges))
    return torch.cumsum(chances / chances.sum(), 0)


def rate_at(step, steps):
    if step < WARMUP:
        return RATE * (step + 1) / WARMUP
    return RATE * 0.5 * (1 + math.cos(math.pi * min((step - WARMUP) / max(steps - WARMUP, 1), 1)))


def train(data, steps, grid):
    s, signal, noise_of, table = grid
    network = Network(data.shape[1])
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(parameters, lr=RATE)
    average = [p.detach().clone() for p in parameters]
    cumulative = level_chances(s)
    order, position = torch.randperm(N_TRAIN), 0
    strata = torch.arange(BATCH, dtype=torch.float64)
    for step in range(steps):
        if position + BATCH > N_TRAIN:
            order, position = torch.randperm(N_TRAIN), 0
        clean = data[order[position:position + BATCH]]
        position += BATCH
        times = torch.searchsorted(cumulative, (strata + torch.rand(BATCH, dtype=torch.float64)) / BATCH).clamp_(max=LEVELS - 1)
        a, sigma = signal[times, None], noise_of[times, None]
        noise = torch.randn_like(clean)
        loss = torch.nn.functional.mse_loss(network(a * clean + sigma * noise, table[times]), sigma * clean - a * noise)
        optimiser.param_groups[0]["lr"] = rate_at(step, steps)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        follow = 1 - min(AVERAGE, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_mul_(average, 1 - follow)
            torch._foreach_add_(average, parameters, alpha=follow)
    with torch.no_grad():
        for p, e in zip(parameters, average):
            p.copy_(e)
    return network


def visited_levels(s):
    """The grid's levels nearest in log s to those whose 7th roots fall evenly, each once, largest first."""
    wanted = torch.linspace(LARGEST ** (1 / POWER), SMALLEST ** (1 / POWER), VISITED, dtype=torch.float64) ** POWER
    nearest = (torch.log(s)[None, :] - torch.log(wanted)[:, None]).abs().argmin(1)
    return sorted(set(nearest.tolist()), reverse=True)


@torch.no_grad()
def sample(network, n, dimension, grid, block):
    """The second-order stochastic multistep rule for the estimate of the data point, in y = x/a."""
    s, signal, noise_of, table = grid
    visited = visited_levels(s)
    level = s.tolist()
    parts = []
    for first in range(0, n, block):
        columns = min(block, n - first)
        y = torch.randn(columns, dimension) / signal[visited[0]]
        before = None
        for i, t in enumerate(visited):
            x = signal[t] * y
            estimate = signal[t] * x + noise_of[t] * network(x, table[t].expand(columns, 2 * HALF))
            if i + 1 == len(visited):
                y = estimate
                break
            now, next_ = level[t], level[visited[i + 1]]
            kept = (next_ / now) ** 2
            direction = estimate
            if before is not None:
                ratio = math.log(now / next_) / (2 * math.log(level[visited[i - 1]] / now))
                direction = estimate + ratio * (estimate - before)
            y = kept * y + (1 - kept) * direction + next_ * math.sqrt(1 - kept) * torch.randn_like(y)
            before = estimate
        parts.append(y)
    return torch.cat(parts)


def tvd_of(program, task, samples):
    out = subprocess.run([program, "score", "--task", task, "--samples", samples, "--metrics", "tvd", "--json", "-"],
                         check=True, capture_output=True, text=True).stdout
    return next(m["value"] for m in json.loads(out)["metrics"] if m["samples"] == "projected")


def run_torch(program, task, folder, steps, replicate, n):
    """(CPU seconds of training and sampling, tvd)."""
    path = f"{folder}/train-{task}-{replicate}.npy"
    if not os.path.exists(path):
        subprocess.run([program, "export", task, "-n", str(N_TRAIN), "--seed", str(replicate), "-o", path], check=True,
                       capture_output=True)
    points = numpy.load(path)
    mean = points.mean(0)
    scale = math.sqrt(((points - mean) ** 2).mean())
    torch.manual_seed(replicate)
    grid = level_grid()
    data = torch.tensor((points - mean) / scale, dtype=torch.float32)
    start = time.process_time()
    network = train(data, steps, grid)
    training = time.process_time() - start
    sampling = math.inf
    for block in (512, 2048, 10_000):
        start = time.process_time()
        drawn = sample(network, n, points.shape[1], grid, block)
        sampling = min(sampling, time.process_time() - start)
    numpy.save(f"{folder}/samples.npy", drawn.double().numpy() * scale + mean)
    return training + sampling, tvd_of(program, task, f"{folder}/samples.npy")


def run_ours(program, task, folder, steps, replicates, n):
    """One (CPU seconds, tvd) a replicate."""
    results = f"{folder}/{task}-{steps}"
    with open(f"{results}.toml", "w", encoding="utf-8") as file:
        file.write(f'[suite]\nname = "time-to-quality"\nseeds = "0..{replicates - 1}"\nn_train = {N_TRAIN}\nn_samples = {n}\n'
                   f'keep_samples = 1\n[[task]]\nname = "{task}"\nmetrics = "tvd"\n'
                   f'[[method]]\nname = "edm"\nsteps = {steps}\n')
    subprocess.run([program, "run", f"{results}.toml", "-o", results, "-j", "1"], check=True, capture_output=True)
    subprocess.run([program, "report", results, "--format", "csv"], check=True, capture_output=True)
    with open(f"{results}/report.csv", encoding="utf-8") as file:
        tvd = {int(row["seed"]): float(row["value"]) for row in csv.DictReader(file)
               if row["metric"] == "tvd" and row["samples"] == "projected"}
    pairs = []
    for k in range(replicates):
        with h5py.File(f"{results}/{task}/edm/none/seed-{k}.h5") as cell:
            pairs.append((float(cell["timing/cpu_s"][()]), tvd[k]))
    return pairs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--program", default=f"{here}/../../build/release/onmanifold")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--steps", type=int, nargs="+", default=[1000, 2000, 3000, 4000, 6000, 8000, 12000])
    parser.add_argument("--replicates", type=int, default=3)
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--targets", nargs="+", default=["sphere-vmf6=.040", "bunny-eigen=.09"])
    arguments = parser.parse_args()
    if not os.path.exists(arguments.program):
        sys.exit(f"time_to_quality.py: {arguments.program} is missing: build target onmanifold")
    os.sched_setaffinity(0, {arguments.core})
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    torch.set_num_threads(1)
    print(f"one core; {arguments.replicates} replicates, {arguments.samples} samples; torch {torch.__version__}")
    print(f"{'task':<14}{'steps':>7}{'ours s':>9}{'tvd':>8}{'torch s':>9}{'tvd':>8}{'ratio':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for target in arguments.targets:
            task, limit = target.split("=")
            reached = {}
            for steps in arguments.steps:
                ours = run_ours(arguments.program, task, folder, steps, arguments.replicates, arguments.samples)
                theirs = [run_torch(arguments.program, task, folder, steps, k, arguments.samples)
                          for k in range(arguments.replicates)]
                means = [numpy.mean(pairs, axis=0) for pairs in (ours, theirs)]
                (a, p), (b, q) = means
                print(f"{task:<14}{steps:>7}{a:>9.2f}{p:>8.4f}{b:>9.2f}{q:>8.4f}{b / a:>7.2f}", flush=True)
                for name, (seconds, tvd) in zip(("ours", "torch"), means):
                    if tvd <= float(limit):
                        reached.setdefault(name, seconds)
                if len(reached) == 2:
                    break
            words = [f"{name} {reached[name]:.2f} s" if name in reached else f"{name} not reached" for name in ("ours", "torch")]
            ratio = f"; ratio {reached['torch'] / reached['ours']:.2f}" if len(reached) == 2 else ""
            print(f"{task}: tvd {limit}: {', '.join(words)}{ratio}", flush=True)


if __name__ == "__main__":
    main()
