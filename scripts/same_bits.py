#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares two results directories: /samples and both hashes bit for bit, /metrics to 1e-12.

    same_bits.py OLD NEW [--exceptions FILE]

Prints each difference as <cell>:<what>: how. Exit codes: 0 nothing but listed exceptions, 1 a difference, 2 bad input.
What only NEW has (columns, metrics, datasets outside /samples) is an addition and no difference."""
import argparse
import fnmatch
import os
import sys

import h5py
import numpy as np

RELATIVE = 1e-12
ABSOLUTE = 1e-15  # below rounding of what is of the order 1: residuals of projected points


def cells(directory):
    """Paths of raw files below the directory, without .h5, in order."""
    found = []
    for folder, _, names in os.walk(directory):
        for name in names:
            if name.startswith("seed-") and name.endswith(".h5") and not name.endswith(".metrics.h5"):
                found.append(os.path.relpath(os.path.join(folder, name[:-3]), directory))
    return sorted(found)


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def scalar(group, name):
    return text(group[name][()]) if name in group else None


def attribute(file, name):
    return text(file.attrs[name]) if name in file.attrs else None


def same_bits(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def close(a, b):
    if np.isnan(a) or np.isnan(b):
        return np.isnan(a) and np.isnan(b)
    return a == b or abs(a - b) <= max(RELATIVE * max(abs(a), abs(b)), ABSOLUTE)


def raw_differences(old, new):
    if attribute(old, "sample_hash") != attribute(new, "sample_hash"):
        yield "sample_hash", f"{attribute(old, 'sample_hash')} and {attribute(new, 'sample_hash')}"
    if scalar(old, "status") != scalar(new, "status"):
        yield "status", f"{scalar(old, 'status')} and {scalar(new, 'status')}"
    before, after = old.get("samples", {}), new.get("samples", {})
    for name in sorted(set(before) | set(after)):
        if name not in before or name not in after:
            yield f"samples/{name}", f"only in the {'old' if name in before else 'new'} file"
            continue
        a, b = before[name][()], after[name][()]
        if not same_bits(a, b):
            number = np.count_nonzero(a != b) if a.shape == b.shape else "shape or type of all"
            yield f"samples/{name}", f"{number} of {a.size} numbers differ"


def row_differences(where, before, after):
    for column in before.dtype.names:
        if column not in after.dtype.names:
            yield where, f"the column {column} is gone"
            continue
        a, b = before[column], after[column]
        if np.issubdtype(before.dtype[column], np.number) and np.issubdtype(after.dtype[column], np.number):
            if not close(float(a), float(b)):
                yield where, f"{column} {a!r} and {b!r}"
        elif text(a) != text(b):
            yield where, f"{column} '{text(a)}' and '{text(b)}'"


def metric_differences(old, new):
    if attribute(old, "metric_hash") != attribute(new, "metric_hash"):
        yield "metric_hash", f"{attribute(old, 'metric_hash')} and {attribute(new, 'metric_hash')}"
    for samples in old.get("metrics", {}):
        before = {text(row["name"]): row for row in old["metrics"][samples][()]}
        table = new[f"metrics/{samples}"][()] if f"metrics/{samples}" in new else []
        after = {text(row["name"]): row for row in table}
        for name, row in before.items():
            where = f"metrics/{samples}/{name}"
            if name not in after:
                yield where, "is gone"
            else:
                yield from row_differences(where, row, after[name])


def differences(old_directory, new_directory):
    """Pairs (cell:what, how)."""
    old, new = cells(old_directory), cells(new_directory)
    if not old:
        raise SystemExit(f"same_bits.py: no cells in {old_directory}")
    for cell in sorted(set(old) ^ set(new)):
        yield f"{cell}:cell", f"only in the {'old' if cell in old else 'new'} directory"
    for cell in sorted(set(old) & set(new)):
        for suffix, find in ((".h5", raw_differences), (".metrics.h5", metric_differences)):
            paths = [os.path.join(directory, cell + suffix) for directory in (old_directory, new_directory)]
            there = [os.path.exists(path) for path in paths]
            if not any(there):
                continue
            if not all(there):
                yield f"{cell}:{suffix}", f"only in the {'old' if there[0] else 'new'} directory"
                continue
            with h5py.File(paths[0], "r") as before, h5py.File(paths[1], "r") as after:
                for what, how in find(before, after):
                    yield f"{cell}:{what}", how


def read_exceptions(path):
    """Pairs (pattern, reason)."""
    found = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split(None, 1)
            if not words or words[0].startswith("#"):
                continue
            if len(words) < 2:
                print(f"same_bits.py: {path}:{number}: no reason beside '{words[0]}'", file=sys.stderr)
                raise SystemExit(2)
            found.append((words[0], words[1].strip()))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--exceptions")
    arguments = parser.parse_args()
    for directory in (arguments.old, arguments.new):
        if not cells(directory):
            print(f"same_bits.py: {directory}: no cells", file=sys.stderr)
            return 2
    exceptions = read_exceptions(arguments.exceptions) if arguments.exceptions else []
    used = set()
    wrong = 0
    for where, how in differences(arguments.old, arguments.new):
        reason = next((pair for pair in exceptions if fnmatch.fnmatchcase(where, pair[0])), None)
        if reason:
            used.add(reason)
            continue
        wrong += 1
        print(f"  {where}: {how}")
    for pattern, reason in exceptions:
        print(f"  {'excepted' if (pattern, reason) in used else 'not needed here'}: {pattern} ({reason})")
    print(f"  {len(cells(arguments.old))} cells, {wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
