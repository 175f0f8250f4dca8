#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A unit of each kind can be added in new files, one line of a registry and one line of CMake.

    extend_test.py BUILD_DIRECTORY SOURCE_DIRECTORY [--whole]

Copies the tree, adds the six units of tests/extend/, configures the copy as BUILD_DIRECTORY is configured, builds what is
new or changed, links it with the unchanged libraries of BUILD_DIRECTORY and runs all six in one suite. --whole builds all
of the copy instead, which takes as long as a build from scratch."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

# kind -> (folder, registry, its line, source, the source before it in CMakeLists.txt)
UNITS = {
    "manifold": ("manifolds", "registry.cpp",
                 'manifolds.add("superellipse", "x^p + y^p = 1: superellipse:power=4", make_superellipse);',
                 "superellipse.cpp", "stiefel.cpp"),
    "task": ("datasets", "registry.cpp",
             'r.add("superellipse-uniform", "uniform angles on a superellipse", make_superellipse_task);',
             "tasks/superellipse_task.cpp", "tasks/sphere_tasks.cpp"),
    "method": ("models", "registry.cpp",
               'methods.add("blur", "control: training points with noise", make_blur, '
               "of_role(MethodRole::control, {Need::training}));",
               "controls/blur.cpp", "controls/gaussian.cpp"),
    "metric": ("metrics", "registry.cpp",
               'metrics.add("mean_shift", "distance of the means", make_mean_shift, '
               'info(Direction::lower, 0, infinity, "length", {}, "|mean x - mean y|"));',
               "mean_shift.cpp", "matching.cpp"),
    "diagnostic": ("diagnostics", "registry.cpp",
                   'all.add("training_radius", "largest norm of a training point", make_training_radius);',
                   "training_radius.cpp", "training_record.cpp"),
    "report format": ("reports", "report.cpp",
                      'formats.add("names", "tasks and arms, one a line", make_reporter<NamesReporter>);',
                      "names_report.cpp", "markdown_report.cpp"),
}

SUITE = """
[suite]
name = "extended"
seed = 0
seeds = "0..0"
n_train = 200
n_samples = 100
n_reference = 100
[[task]]
name = "superellipse-uniform"
metrics = "mean_shift"
[[method]]
name = "blur"
lifts = ["none", "normal"]
[[lift]]
name = "normal"
type = "normal"
sigma = "preregistered"
[[diagnostic]]
name = "training_radius"
"""


def run(*command, **options):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        sys.exit(f"extend_test.py: {' '.join(command[:6])} … ended with {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def insert_once(path, pattern, line):
    """\\p line before the one line that matches \\p pattern."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text, count = re.subn(pattern, lambda match: line + match[0], text, flags=re.M)
    assert count == 1, (path, pattern, count)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def add_units(source, copy):
    """The objects that are new or changed, as CMake names them."""
    objects = []
    for folder, registry, entry, unit, before in UNITS.values():
        insert_once(f"{copy}/{folder}/{registry}", r"^    return \w+;$", f"    {entry}\n")
        insert_once(f"{copy}/{folder}/CMakeLists.txt", rf"^    {re.escape(before)}$", f"    {unit}\n")
        for name in (unit, unit.replace(".cpp", ".hpp")):
            shutil.copy(f"{source}/tests/extend/{folder}/{name}", f"{copy}/{folder}/{name}")
        objects += [f"{folder}/CMakeFiles/onmanifold_{folder}.dir/{name}.o" for name in (registry, unit)]
    return objects


def settings_of(build):
    """The choices of a build that its copy must share, as arguments of cmake."""
    kept = ("CMAKE_BUILD_TYPE", "CMAKE_CXX_COMPILER", "CMAKE_C_COMPILER", "CMAKE_CXX_FLAGS", "ONMANIFOLD_MARCH",
            "CMAKE_CXX_COMPILER_LAUNCHER")
    with open(f"{build}/CMakeCache.txt", encoding="utf-8") as cache:
        pairs = re.findall(r"^(\w+):\w+=(.+)$", cache.read(), flags=re.M)
    return [f"-D{name}={value}" for name, value in pairs if name in kept]


def link(build, copy_build, objects, program):
    """The link line of the program with what is new before the libraries, which then give the rest."""
    line = run("ninja", "-C", build, "-t", "commands", "onmanifold").strip().splitlines()[-1]
    new = " ".join(f"{copy_build}/{name}" for name in objects)
    line, count = re.subn(r"-o onmanifold ", f"-o {program} {new} ", line)
    assert count == 1, line
    run("sh", "-c", line, cwd=build)


def check(program, directory):
    """All six are listed, and do what they are for."""
    for kind, name in (("tasks", "superellipse-uniform"), ("manifolds", "superellipse"), ("methods", "blur"),
                       ("metrics", "mean_shift"), ("diagnostics", "training_radius")):
        listed = run(program, "list", kind)
        assert any(line.split()[0] == name for line in listed.splitlines() if line), (kind, listed)
    with open(f"{directory}/extended.toml", "w", encoding="utf-8") as file:
        file.write(SUITE)
    results = f"{directory}/results"
    run(program, "run", f"{directory}/extended.toml", "-o", results, "-j", "1")
    run(program, "report", results, "--format", "names", "--format", "csv", "--format", "md")
    with open(f"{results}/report.names", encoding="utf-8") as file:
        names = file.read()
    assert names == "superellipse-uniform: blur / none\nsuperellipse-uniform: blur / normal\n", names
    with open(f"{results}/report.csv", encoding="utf-8") as file:
        values = [line for line in file if ",mean_shift," in line]
    assert len(values) == 4, values  # two lifts, raw and projected
    assert all(line.rstrip().endswith(",ok") for line in values), values
    with open(f"{results}/report.md", encoding="utf-8") as file:
        text = file.read().replace("\\", "")
    assert "training_radius" in text and "mean_shift" in text, text


def main(build, source, whole):
    with tempfile.TemporaryDirectory() as directory:
        copy = f"{directory}/tree"
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("build", ".git", "results-*"))
        objects = add_units(source, copy)
        copy_build = f"{copy}/build/extended"
        run("cmake", "-S", copy, "-B", copy_build, "-G", "Ninja", "-DONMANIFOLD_BUILD_TESTS=OFF",
            "-DONMANIFOLD_BUILD_BENCHMARKS=OFF", "-DONMANIFOLD_UNITY=OFF", *settings_of(build))
        program = f"{copy_build}/onmanifold"
        if whole:
            run("cmake", "--build", copy_build, "--target", "onmanifold")
        else:
            run("ninja", "-C", copy_build, *objects)
            link(os.path.abspath(build), copy_build, objects, program)
        check(program, directory)
    print(f"{len(UNITS)} units, each in new files, one line of a registry and one of CMake")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--whole" in sys.argv[3:])
