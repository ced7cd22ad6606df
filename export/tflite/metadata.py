"""What a `.tflite` file says of itself: name, labels, normalisation, crop.

The standard's `ModelMetadata` (metadata_schema.fbs) lies in the model under the name
TFLITE_METADATA; the files it refers to follow the model as an uncompressed zip, so that any
zip reader finds `labels.txt`. What the schema has no field for, the crop and free values, is in
the zip's `preprocessing.json`. Needs neither TensorFlow nor tflite-support.
"""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import number_types
from flatbuffers.table import Table

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.tflite.flatbuffer import pack

LABELS_FILE = "labels.txt"
PREPROCESSING_FILE = "preprocessing.json"
METADATA_NAME, RUNTIME_NAME = b"TFLITE_METADATA", b"min_runtime_version"
METADATA_MARK = b"M001"
# What reading flatbuffers that end too early, or point anywhere, raises.
DAMAGE = (struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError)
_ZIP_DAMAGE = (zipfile.BadZipFile, KeyError, ValueError, EOFError, RuntimeError, zlib.error)

# The part of the schema in use, fields in the order of their ids. A union takes two ids: the
# number of its member, then the table.
_TABLES = {
    "ModelMetadata": "name:string description:string version:string"
    " subgraph_metadata:[SubGraphMetadata] author:string license:string"
    " associated_files:[AssociatedFile] min_parser_version:string",
    "SubGraphMetadata": "name:string description:string input_tensor_metadata:[TensorMetadata]"
    " output_tensor_metadata:[TensorMetadata]",
    "TensorMetadata": "name:string description:string dimension_names:[string] content:Content"
    " process_units:[ProcessUnit] stats:Stats associated_files:[AssociatedFile]",
    "AssociatedFile": "name:string description:string type:byte",
    "Content": "properties_type:ubyte properties:ContentProperties",
    "FeatureProperties": "",
    "ImageProperties": "color_space:byte default_size:ImageSize",
    "ImageSize": "width:uint height:uint",
    "ProcessUnit": "options_type:ubyte options:ProcessUnitOptions",
    "NormalizationOptions": "mean:[float] std:[float]",
    "Stats": "max:[float] min:[float]",
}
_FIELDS = {table: [f.split(":") for f in row.split()] for table, row in _TABLES.items()}
# Members by number, from 1; reading skips those that come after.
_UNIONS = {
    "ContentProperties": ("FeatureProperties", "ImageProperties"),
    "ProcessUnitOptions": ("NormalizationOptions",),
}
_SCALARS = {
    "byte": number_types.Int8Flags,
    "ubyte": number_types.Uint8Flags,
    "uint": number_types.Uint32Flags,
}
_DESCRIPTION, _AXIS_LABELS, _VALUE_LABELS = 1, 2, 3  # AssociatedFileType
_COLOR_SPACES = ("unknown", "rgb", "grayscale")  # ColorSpaceType


