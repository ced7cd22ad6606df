"""Damage Keras models: `.h5` and `.keras` files, their configuration and their arrays."""

import io
import json
import zipfile
from random import Random

import h5py
import numpy as np

from tests.fuzz.byte_mutants import damage_bytes, damage_header
from tests.fuzz.tree_mutants import damage_json, damage_tree

_NAMES = (b"", b"\xff", b"layers", b"../x", "ü".encode(), b"x" * 60_000)


def damage_h5(content: bytes, random: Random) -> bytes:
    """Damage an HDF5 file's bytes, or its attributes, arrays and links."""
    if random.random() < 0.5:
        return random.choice((damage_bytes, damage_header))(content, random)
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        for _ in range(random.choice((1, 1, 2, 4))):
            found: list[h5py.HLObject] = [file]
            file.visititems(lambda _, item, into=found: into.append(item))
            item = random.choice(found)
            change = _change_group if isinstance(item, h5py.Group) else _change_array
            random.choice((_change_attribute, change))(item, random)
    return stream.getvalue()


def damage_keras(content: bytes, random: Random) -> bytes:
    """Damage a `.keras` file: the zip's bytes, or members, which may be absent or there twice."""
    if random.random() < 0.3:
        return damage_bytes(content, random)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    changed = random.choice(sorted(members))
    damage = damage_h5 if changed.endswith(".h5") else damage_json
    kind = random.randrange(6)
    if kind == 0:
        del members[changed]
    elif kind == 1:
        members[changed] = bytes(random.choice((0, 1, 10**8)))
    elif kind == 2:
        members[random.choice(("../x", "/x", "x" * 300, "a/../model.weights.h5", "\x1b"))] = b"x"
    else:
        members[changed] = damage(members[changed], random)
    stream = io.BytesIO()
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return stream.getvalue()


def _change_attribute(item, random: Random) -> None:
    if not len(item.attrs):
        return
    name = random.choice(sorted(item.attrs))
    value = item.attrs[name]
    if name == "model_config" and random.random() < 0.7:
        item.attrs[name] = json.dumps(damage_tree(json.loads(value), random))
    elif random.random() < 0.2:
        del item.attrs[name]
    elif isinstance(value, np.ndarray) and len(value) and random.random() < 0.5:
        value = np.asarray(value, "S")
        changed = np.array([*value, random.choice(_NAMES[:5]), value[0]])
        item.attrs[name] = random.choice((changed, changed[::-1], value[:-1]))
    else:
        other = random.choice((*_NAMES[:4], 3, -1.5, float("nan"), [1, 2], [b"a"], h5py.Empty("f")))
        item.attrs[name] = other


def _change_group(group: h5py.Group, random: Random) -> None:
    name = random.choice([*group, "new"])
    if name in group:
        del group[name]
    kind = random.randrange(7)
    if kind == 0:
        group[name] = h5py.SoftLink(random.choice(("/", f"/{name}", "/gone", group.name)))
    elif kind == 1:
        group[name] = h5py.ExternalLink(random.choice(("/etc/passwd", "gone.h5")), "/")
    elif kind == 2:
        group[name] = group  # a circle
    elif kind == 3:
        shape = random.choice(((2**36,), (2**20, 2**20), (0,), (1, 0, 3), ()))
        chunks = (1024,) * len(shape) if shape and min(shape) > 1024 else None
        group.create_dataset(name, shape, random.choice(("f4", "f8", "i8")), chunks=chunks)
    elif kind == 4:
        group.create_dataset(name, data=random.choice(("text", b"text", [b"a", b"b"], [1 + 2j])))
    elif kind == 5:
        group.create_group(name).attrs["weight_names"] = [b"kernel:0"]


def _change_array(array: h5py.Dataset, random: Random) -> None:
    parent, name, shape, values = array.parent, array.name, array.shape, array[()]
    del parent[name]
    kind = random.randrange(5)
    if kind == 0:
        bombs = np.zeros((random.choice((1, 4000)), 1000), "f4")
        parent.create_dataset(name, data=bombs, compression="gzip", chunks=(1, 1000))
    elif kind == 1:
        values = np.resize(
            values, random.choice(((3,), (1, 1, 1, 1, 1), (0,), shape[::-1] or (1,)))
        )
        parent.create_dataset(name, data=values)
    elif kind == 2:
        extreme = random.choice((np.nan, np.inf, 1e38, 0))
        parent.create_dataset(name, data=np.full(shape, extreme, "f4"))
    elif kind == 3:
        kinds = ("f2", "f8", "i1", "u8", "c8", "S5", h5py.string_dtype(), np.dtype([("a", "f4")]))
        parent.create_dataset(name, shape, random.choice(kinds))
    else:
        layout = h5py.VirtualLayout(shape or (1,), "f4")
        parent.create_virtual_dataset(name, layout)
