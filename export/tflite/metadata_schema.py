"""The part of metadata_schema.fbs that this project reads and writes, as a table of fields.

`pack_table` and `unpack_table` convert between nested dicts and flatbuffers with it, so neither
tflite-support nor a schema compiler is needed.
"""

from typing import Any

import flatbuffers
import numpy as np
from flatbuffers import number_types
from flatbuffers.number_types import to_numpy_type

from mobilenet_tf.deployment.tflite.limits import CHANNELS, BeyondLimit, CountedTable

# Fields in the order of their ids. A union occupies two ids: the number of its member, then the
# table.
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
    "BoundingBoxProperties": "index:[uint] type:byte coordinate_type:byte",
    "ProcessUnit": "options_type:ubyte options:ProcessUnitOptions",
    "NormalizationOptions": "mean:[float] std:[float]",
    "Stats": "max:[float] min:[float]",
}
_FIELDS = {table: [f.split(":") for f in row.split()] for table, row in _TABLES.items()}
# Members in the order of their numbers, from 1; `unpack_table` skips members beyond these.
_UNIONS = {
    "ContentProperties": ("FeatureProperties", "ImageProperties", "BoundingBoxProperties"),
    "ProcessUnitOptions": ("NormalizationOptions",),
}
_SCALARS = {
    "byte": number_types.Int8Flags,
    "ubyte": number_types.Uint8Flags,
    "uint": number_types.Uint32Flags,
}
_NUMBERS = {"[float]": number_types.Float32Flags, "[uint]": number_types.Uint32Flags}
DESCRIPTION, AXIS_LABELS, VALUE_LABELS = 1, 2, 3  # AssociatedFileType
COLOR_SPACES = ("unknown", "rgb", "grayscale")  # ColorSpaceType
BOUNDARIES = 1  # BoundingBoxType


def pack_table(builder: flatbuffers.Builder, table: str, values: dict[str, Any]) -> int:
    """Write a table, children first, and return its offset.

    Args:
        builder: Flatbuffer under construction.
        table: Name of the table in the schema.
        values: Field -> scalar, text, list of numbers, dict of a table, list of such dicts, or
            (member, dict) of a union. Fields that are None or absent are left out.
    """
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
        elif kind in _NUMBERS:
            value = builder.CreateNumpyVector(np.asarray(value, to_numpy_type(_NUMBERS[kind])))
        elif kind[0] == "[":
            offsets = [pack_table(builder, kind[1:-1], item) for item in value]
            builder.StartVector(4, len(offsets), 4)
            for offset in reversed(offsets):
                builder.PrependUOffsetTRelative(offset)
            value = builder.EndVector()
        elif kind not in _SCALARS:
            value = pack_table(builder, kind, value)
        slots.append((slot, kind, value))
    builder.StartObject(len(_FIELDS[table]))
    for slot, kind, value in slots:
        if kind in _SCALARS:
            builder.PrependSlot(_SCALARS[kind], slot, value, 0)
        else:
            builder.PrependUOffsetTRelativeSlot(slot, value, 0)
    return builder.EndObject()


def unpack_table(at: CountedTable, table: str) -> dict[str, Any]:
    """Read a table into the form that `pack_table` takes, without the fields that it lacks.

    Args:
        at: The table's position in its buffer.
        table: Name of the table in the schema.
    """
    values: dict[str, Any] = {}
    for slot, (name, kind) in enumerate(_FIELDS[table]):
        offset = at.Offset(4 + 2 * slot)
        if not offset:
            continue
        position = at.Pos + offset
        if kind in _SCALARS:
            values[name] = at.Get(_SCALARS[kind], position)
        elif kind == "string":
            values[name] = at.String(position).decode("utf-8", "replace")
        elif kind in _NUMBERS:
            if at.VectorLen(offset) > CHANNELS:
                raise BeyondLimit(f"has more than {CHANNELS:,} numbers in {name}")
            numbers = at.GetVectorAsNumpy(_NUMBERS[kind], offset)
            values[name] = tuple(numbers.tolist())
        elif kind == "[string]":
            continue
        elif kind[0] == "[":
            starts = (at.Vector(offset) + 4 * i for i in range(at.VectorLen(offset)))
            children = (CountedTable(at.Bytes, at.Indirect(start)) for start in starts)
            values[name] = [unpack_table(child, kind[1:-1]) for child in children]
        elif kind not in _UNIONS:
            values[name] = unpack_table(CountedTable(at.Bytes, at.Indirect(position)), kind)
        elif 1 <= (number := values.get(f"{name}_type", 0)) <= len(_UNIONS[kind]):
            member = _UNIONS[kind][number - 1]
            values[name] = (
                member,
                unpack_table(CountedTable(at.Bytes, at.Indirect(position)), member),
            )
    return values