@dataclass(frozen=True)
class Metadata:
    """What a file says of itself; a field it does not state is None.

    Attributes:
        mean, std: per channel, or one value for all; input = (pixel - mean) / std.
        color_space: "rgb", "grayscale" or "unknown".
        crop: share of the picture's shorter side, see `InputSpec`.
        labels: one per class, in the order of the output.
        extra: the free values given to `add_metadata`.
    """

    name: str | None = None
    description: str | None = None
    version: str | None = None
    author: str | None = None
    license: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    color_space: str | None = None
    crop: float | None = None
    labels: tuple[str, ...] | None = None
    extra: dict = field(default_factory=dict)

    def to_dict(self) -> dict:
        """Plain values for JSON."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def add_metadata(
    data: bytes,
    *,
    name: str,
    description: str,
    labels: Sequence[str],
    preprocessing: InputSpec,
    version: str | None = None,
    author: str | None = None,
    license: str | None = None,
    extra: dict | None = None,
) -> bytes:
    """The same model with metadata and labels, in place of any it had.

    Args:
        data: a sound `.tflite` (see `runtime.parse_model`) with one image input
            (1, height, width, channels) and one output (1, classes); size and colour space are
            taken from the input.
        labels: one per class, in the order of the output.
        extra: further values for JSON, kept as they are.

    Raises:
        UserError: a label is blank or holds a line break, or there is not one per class.
    """
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    graph = model.subgraphs[0]
    picture, scores = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    _check_labels(labels, int(scores.shape[-1]))
    texts = {"name": name, "description": description, "version": version}
    texts |= {"author": author, "license": license}
    builder = flatbuffers.Builder(1024)
    root = _pack(builder, "ModelMetadata", texts | _describe(picture, scores, preprocessing))
    builder.Finish(root, METADATA_MARK)
    set_metadata(model, METADATA_NAME, bytes(builder.Output()))

    details = json.dumps(asdict(preprocessing) | {"extra": extra or {}}, indent=2)
    files = {LABELS_FILE: "\n".join(labels) + "\n", PREPROCESSING_FILE: details + "\n"}
    return _append_zip(pack(model), files)


def read_metadata(data: bytes, called: str = "the model") -> Metadata:
    """The metadata of any `.tflite`, also of foreign ones and of those that have none.

    Raises:
        UserError: the metadata is damaged, or a label file that it names is missing.
    """
    try:
        found = _get_metadata(data, METADATA_NAME)
        if found[4:8] != METADATA_MARK:
            return Metadata()
        values = _unpack(Table(found, struct.unpack_from("<I", found)[0]), "ModelMetadata")
    except DAMAGE as error:
        raise UserError(f"The metadata of {called} is damaged; export it again.") from error

    graph = next(iter(values.get("subgraph_metadata", ())), {})
    picture = next(iter(graph.get("input_tensor_metadata", ())), {})
    options = dict(u["options"] for u in picture.get("process_units", ()) if "options" in u)
    normalisation = options.get("NormalizationOptions", {})
    member, image = picture.get("content", {}).get("properties", ("", {}))
    color = image.get("color_space", 0)
    label_files = [
        file["name"]
        for output in graph.get("output_tensor_metadata", ())
        for file in output.get("associated_files", ())
        if file.get("type") in (_AXIS_LABELS, _VALUE_LABELS) and "name" in file
    ]
    details = _read_details(data)
    return Metadata(
        **{key: values.get(key) for key in ("name", "description", "version", "author", "license")},
        mean=normalisation.get("mean"),
        std=normalisation.get("std"),
        color_space=_COLOR_SPACES[color if 0 <= color < 3 else 0] if member else None,
        crop=details.get("crop"),
        labels=_read_labels(data, label_files[0], called) if label_files else None,
        extra=details.get("extra", {}),
    )


def required_runtime(data: bytes) -> str:
    """The oldest TFLite runtime that has the model's operators, such as "1.14.0", or "unknown"."""
    return _get_metadata(data, RUNTIME_NAME).rstrip(b"\0").decode("ascii", "replace") or "unknown"


def _describe(picture, scores, preprocessing: InputSpec) -> dict:
    """The part of the metadata that follows from the tensors."""
    _, height, width, channels = (int(side) for side in picture.shape)
    mean, std = preprocessing.mean, preprocessing.std
    floats = ((0 - mean) / std, (255 - mean) / std)
    integers = {schema.TensorType.UINT8: (0, 255), schema.TensorType.INT8: (-128, 127)}
    low, high = integers.get(picture.type, floats)
    image = {
        "color_space": _COLOR_SPACES.index("rgb" if channels == 3 else "grayscale"),
        "default_size": {"width": width, "height": height},
    }
    image_input = {
        "name": "image",
        "description": f"A picture of {width} x {height} pixels.",
        "content": {"properties": ("ImageProperties", image)},
        "process_units": [{"options": ("NormalizationOptions", {"mean": [mean], "std": [std]})}],
        "stats": {"min": [low], "max": [high]},
    }
    score_output = {
        "name": "scores",
        "description": f"One score for each of {int(scores.shape[-1])} classes.",
        "content": {"properties": ("FeatureProperties", {})},
        "stats": {"min": [0.0], "max": [1.0]},
        "associated_files": [
            {"name": LABELS_FILE, "description": "One class per line.", "type": _AXIS_LABELS}
        ],
    }
    details = {"name": PREPROCESSING_FILE, "description": "mean, std, crop", "type": _DESCRIPTION}
    return {
        "subgraph_metadata": [
            {"input_tensor_metadata": [image_input], "output_tensor_metadata": [score_output]}
        ],
        "associated_files": [details],
        # The smallest version: every field above is in the schema since then.
        "min_parser_version": "1.0.0",
    }


def _get_metadata(data: bytes, name: bytes) -> bytes:
    """The model's metadata buffer of that name; empty if there is none."""
    model = schema.Model.GetRootAs(data, 0)
    for entry in map(model.Metadata, range(model.MetadataLength())):
        if entry.Name() == name:
            buffer = model.Buffers(entry.Buffer())
            return buffer.DataAsNumpy().tobytes() if buffer.DataLength() else b""
    return b""


