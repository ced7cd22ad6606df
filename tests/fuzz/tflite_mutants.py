"""Damage `.tflite` files: their bytes, fields, graph, metadata and zip."""

import io
import zipfile
from random import Random

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.flatbuffer import pack, write_metadata_entry
from mobilenet_tf.deployment.tflite.metadata import METADATA_MARK, METADATA_NAME
from mobilenet_tf.deployment.tflite.metadata_schema import pack_table
from mobilenet_tf.deployment.tflite.parse import read_metadata_entry
from tests.fuzz.byte_mutants import damage_bytes

NUMBERS = (*(-1, 0, 1, 2, 3, 5, 7, 127, 255, 1000, 65536), 2**31 - 1, -(2**31))
REALS = (0.0, -1.0, 1e-45, 1e38, float("nan"), float("inf"), -float("inf"))
TEXTS = (b"", b"\xff\xfe", b"x" * 5000, b"\x1b[2J\0\n", "\u202e\u2028".encode(), b"labels.txt")


def damage_fields(content: bytes, random: Random) -> bytes:
    """Change fields of any table: numbers, arrays, texts, lists and references to tables."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for _ in range(random.choice((1, 1, 2, 4))):
        tables = [table for table in _tables(model) if vars(table)]
        table = random.choice(tables)
        name = random.choice(list(vars(table)))
        setattr(table, name, _other(getattr(table, name), tables, random))
    return _packed(model, content)


def damage_graph(content: bytes, random: Random) -> bytes:
    """Change operators, the tensors that they use, and types, shapes and scales of these."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    for _ in range(random.choice((1, 1, 2, 4))):
        op, tensor = random.choice(graph.operators), random.choice(graph.tensors)
        kind = random.randrange(7)
        if kind == 0:
            code = random.choice(model.operatorCodes)
            code.builtinCode = random.randrange(210)
            code.deprecatedBuiltinCode = min(127, code.builtinCode)
        elif kind == 1:
            some = random.choices(range(-1, len(graph.tensors)), k=random.randrange(5))
            op.inputs = np.array(some, np.int32)
        elif kind == 2:
            some = random.choices(range(len(graph.tensors)), k=random.randrange(3))
            op.outputs = np.array(some, np.int32)
        elif kind == 3:
            tensor.type = random.randrange(23)
        elif kind == 4:
            tensor.shape = np.array(random.choices(NUMBERS, k=random.randrange(6)), np.int32)
        elif kind == 5:
            other = random.choice(graph.operators)
            op.builtinOptions, op.builtinOptionsType = (
                other.builtinOptions,
                other.builtinOptionsType,
            )
        else:
            tensor.quantization = random.choice(graph.tensors).quantization
            tensor.buffer = random.randrange(len(model.buffers))
    return _packed(model, content)


def damage_metadata(content: bytes, random: Random) -> bytes:
    """Change the bytes of the metadata, or write values that no tool would write."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if random.random() < 0.5:
        old = read_metadata_entry(content, METADATA_NAME) or bytes(64)
        write_metadata_entry(model, METADATA_NAME, damage_bytes(old, random))
        return _packed(model, content)
    channels = random.choice((0, 1, 2, 3, 5000))
    normalisation = {key: random.choices(REALS, k=channels) for key in ("mean", "std")}
    files = [
        {"name": random.choice(TEXTS).decode("utf-8", "replace"), "type": random.choice((2, 3))}
    ]
    picture = {"process_units": [{"options": ("NormalizationOptions", normalisation)}]}
    graph = {
        "input_tensor_metadata": [picture] * random.choice((1, 2, 300)),
        "output_tensor_metadata": [{"associated_files": files * random.choice((1, 2))}],
    }
    builder = flatbuffers.Builder(1024)
    root = pack_table(builder, "ModelMetadata", {"name": "n", "subgraph_metadata": [graph]})
    builder.Finish(root, METADATA_MARK)
    write_metadata_entry(model, METADATA_NAME, bytes(builder.Output()))
    return _packed(model, content)


def damage_zip(content: bytes, random: Random) -> bytes:
    """Change the zip's bytes, or write labels and preprocessing that no tool would write."""
    start = content.find(b"PK\x03\x04")
    model = content if start < 0 else content[:start]
    if random.random() < 0.4:
        return model + damage_bytes(content[len(model) :] or bytes(64), random)
    labels = random.choice(
        (b"", b"a\nb\n", b"\n\n\n\n", b"\xff\xfe\n" * 4, b"a\n" * 4, b"x" * 20_000_000, *TEXTS)
    )
    preprocessing = random.choice(
        (b"{}", b"[]", b'{"crop": NaN, "extra": {"a": Infinity}}', b'{"crop": true}',
         b"[" * 100_000, b'{"crop": 1e-300}', b'{"fit": [], "resize": {}}', b'{"crop": 1e999}',
         b"\xff")
    )  # fmt: skip
    stream = io.BytesIO(model)
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    with zipfile.ZipFile(stream, "a", method) as archive:
        archive.writestr("labels.txt", labels)
        archive.writestr("preprocessing.json", preprocessing)
    return stream.getvalue()


MUTATORS = (damage_bytes, damage_fields, damage_graph, damage_metadata, damage_zip)


def _tables(table):
    """Yield a table and all tables below it."""
    yield table
    for value in vars(table).values():
        for item in value if isinstance(value, list) else (value,):
            if hasattr(item, "Pack"):
                yield from _tables(item)


def _other(value, tables, random: Random):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return random.choice((*NUMBERS, value + 1, value - 1))
    if isinstance(value, float):
        return random.choice(REALS)
    if isinstance(value, bytes):
        return random.choice((None, *TEXTS))
    if isinstance(value, np.ndarray):
        return _other_array(value, random)
    if isinstance(value, list) and value:
        chosen = list(value)
        random.shuffle(chosen)
        return random.choice((None, [], chosen, value[:-1], value * 2, value[:1] * 50))
    same = [table for table in tables if type(table) is type(value)]
    return random.choice((None, random.choice(same))) if same else value


def _other_array(values: np.ndarray, random: Random):
    if not len(values) or random.random() < 0.2:
        return random.choice((None, values[:0], np.zeros(3, values.dtype)))
    changed = values.copy()
    extremes = REALS if values.dtype.kind == "f" else NUMBERS
    with np.errstate(all="ignore"):
        new = np.array([random.choice(extremes)]).astype(values.dtype)
    changed[random.randrange(len(values))] = new[0]
    return random.choice((changed, changed, values[:-1], np.concatenate([values, values])))


def _packed(model: schema.ModelT, content: bytes) -> bytes:
    """The bytes with the old zip; the old file where no flatbuffer can say what was changed."""
    start = content.find(b"PK\x03\x04")
    try:
        return pack(model) + (b"" if start < 0 else content[start:])
    except Exception:  # such as a number that does not fit its field
        return content
