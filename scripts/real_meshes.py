#!/usr/bin/env python3
"""Reads meshes of other people with our reader and with one of its own, and compares.

    real_meshes.py READER FOLDER

READER is the program read_surface. Every .off, .obj, .ply and .stl below FOLDER is read by it in a process of its own,
as it is and with weld = 0. What this script reads for itself are polygons: whether they are a closed manifold surface,
its area (of each polygon half the sum of the cross products along its border, by Stokes) and its volume (by the
divergence theorem), so neither depends on how polygons are cut into triangles. Exit code 1 if a file crashes the
reader, takes longer than a minute, or has another area or volume, or if fewer than 95 % of the closed manifold surfaces
load.
"""

import collections
import math
import os
import re
import struct
import subprocess
import sys

import numpy as np

ENDINGS = (".off", ".obj", ".ply", ".stl")


# ---------------------------------------------------------------- a second reader


def text_lines(data):
    text = data.decode("utf-8-sig", errors="replace")
    for line in text.splitlines():
        line = line.split("#", 1)[0].strip()
        if line:
            yield line


def read_off(data):
    if b"BINARY" in data[:40].split(b"\n", 1)[0]:
        raise ValueError("OFF BINARY")
    words = [word for line in text_lines(data) for word in line.split()]
    header = re.fullmatch(r"(ST)?(C)?(N)?(4)?(n)?OFF(\d*)", words[0])
    if not header:
        raise ValueError("no header OFF")
    words = ([header[6]] if header[6] else []) + words[1:]
    # Lines, since a face may end in a colour of any length.
    lines = [line.split() for line in text_lines(data)][1:]
    if header[5]:
        lines = lines[1:]
    if header[6]:
        n_vertices, n_faces = int(words[0]), int(words[1])
    else:
        n_vertices, n_faces = int(lines[0][0]), int(lines[0][1])
        lines = lines[1:]
    vertices = []
    for line in lines[:n_vertices]:
        x = [float(word) for word in line[:4 if header[4] else 3]]
        vertices.append([c / x[3] for c in x[:3]] if header[4] else x)
    faces = []
    if len(lines) > n_vertices + n_faces:
        raise ValueError("more faces than it says")
    for line in lines[n_vertices:]:
        count = int(line[0])
        faces.append([int(word) for word in line[1:count + 1]])
        if len(faces[-1]) != count:
            raise ValueError("a face of several lines")
    if len(vertices) != n_vertices or len(faces) != n_faces:
        raise ValueError("too few lines")
    return vertices, faces


def read_obj(data):
    text = data.decode("utf-8-sig", errors="replace").replace("\\\r\n", " ").replace("\\\n", " ")
    vertices, faces = [], []
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if words[0] == "v":
            vertices.append([float(word) for word in words[1:4]])
        elif words[0] == "f":
            corners = [int(word.split("/")[0]) for word in words[1:]]
            faces.append([c - 1 if c > 0 else len(vertices) + c for c in corners])
    return vertices, faces


PLY_TYPES = {"char": "b", "int8": "b", "uchar": "B", "uint8": "B", "short": "h", "int16": "h", "ushort": "H",
             "uint16": "H", "int": "i", "int32": "i", "uint": "I", "uint32": "I", "float": "f", "float32": "f",
             "double": "d", "float64": "d"}


def read_ply(data):
    end = re.search(rb"end_header[ \t]*\r?\n", data)
    head = data[:end.end()].decode("ascii", errors="replace").split("\n")
    kind = next(line.split()[1] for line in head if line.startswith("format"))
    elements = []
    for line in head:
        words = line.split()
        if words[:1] == ["element"]:
            elements.append((words[1], int(words[2]), []))
        elif words[:1] == ["property"]:
            elements[-1][2].append(words[1:])
    place = end.end()
    words = iter(data[place:].split()) if kind == "ascii" else None
    order = ">" if kind == "binary_big_endian" else "<"

    def value(name):
        nonlocal place
        if words is not None:
            return float(next(words))
        code = order + PLY_TYPES[name]
        number = struct.unpack_from(code, data, place)[0]
        place += struct.calcsize(code)
        return number

    vertices, faces = [], []
    for name, count, properties in elements:
        for _ in range(count):
            row = {}
            for words_of in properties:
                if words_of[0] == "list":
                    row[words_of[3]] = [value(words_of[2]) for _ in range(int(value(words_of[1])))]
                else:
                    row[words_of[1]] = value(words_of[0])
            if name == "vertex":
                vertices.append([row["x"], row["y"], row["z"]])
            elif name == "face":
                corners = row.get("vertex_indices", row.get("vertex_index"))
                faces.append([int(corner) for corner in corners])
            elif name == "tristrips":
                raise ValueError("tristrips")
    return vertices, faces