def set_metadata(model: schema.ModelT, name: bytes, content: bytes) -> None:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    for entry in model.metadata or []:
        if entry.name == name:
            model.buffers[entry.buffer] = buffer
            return
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers)
    model.metadata = [*(model.metadata or []), entry]
    model.buffers.append(buffer)


def _pack(builder: flatbuffers.Builder, table: str, values: dict) -> int:
    """Write a table, children first; fields that are None are left out."""
    slots = []
    for slot, (name, kind) in enumerate(_FIELDS[table]):
        value = values.get(name)
        if value is None:
            continue
        if kind in _UNIONS:
            member, value = value
            slots.append((slot - 1, "ubyte", _UNIONS[kind].index(member) + 1))
            kind = member
        if kind == "string":
            value = builder.CreateString(value)
        elif kind == "[float]":
            value = builder.CreateNumpyVector(np.asarray(value, np.float32))
        elif kind[0] == "[":
            offsets = [_pack(builder, kind[1:-1], item) for item in value]
            builder.StartVector(4, len(offsets), 4)
            for offset in reversed(offsets):
                builder.PrependUOffsetTRelative(offset)
            value = builder.EndVector()
        elif kind not in _SCALARS:
            value = _pack(builder, kind, value)
        slots.append((slot, kind, value))
    builder.StartObject(len(_FIELDS[table]))
    for slot, kind, value in slots:
        if kind in _SCALARS:
            builder.PrependSlot(_SCALARS[kind], slot, value, 0)
        else:
            builder.PrependUOffsetTRelativeSlot(slot, value, 0)
    return builder.EndObject()


def _unpack(at: Table, table: str) -> dict:
    """Read a table as `_pack` takes it; a field that the file leaves out is not in the result."""
    values = {}
    for slot, (name, kind) in enumerate(_FIELDS[table]):
        offset = at.Offset(4 + 2 * slot)
        if not offset:
            continue
        position = at.Pos + offset
        if kind in _SCALARS:
            values[name] = at.Get(_SCALARS[kind], position)
        elif kind == "string":
            values[name] = at.String(position).decode("utf-8", "replace")
        elif kind == "[float]":
            numbers = at.GetVectorAsNumpy(number_types.Float32Flags, offset)
            values[name] = tuple(numbers.tolist())
        elif kind == "[string]":
            continue
        elif kind[0] == "[":
            starts = (at.Vector(offset) + 4 * i for i in range(at.VectorLen(offset)))
            items = [_unpack(Table(at.Bytes, at.Indirect(start)), kind[1:-1]) for start in starts]
            values[name] = items
        elif kind not in _UNIONS:
            values[name] = _unpack(Table(at.Bytes, at.Indirect(position)), kind)
        elif 1 <= (number := values.get(f"{name}_type", 0)) <= len(_UNIONS[kind]):
            member = _UNIONS[kind][number - 1]
            values[name] = member, _unpack(Table(at.Bytes, at.Indirect(position)), member)
    return values


def _append_zip(data: bytes, files: dict[str, str]) -> bytes:
    """Append text files, uncompressed; offsets count from the model's first byte."""
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            # A fixed date: the same content gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text.encode())
    return stream.getvalue()


def _read_zip(data: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name).decode("utf-8-sig")


def _read_labels(data: bytes, name: str, called: str) -> tuple[str, ...]:
    try:
        # Not splitlines(), which also breaks a label at U+2028 and the like.
        lines = _read_zip(data, name).replace("\r\n", "\n").split("\n")
    except _ZIP_DAMAGE as error:
        raise UserError(
            f"{called} names {name} but does not hold it in full: it is cut short, or a tool has"
            " dropped its labels; copy or export it again."
        ) from error
    return tuple(lines[:-1] if lines[-1] == "" else lines)


def _read_details(data: bytes) -> dict:
    """crop and extra; nothing if a foreign file of that name holds something else."""
    try:
        details = json.loads(_read_zip(data, PREPROCESSING_FILE))
    except _ZIP_DAMAGE:
        return {}
    kinds = {"crop": (int, float), "extra": dict}
    valid = isinstance(details, dict)
    return {k: details[k] for k, t in kinds.items() if valid and isinstance(details.get(k), t)}


def _check_labels(labels: Sequence[str], classes: int) -> None:
    if len(labels) != classes:
        raise UserError(f"There are {len(labels)} labels for an output of {classes} classes.")
    for index, label in enumerate(labels):
        # Readers on phones skip blank lines, which would shift every class that follows.
        if not label.strip() or "\n" in label or "\r" in label:
            raise UserError(f"Label {index} is {label!r}; it must be text on one line.")
