# SPDX-License-Identifier: Apache-2.0
"""The U-Net of the image tasks in PyTorch: what benchmarks/unet_benchmark.cpp is compared with.

The same layers as models/networks/unet.hpp at 28x28 (32 and 48 channels), Adam, weight average .999, cosine schedule with
T = 100, one thread. Prints one number a line: `<name> <milliseconds>`, each the median over repetitions of the CPU time.
`..._channels_last` keeps the images in PyTorch's channels-last layout.
"""
import math
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

BATCH, T, SAMPLES = 64, 100, 512


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, inputs), nn.GroupNorm(8, outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.time = nn.Linear(64, outputs, bias=False)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, tau):
        h = self.conv1(F.silu(self.norm1(x))) + self.time(tau)[:, :, None, None]
        return self.conv2(F.silu(self.norm2(h))) + self.skip(x)


class Unet(nn.Module):
    def __init__(self, fine=32, coarse=48):
        super().__init__()
        self.register_buffer("frequency", torch.exp(torch.arange(16) * (math.log(1000.0) / 15)))
        self.time = nn.Linear(32, 64)
        self.first = nn.Conv2d(4, fine, 3, padding=1)
        self.down, self.deep, self.up = Block(fine, fine), Block(fine, coarse), Block(fine, fine)
        self.rise = nn.Conv2d(coarse, fine, 1)
        self.norm = nn.GroupNorm(8, fine)
        self.last = nn.Conv2d(fine, 4, 3, padding=1)

    def forward(self, x, t):
        angle = (t / T)[:, None] * self.frequency
        tau = F.silu(self.time(torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)))
        h = self.down(self.first(F.pixel_unshuffle(x, 2)), tau)
        g = self.rise(self.deep(F.avg_pool2d(h, 2), tau))
        h = self.up(h + F.interpolate(g, scale_factor=2, mode="nearest"), tau)
        return F.pixel_shuffle(self.last(F.silu(self.norm(h))), 2)


def milliseconds(work, repetitions):
    work()
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) * 1e3)
    return statistics.median(times)


def measure(suffix, layout, repetitions):
    network = Unet().to(memory_format=layout)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    average = [p.detach().clone() for p in network.parameters()]
    t = torch.arange(T + 1) / T
    alpha_bar = torch.cos(0.5 * math.pi * (t + 0.008) / 1.008) ** 2
    alpha_bar = (alpha_bar / alpha_bar[0]).clamp(min=2.4e-5)
    signal, sigma = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    data = torch.randn(1024, 1, 28, 28)

    def training_step():
        first = torch.randint(0, 1024 - BATCH, ()).item()
        times = torch.randint(1, T + 1, (BATCH,))
        noise = torch.randn(BATCH, 1, 28, 28)
        state = signal[times, None, None, None] * data[first:first + BATCH] + sigma[times, None, None, None] * noise
        loss = F.mse_loss(network(state.contiguous(memory_format=layout), times), noise)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            torch._foreach_mul_(average, 0.999)
            torch._foreach_add_(average, list(network.parameters()), alpha=0.001)

    state = torch.randn(SAMPLES, 1, 28, 28)

    def sampling_step():
        nonlocal state
        with torch.no_grad():
            epsilon = network(state.contiguous(memory_format=layout), torch.full((SAMPLES,), 50))
            state = (state - 0.03 / 0.7 * epsilon) / math.sqrt(0.97) + math.sqrt(0.03) * torch.randn_like(state)

    print(f"unet_training_step{suffix} {milliseconds(training_step, repetitions):.4f}")
    print(f"unet_sampling_step{suffix} {milliseconds(sampling_step, max(repetitions // 3, 1)):.4f}")


def main():
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    torch.set_num_threads(1)
    torch.manual_seed(0)
    measure("", torch.contiguous_format, repetitions)
    measure("_channels_last", torch.channels_last, repetitions)


if __name__ == "__main__":
    main()