def read_stl(data):
    corners = []
    if len(data) >= 84 and len(data) == 84 + 50 * struct.unpack_from("<I", data, 80)[0]:
        for i in range(struct.unpack_from("<I", data, 80)[0]):
            corners.extend(struct.unpack_from("<9f", data, 84 + 50 * i + 12)[3 * k:3 * k + 3] for k in range(3))
    else:
        for line in data.decode("latin-1").splitlines():
            words = line.split()
            if words[:1] == ["vertex"]:
                corners.append(tuple(float(word) for word in words[1:4]))
    vertices = list(corners)
    return vertices, [[3 * i, 3 * i + 1, 3 * i + 2] for i in range(len(corners) // 3)]


READERS = {".off": read_off, ".obj": read_obj, ".ply": read_ply, ".stl": read_stl}


def welded(vertices, faces):
    """One vertex for those at the same place; polygons lose repeated corners, those of fewer than three go."""
    number, kept, place = {}, [], []
    for vertex in vertices:
        key = tuple(c + 0.0 for c in vertex)
        if key not in number:
            number[key] = len(kept)
            kept.append(vertex)
        place.append(number[key])
    result = []
    for face in faces:
        corners = [place[c] for c in face]
        corners = [c for i, c in enumerate(corners) if c != corners[i - 1]]
        if len(corners) >= 3:
            result.append(corners)
    return kept, result


def why_not_closed(vertices, faces):
    """"" for a closed manifold surface without degenerate polygons, whatever their orientation."""
    if not faces:
        return "no faces"
    if any(not all(math.isfinite(c) for c in vertex) for vertex in vertices):
        return "a coordinate is not finite"
    edges = collections.Counter()
    around = collections.defaultdict(list)  # vertex -> pairs of its neighbours in a polygon
    for face in faces:
        if len(face) < 3 or len(set(face)) != len(face):
            return "a polygon repeats a vertex or has fewer than three"
        for i, corner in enumerate(face):
            after = face[(i + 1) % len(face)]
            edges[min(corner, after), max(corner, after)] += 1
            around[corner].append((face[i - 1], after))
    if min(edges.values()) < 2:
        return "open"
    if max(edges.values()) > 2:
        return "an edge of more than two polygons"
    for pairs in around.values():  # one ring of polygons around each vertex
        links = collections.defaultdict(list)
        for a, b in pairs:
            links[a].append(b)
            links[b].append(a)
        start = pairs[0][0]
        before, here, steps = None, start, 0
        while True:
            following = [x for x in links[here] if x != before] or links[here]
            before, here = here, following[0]
            steps += 1
            if here == start or steps > len(pairs):
                break
        if steps != len(pairs):
            return "a vertex where sheets touch"
    return ""


def polygon_vectors(vertices, faces):
    """Of each polygon its vector area, and whether it is flat."""
    vectors, flat = [], True
    for face in faces:
        points = vertices[face] - vertices[face[0]]
        vector = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0) / 2
        vectors.append(vector)
        size = np.abs(points).max()
        norm = np.linalg.norm(vector)
        if len(face) > 3 and norm > 0 and np.abs(points @ (vector / norm)).max() > 1e-9 * size:
            flat = False
    return np.array(vectors), flat


def volume(vertices, faces, vectors):
    """Over each polygon x.n is that of any of its points, if it is flat. Polygons that run against their neighbours are
    turned; parts in which there are some count as positive, as they are read."""
    sides = collections.defaultdict(list)
    for number, face in enumerate(faces):
        for i, corner in enumerate(face):
            after = face[(i + 1) % len(face)]
            sides[min(corner, after), max(corner, after)].append((number, corner < after))
    neighbours = collections.defaultdict(list)
    for (one, along), (other, as_well) in sides.values():
        neighbours[one].append((other, along == as_well))
        neighbours[other].append((one, along == as_well))
    sign = {}
    total = 0.0
    for start in range(len(faces)):
        if start in sign:
            continue
        sign[start] = 1
        part = [start]
        for number in part:
            for other, against in neighbours[number]:
                if other not in sign:
                    sign[other] = -sign[number] if against else sign[number]
                    part.append(other)
        first = vertices[[faces[number][0] for number in part]] - vertices[faces[start][0]]
        signs = np.array([sign[number] for number in part])
        enclosed = float(((first * vectors[part]).sum(axis=1) * signs).sum() / 3)
        total += enclosed if (signs > 0).all() else abs(enclosed)
    return total


# ---------------------------------------------------------------- ours


def ours(reader, path, *weld):
    try:
        run = subprocess.run([reader, path, *weld], capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return "hang", "longer than 60 s"
    if run.returncode == 0:
        return "loads", run.stdout.split()[1:]
    if run.returncode == 2 and run.stdout.startswith("refused: "):
        return "refused", run.stdout[9:].strip().replace(path + ": ", "")
    return "crash", f"exit code {run.returncode}: {run.stderr.strip()[-200:]}"


def reason(message):
    """The kind of a refusal: without numbers, names and what stands behind them."""
    message = re.sub(r"^(mesh: |line \d+: |face \d+: |facet \d+: |vertex \d+: )*", "", message)
    message = re.split(r" \(\d+ in all\)|'", message)[0]
    return re.sub(r"-?\d[\d.e+-]*", "N", message).strip()[:70]


def close(a, b, tolerance):
    return abs(a - b) <= tolerance * max(abs(a), abs(b))


def main():
    files = []
    for root, _, names in os.walk(sys.argv[2]):
        files.extend(os.path.join(root, name) for name in names if name.lower().endswith(ENDINGS))
    sys.exit(judge(os.path.abspath(sys.argv[1]), sorted(files)))


def judge(reader, files):
    results = collections.Counter()
    refusals = collections.Counter()
    unread = collections.Counter()
    closed = {"as they are": [0, 0], "with weld = 0": [0, 0]}
    compared = {"flat": 0, "bent": 0}
    bad, lost = [], []
    for path in files:
        name = os.path.basename(path)
        ending = os.path.splitext(path)[1].lower()
        with open(path, "rb") as file:
            data = file.read()
        try:
            vertices, faces = READERS[ending](data)
            if any(not 0 <= corner < len(vertices) for face in faces for corner in face):
                raise ValueError("an index is out of range")
            problem = ""
        except Exception as error:  # whatever is odd in the file: then there is nothing to compare with
            problem = f"{type(error).__name__}: {error}"
            unread[problem[:60]] += 1
        for how, weld in (("as they are", ()), ("with weld = 0", ("0",))):
            state, told = ours(reader, path, *weld)
            if not weld:
                results[ending, state] += 1
                if state == "refused":
                    refusals[reason(told)] += 1
            if state in ("crash", "hang"):
                bad.append(f"{path} ({how}): {state}: {told}")
            if problem:
                continue
            # Corners of STL have no numbers: welded by nature.
            v, f = welded(vertices, faces) if weld or ending == ".stl" else (vertices, faces)
            why = why_not_closed(v, f)
            if state == "loads" and why:
                bad.append(f"{path} ({how}): loads, but is not closed: {why}")
            if why:
                continue
            points = np.array(v, dtype=float)
            vectors, flat = polygon_vectors(points, f)
            areas = np.linalg.norm(vectors, axis=1)
            closed[how][0] += 1
            closed[how][1] += state == "loads"
            if state != "loads":
                lost.append(f"{name} ({how}): {told}")
                continue
            area, found = float(told[2]), float(areas.sum())
            # Bent polygons have no area of their own: triangles have at least that of the border.
            good = close(area, found, 1e-9) if flat else found * (1 - 1e-9) <= area <= found * 1.5
            scale = found * np.ptp(points, axis=0).max()
            if good and flat:
                good = abs(float(told[3]) - volume(points, f, vectors)) <= 1e-9 * scale
            compared["flat" if flat else "bent"] += not weld
            if not good:
                bad.append(f"{path} ({how}): area {told[2]}, volume {told[3]}; by Stokes and the divergence theorem "
                           f"{found}, {volume(points, f, vectors)}")

    print(f"{len(files)} files")
    for ending in ENDINGS:
        states = {state: count for (e, state), count in results.items() if e == ending}
        print(f"  {ending[1:]}: " + ", ".join(f"{states.get(s, 0)} {s}" for s in ("loads", "refused", "crash", "hang")))
    print("refused:")
    for text, count in refusals.most_common():
        print(f"  {count:4}  {text}")
    print(f"compared with a second computation: {compared['flat']} with flat polygons to 1e-9 (area and volume), "
          f"{compared['bent']} with bent ones (area from below)")
    for text, count in unread.most_common():
        print(f"  not read a second time: {count:4}  {text}")
    enough = True
    for how, (surfaces, load) in closed.items():
        share = load / surfaces if surfaces else 0
        enough = enough and share >= 0.95
        print(f"closed manifold surfaces, {how}: {load} of {surfaces} load ({100 * share:.1f} %)")
    for line in lost:
        print(f"  does not load: {line}")
    for line in bad:
        print(f"WRONG {line}")
    return 1 if bad or not enough else 0


if __name__ == "__main__":
    main()
