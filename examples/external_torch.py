#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An external method in PyTorch: flow matching with a small network, the same interface as external_gaussian.py."""
import argparse

import numpy as np
import torch


def fit_and_sample(train, n, seed, steps):
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    mean, scale = train.mean(axis=0), train.std()
    data = torch.tensor((train - mean) / scale, dtype=torch.float32)
    dim = data.shape[1]
    network = torch.nn.Sequential(torch.nn.Linear(dim + 1, 128), torch.nn.SiLU(), torch.nn.Linear(128, 128),
                                  torch.nn.SiLU(), torch.nn.Linear(128, dim))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(steps):
        clean = data[torch.randint(len(data), (256,))]
        noise = torch.randn_like(clean)
        u = torch.rand(len(clean), 1)
        velocity = network(torch.cat([(1 - u) * noise + u * clean, u], dim=1))
        loss = ((velocity - (clean - noise)) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    print(f"loss of the last step: {loss.item():.4f}")
    with torch.no_grad():
        x = torch.randn(n, dim)
        for k in range(100):  # the midpoint rule
            u = torch.full((n, 1), k / 100)
            half = x + 0.005 * network(torch.cat([x, u], dim=1))
            x = x + 0.01 * network(torch.cat([half, u + 0.005], dim=1))
    return x.numpy().astype(np.float64) * scale + mean


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", required=True)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    arguments = parser.parse_args()
    samples = fit_and_sample(np.load(arguments.train), arguments.n, arguments.seed, arguments.steps)
    np.save(arguments.samples, samples)
