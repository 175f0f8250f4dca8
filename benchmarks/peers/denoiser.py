# SPDX-License-Identifier: Apache-2.0
"""The denoiser of the low-dimensional tasks in PyTorch: what benchmarks/denoiser_benchmark.cpp is compared with.

Network 35-128-128-128-3 (3 coordinates and 32 time features), SiLU, Adam, weight average .999, cosine schedule with
T = 100. One thread. Prints one number a line: `<name> <milliseconds>`, each the median over repetitions of the CPU time (one thread: the
wall time of a quiet machine). `…_table`
looks the time embedding up in a table, which most PyTorch code does not do.
"""
import math
import statistics
import sys
import time

import torch

D, WIDTH, EMBEDDING, BATCH, T, POINTS = 3, 128, 32, 256, 100, 10_000


class Denoiser(torch.nn.Module):
    """The network as it is usually written: the embedding is computed from t in every call."""

    def __init__(self):
        super().__init__()
        half = EMBEDDING // 2
        self.register_buffer("frequency", torch.exp(torch.arange(half) * (math.log(1000.0) / (half - 1))))
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(D + EMBEDDING, WIDTH), torch.nn.SiLU(),
            torch.nn.Linear(WIDTH, WIDTH), torch.nn.SiLU(),
            torch.nn.Linear(WIDTH, WIDTH), torch.nn.SiLU(),
            torch.nn.Linear(WIDTH, D))

    def embed(self, t):
        angle = (t / T)[:, None] * self.frequency
        return torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)

    def forward(self, x, t):
        return self.layers(torch.cat([x, self.embed(t)], dim=1))

    def forward_table(self, x, embedding):
        return self.layers(torch.cat([x, embedding], dim=1))


def milliseconds(work, repetitions, inner):
    work()
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        for _ in range(inner):
            work()
        times.append((time.process_time() - start) / inner * 1e3)
    return statistics.median(times)


def main():
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = Denoiser()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    average = [p.detach().clone() for p in network.parameters()]
    t = torch.arange(T + 1) / T
    alpha_bar = torch.cos(0.5 * math.pi * (t + 0.008) / 1.008) ** 2
    alpha_bar = (alpha_bar / alpha_bar[0]).clamp(min=2.4e-5)
    signal, sigma = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    table = network.embed(torch.arange(T + 1))
    data = torch.randn(POINTS, D)
    position = 0

    def training_step(predict):
        nonlocal position
        batch = data[position:position + BATCH]
        position = (position + BATCH) % (POINTS - BATCH)
        times = torch.randint(1, T + 1, (BATCH,))
        noise = torch.randn(BATCH, D)
        state = signal[times, None] * batch + sigma[times, None] * noise
        loss = torch.nn.functional.mse_loss(predict(state, times), noise)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            torch._foreach_mul_(average, 0.999)
            torch._foreach_add_(average, list(network.parameters()), alpha=0.001)

    state = torch.randn(POINTS, D)
    beta = 0.03

    def sampling_step(predict):
        nonlocal state
        with torch.no_grad():
            epsilon = predict(state)
            state = (state - beta / 0.7 * epsilon) / math.sqrt(1 - beta) + math.sqrt(beta) * torch.randn_like(state)

    work = {
        "training_step": (lambda: training_step(network), 40),
        "training_step_table": (lambda: training_step(lambda x, t: network.forward_table(x, table[t])), 40),
        "sampling_step": (lambda: sampling_step(lambda x: network(x, torch.full((POINTS,), 50))), 5),
        "sampling_step_table": (
            lambda: sampling_step(lambda x: network.forward_table(x, table[50].expand(POINTS, EMBEDDING))), 5),
    }
    for name, (function, inner) in work.items():
        print(f"{name} {milliseconds(function, repetitions, inner):.5f}")


if __name__ == "__main__":
    main()
