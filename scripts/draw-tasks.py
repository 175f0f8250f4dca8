#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the pictures of docs/tasks.md: 2,000 training points of every task, as `onmanifold export` writes them.

    scripts/draw-tasks.py [ONMANIFOLD] [FOLDER] [TASKS]

ONMANIFOLD is the program (default build/release/onmanifold), FOLDER where the PNG files go (default
docs/images/tasks), TASKS a shell glob (default '*'). The earth tasks are drawn where their files are in
$ONMANIFOLD_DATA, and passed over otherwise. Needs NumPy and gnuplot. The digits of the flux tasks have a picture
of their own.
"""
import fnmatch
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

program = sys.argv[1] if len(sys.argv) > 1 else "build/release/onmanifold"
folder = Path(sys.argv[2] if len(sys.argv) > 2 else "docs/images/tasks")
pattern = sys.argv[3] if len(sys.argv) > 3 else "*"


def wanted(*names):
    return fnmatch.filter(names, pattern)


def export(task, *more):
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/points.npy"
        subprocess.run([program, "export", task, "-n", "2000", "--seed", "0", "-o", path, *more], check=True,
                       stdout=subprocess.DEVNULL)
        return np.load(path)


def draw(task, commands, data):
    """Runs gnuplot on `commands`, where $points names the rows of `data`."""
    rows = "\n".join(" ".join(f"{value:.6g}" for value in row) for row in data)
    size = "520,400"
    script = (f"set terminal pngcairo size {size} font ',10'\nset output '{folder / task}.png'\nset tics scale 0.5\n"
              f"unset key\n$points << END\n{rows}\nEND\n{commands}\n")
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


dots = "with points pt 7 ps 0.25 lc rgb '#3060a0'"


def scatter(task, data, labels, ranges=""):
    draw(task, f"set xlabel '{labels[0]}'\nset ylabel '{labels[1]}'\nset size ratio -1\n{ranges}\n"
               f"plot $points using 1:2 {dots}", data)


def space(task, data, view="60,30", labels=("x", "y", "z")):
    draw(task, f"set view {view}\nset view equal xyz\nset xyplane relative 0\nset xlabel '{labels[0]}'\n"
               f"set ylabel '{labels[1]}'\nset zlabel '{labels[2]}'\nsplot $points using 1:2:3 {dots}", data)


def principal(data, count):
    """Coordinates on the `count` axes of largest spread, which need no knowledge of the subspace."""
    centred = data - data.mean(axis=0)
    return centred @ np.linalg.svd(centred, full_matrices=False)[2][:count].T


def bars(task, index, label):
    atoms, counts = np.unique(index, return_counts=True)
    draw(task, f"set xlabel '{label}'\nset ylabel 'share of 2000 points'\nset yrange [0:*]\nset style fill solid\n"
               "plot $points using 1:2 with boxes lc rgb '#3060a0'", np.column_stack([atoms, counts / counts.sum()]))


def rotation_vectors(matrices):
    r = matrices.reshape(-1, 3, 3)
    angle = np.arccos(np.clip((np.trace(r, axis1=1, axis2=2) - 1) / 2, -1, 1))
    axis = np.stack([r[:, 2, 1] - r[:, 1, 2], r[:, 0, 2] - r[:, 2, 0], r[:, 1, 0] - r[:, 0, 1]], axis=1)
    return axis * (angle / np.maximum(2 * np.sin(angle), 1e-12))[:, None]


def dihedral(a, b, c, d):
    b1, b2, b3 = b - a, c - b, d - c
    n1, n2 = np.cross(b1, b2), np.cross(b2, b3)
    unit = b2 / np.linalg.norm(b2, axis=1, keepdims=True)
    return np.degrees(np.arctan2(np.sum(np.cross(n1, n2) * unit, axis=1), np.sum(n1 * n2, axis=1)))


def ramachandran(task):
    atoms = export(task, "--full").reshape(2000, -1, 3, 3)  # fragments × residues × (N, CA, C) × xyz
    residues = atoms.shape[1]
    points = []
    for i in range(1, residues - 1):
        n, ca, c = atoms[:, i, 0], atoms[:, i, 1], atoms[:, i, 2]
        points.append(np.column_stack([dihedral(atoms[:, i - 1, 2], n, ca, c), dihedral(n, ca, c, atoms[:, i + 1, 0])]))
    scatter(task, np.concatenate(points)[:: residues - 2], ("phi, degrees", "psi, degrees"),
            "set xrange [-180:180]\nset yrange [-180:180]\nset xtics 90\nset ytics 90")


def made_places(folder):
    """Writes places in the form of volerup.csv that are drawn here: two belts and a cluster."""
    rng = np.random.default_rng(0)
    lon = rng.uniform(-180, 180, 2000)
    lat = np.where(rng.random(2000) < 0.5, 45 * np.sin(np.radians(lon + 60)), 35 * np.cos(np.radians(2 * lon))) \
        + rng.normal(0, 4, 2000)
    lon[:500], lat[:500] = rng.normal(25, 8, 500), rng.normal(-5, 6, 500)
    (folder / "earth").mkdir()
    np.savetxt(folder / "earth" / "volerup.csv", np.column_stack([np.clip(lat, -89, 89), lon]), "%.4f", ",")


def globe(task, name=None):
    try:
        x, y, z = export(task).T
    except subprocess.CalledProcessError:  # the program has said why
        print(f"{task}: passed over", file=sys.stderr)
        return
    scatter(name or task, np.degrees(np.column_stack([np.arctan2(y, x), np.arcsin(np.clip(z, -1, 1))])),
            ("longitude, degrees", "latitude, degrees"),
            "set xrange [-180:180]\nset yrange [-90:90]\nset xtics 60\nset ytics 30\nset grid")


folder.mkdir(parents=True, exist_ok=True)
for name in wanted("plane-gmm9", "plane-smiley"):
    space(name, export(name), view="62,112")
for name in wanted("sphere-vmf6", "sphere-vmf2"):
    space(name, export(name))
for name in wanted("bunny-eigen", "bunny-eigen10", "bunny-eigen50", "bunny-eigen100", "elephant-eigen"):
    space(name, export(name)[:, [0, 2, 1]] * [1, -1, 1], view="80,10", labels=("x", "-z", "y"))
for name in wanted("so3-mixture16", "so3-mixture32", "so3-mixture64", "so3-fisher", "so3-frames"):
    space(name, rotation_vectors(export(name)), labels=("rotation vector", "", ""))
for name in wanted("ellipsoid"):  # lying down
    space(name, export(name)[:, [2, 0, 1]], view="65,20", labels=("z", "x", "y"))
for name in wanted("circle-vm"):
    scatter(name, export(name), ("x", "y"), "set xrange [-1.2:1.2]\nset yrange [-1.2:1.2]")
for name in wanted("linear-64d"):
    scatter(name, principal(export(name), 2), ("first principal axis of 64", "second"))
for name in wanted("sphere-sweep"):
    space(name, principal(export(name), 3), labels=("principal axes of 16", "", ""))
for name in wanted("torus-vm"):
    torus = export(name)
    scatter(name, np.column_stack([np.arctan2(torus[:, 1], torus[:, 0]), np.arctan2(torus[:, 3], torus[:, 2])]),
            ("first angle", "second angle"), "set xrange [-pi:pi]\nset yrange [-pi:pi]")
for name in wanted("torus-ramachandran"):
    pairs = export(name)
    scatter(name, np.degrees(np.column_stack([np.arctan2(pairs[:, 1], pairs[:, 0]),
                                              np.arctan2(pairs[:, 3], pairs[:, 2])])),
            ("phi, degrees", "psi, degrees"),
            "set xrange [-180:180]\nset yrange [-180:180]\nset xtics 90\nset ytics 90")
for name in wanted("finite16"):
    bars(name, export(name).argmax(axis=1), "atom")
for name in wanted("two-points"):
    bars(name, export(name)[:, 0], "first coordinate")
for name in wanted("discrete-cube"):
    cube = export(name)
    bars(name, (cube > 0) @ (2 ** np.arange(cube.shape[1])), "corner, its signs as a binary number")
for name in wanted("discrete-tokens"):
    tokens = export(name).reshape(2000, 4, -1).argmax(axis=2)
    bars(name, tokens @ (tokens.max() + 1) ** np.arange(3, -1, -1), "sequence, as a number")
for name in wanted("sphere-in-16d", "circle-in-16d"):
    space(name, export(name)[:, :3], labels=("first three of 16 coordinates", "", ""))
for name in wanted("backbone-8", "backbone-16", "backbone-synthetic"):
    ramachandran(name)
for name in wanted("earth-volcano", "earth-earthquake", "earth-flood", "earth-fire"):
    globe(name)
if wanted("earth-made"):  # the form of the earth tasks, with places that are nobody's data
    with tempfile.TemporaryDirectory() as directory:
        made_places(Path(directory))
        kept = os.environ.get("ONMANIFOLD_DATA")
        os.environ["ONMANIFOLD_DATA"] = directory
        globe("earth-volcano", "earth-made")
        if kept is None:
            del os.environ["ONMANIFOLD_DATA"]
        else:
            os.environ["ONMANIFOLD_DATA"] = kept
