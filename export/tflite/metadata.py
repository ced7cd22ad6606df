"""Metadata of a `.tflite`: name, labels, normalisation, crop.

The standard's `ModelMetadata` (metadata_schema.fbs) is a buffer of the model with the name
TFLITE_METADATA. The files that it lists follow the model as an uncompressed zip, so any zip reader
finds `labels.txt`. The zip's `preprocessing.json` holds what the schema has no field for: the
whole `InputSpec` and free values. Needs neither TensorFlow nor tflite-support.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.bounds import is_white_level
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text
from mobilenet_tf.core.inputs import FITS, RESIZES, InputSpec
from mobilenet_tf.core.labels import check_labels
from mobilenet_tf.core.reading import decode_text, text_lines
from mobilenet_tf.core.text import clean_name
from mobilenet_tf.deployment.tflite.archive import ZIP_DAMAGE, append_zip, read_zip
from mobilenet_tf.deployment.tflite.flatbuffer import pack, write_metadata_entry
from mobilenet_tf.deployment.tflite.limits import (
    BeyondLimit,
    CountedTable,
    limited,
)
from mobilenet_tf.deployment.tflite.metadata_outputs import (
    INTEGERS,
    LABELS_FILE,
    OutputText,
    output_metadata,
)
from mobilenet_tf.deployment.tflite.metadata_schema import (
    AXIS_LABELS,
    COLOR_SPACES,
    DESCRIPTION,
    VALUE_LABELS,
    pack_table,
    unpack_table,
)
from mobilenet_tf.deployment.tflite.parse import DAMAGE, read_metadata_entry

PREPROCESSING_FILE = "preprocessing.json"
METADATA_NAME, RUNTIME_NAME = b"TFLITE_METADATA", b"min_runtime_version"
METADATA_MARK = b"M001"


@dataclass(frozen=True)
class Details:
    """Optional texts about a model.

    Attributes:
        version, author, license: Its origin.
        outputs: Name and description of each output, or an `OutputText` that says more; by default
            it is one score for each class.
    """

    version: str | None = None
    author: str | None = None
    license: str | None = None
    outputs: tuple[tuple[str, str] | OutputText, ...] = ()


@dataclass(frozen=True)
class Metadata:
    """Metadata of a file; a field that the file does not state is None.

    Attributes:
        mean, std: Per channel, or one value for all; input = (pixel - mean) / std.
        color_space: "rgb", "grayscale" or "unknown".
        crop, fit, resize, white_level: How pictures become inputs; see `InputSpec`.
        labels: One label per class, in the order of the output.
        extra: The free values given to `add_metadata`.
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
    fit: str | None = None
    resize: str | None = None
    white_level: float | None = None
    labels: tuple[str, ...] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def add_metadata(
    content: bytes,
    *,
    name: str,
    description: str,
    labels: Sequence[str],
    input_spec: InputSpec,
    details: Details = Details(),
    extra: dict[str, Any] | None = None,
) -> bytes:
    """Return the same model with metadata and labels, which replace any that it had.

    Args:
        content: A valid `.tflite` (see `parse_model`) with one image input
            (1, height, width, channels); image size and color space are taken from it.
        name: Title of the model.
        description: One or two sentences about the model.
        labels: One label per class, in the order of the output; none for outputs of something
            else.
        input_spec: Preprocessing of the input.
        details: Further texts.
        extra: Further values for JSON, stored as they are.

    Raises:
        UserError: A label is blank or contains a line break, or the number of labels differs from
            the number of classes of the only output.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    picture = graph.tensors[graph.inputs[0]]
    outputs = [graph.tensors[index] for index in graph.outputs]
    if labels:
        _check_labels(labels, [int(output.shape[-1]) for output in outputs])
    texts = {"name": name, "description": description, **asdict(details)}
    described = output_metadata(
        outputs, [OutputText(*text) for text in texts.pop("outputs")], labelled=bool(labels)
    )
    builder = flatbuffers.Builder(1024)
    root = pack_table(builder, "ModelMetadata", texts | _describe(picture, described, input_spec))
    builder.Finish(root, METADATA_MARK)
    write_metadata_entry(model, METADATA_NAME, bytes(builder.Output()))

    preprocessing = json_text(input_spec.to_dict() | {"extra": extra or {}}, indent=2)
    files = {LABELS_FILE: "\n".join(labels) + "\n"} if labels else {}
    return append_zip(pack(model), files | {PREPROCESSING_FILE: preprocessing + "\n"})


def read_metadata(content: bytes, name: str = "the model") -> Metadata:
    """Read the metadata of any `.tflite`, including files of other tools or without metadata.

    Args:
        content: The file.
        name: What errors call the file.

    Raises:
        UserError: The metadata is damaged, or a label file that it lists is missing.
    """
    try:
        with limited():
            buffer = read_metadata_entry(content, METADATA_NAME)
            if buffer[4:8] != METADATA_MARK:
                return Metadata()
            root = CountedTable(buffer, struct.unpack_from("<I", buffer)[0])
            values = unpack_table(root, "ModelMetadata")
    except BeyondLimit as error:
        raise UserError(f"The metadata of {name} {error}; no model needs as many.") from error
    except DAMAGE as error:
        raise UserError(f"The metadata of {name} is damaged; export it again.") from error

    graph: dict[str, Any] = next(iter(values.get("subgraph_metadata", ())), {})
    picture: dict[str, Any] = next(iter(graph.get("input_tensor_metadata", ())), {})
    options = dict(u["options"] for u in picture.get("process_units", ()) if "options" in u)
    normalisation = options.get("NormalizationOptions", {})
    member, image = picture.get("content", {}).get("properties", ("", {}))
    color = image.get("color_space", 0)
    label_files = [
        file["name"]
        for output in graph.get("output_tensor_metadata", ())
        for file in output.get("associated_files", ())
        if file.get("type") in (AXIS_LABELS, VALUE_LABELS) and "name" in file
    ]
    return Metadata(
        name=values.get("name"),
        description=values.get("description"),
        version=values.get("version"),
        author=values.get("author"),
        license=values.get("license"),
        mean=normalisation.get("mean"),
        std=normalisation.get("std"),
        color_space=COLOR_SPACES[color if 0 <= color < 3 else 0] if member else None,
        labels=_read_labels(content, label_files[0], name) if label_files else None,
        **_read_preprocessing(content),
    )


def required_runtime(content: bytes, name: str = "the model") -> str:
    """Return the oldest TFLite runtime that has all operators, as "1.14.0", or "unknown".

    Raises:
        UserError: The metadata is damaged.
    """
    try:
        with limited():
            version = read_metadata_entry(content, RUNTIME_NAME)[:32].rstrip(b"\0")
    except DAMAGE as error:
        raise UserError(f"The metadata of {name} is damaged; export it again.") from error
    return version.decode("ascii", "replace") or "unknown"


def _describe(
    picture: schema.TensorT, outputs: list[dict[str, Any]], input_spec: InputSpec
) -> dict[str, Any]:
    """The part of the metadata that follows from the tensors."""
    _, height, width, channels = (int(side) for side in picture.shape)
    low, high = INTEGERS.get(picture.type, input_spec.bounds)
    normalisation = {"mean": [input_spec.mean], "std": [input_spec.std]}
    image = {
        "color_space": COLOR_SPACES.index("rgb" if channels == 3 else "grayscale"),
        "default_size": {"width": width, "height": height},
    }
    image_input = {
        "name": "image",
        "description": f"{width} x {height} pixels: {input_spec.preparation}.",
        "content": {"properties": ("ImageProperties", image)},
        "process_units": [{"options": ("NormalizationOptions", normalisation)}],
        "stats": {"min": [low], "max": [high]},
    }
    fields = ", ".join(input_spec.to_dict())
    preprocessing = {"name": PREPROCESSING_FILE, "description": fields, "type": DESCRIPTION}
    return {
        "subgraph_metadata": [
            {"input_tensor_metadata": [image_input], "output_tensor_metadata": outputs}
        ],
        "associated_files": [preprocessing],
        # The first version of the schema has all of these fields.
        "min_parser_version": "1.0.0",
    }


def _read_labels(content: bytes, file: str, name: str) -> tuple[str, ...]:
    try:
        stored = read_zip(content, file)
    except BeyondLimit as error:
        raise UserError(f"{name} contains {clean_name(file)}, which {error}.") from error
    except ZIP_DAMAGE as error:
        raise UserError(
            f"{name} lists {clean_name(file)} but does not contain it in full: it is cut short, or "
            "a tool has dropped its labels; copy or export it again."
        ) from error
    return tuple(text_lines(decode_text(stored, f"{clean_name(file)} in {name}")))


def _read_preprocessing(content: bytes) -> dict[str, Any]:
    """The fields of `Metadata` in preprocessing.json that are valid; other tools may differ."""
    try:
        values = json.loads(read_zip(content, PREPROCESSING_FILE))
    except ZIP_DAMAGE:
        return {}
    if not isinstance(values, dict):
        return {}
    valid = {
        "crop": lambda value: type(value) in (int, float) and 0 < value <= 1,
        "fit": lambda value: isinstance(value, str) and value in FITS,
        "resize": lambda value: isinstance(value, str) and value in RESIZES,
        "white_level": is_white_level,
        "extra": lambda value: isinstance(value, dict),
    }
    return {
        key: values[key] for key, check in valid.items() if key in values and check(values[key])
    }


def _check_labels(labels: Sequence[str], classes: list[int]) -> None:
    if len(classes) == 1 and len(labels) != classes[0]:
        raise UserError(f"There are {len(labels)} labels for an output of {classes[0]} classes.")
    check_labels(labels)
