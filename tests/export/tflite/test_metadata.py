import io
import json
import zipfile

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.tflite.archive import append_zip
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import (
    Details,
    Metadata,
    add_metadata,
    read_metadata,
    required_runtime,
)
from mobilenet_tf.deployment.tflite.parse import parse_model

LABELS = ["Äpfel", "梨", "a b", "line\u2028separator", "\N{GRINNING FACE}"]
FACTS = {
    "name": "fruit",
    "description": "Fünf Früchte",
    "labels": LABELS,
    "input_spec": InputSpec(crop=0.875),
    "details": Details(version="2", author="somebody", license="Apache-2.0"),
}


@pytest.fixture(scope="module")
def described(files):
    return add_metadata(files.uint8.read_bytes(), **FACTS, extra={"alpha": 0.35})


def without_zip(data):
    """The flatbuffer alone."""
    return data[: data.index(b"PK\x03\x04")]


def test_round_trip(described):
    assert read_metadata(described) == Metadata(
        name="fruit",
        description="Fünf Früchte",
        version="2",
        author="somebody",
        license="Apache-2.0",
        mean=(128.0,),
        std=(127.5,),
        color_space="rgb",
        crop=0.875,
        fit="crop",
        resize="bilinear",
        labels=tuple(LABELS),
        extra={"alpha": 0.35},
    )
    json.dumps(read_metadata(described).to_dict())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_white_level_is_stored_and_checked(files):
    facts = FACTS | {"input_spec": InputSpec(white_level=4095.0)}
    content = add_metadata(files.uint8.read_bytes(), **facts)
    assert read_metadata(content).white_level == 4095
    for wrong in ("-1", "true", '"1"', "1e999", "null"):
        text = f'{{"white_level": {wrong}, "fit": "pad"}}'
        found = read_metadata(append_zip(content, {"preprocessing.json": text}))
        assert (found.fit, found.white_level) == ("pad", None)


def test_a_second_call_replaces_the_first(files, described):
    again = add_metadata(described, **FACTS | {"name": "other"})
    assert read_metadata(again).name == "other"
    assert read_metadata(again).extra == {}
    assert zipfile.ZipFile(io.BytesIO(again)).namelist() == ["labels.txt", "preprocessing.json"]
    assert add_metadata(again, **FACTS) == add_metadata(files.uint8.read_bytes(), **FACTS)


def test_any_zip_reader_finds_the_files(described, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(described)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read("labels.txt").decode() == "\n".join(LABELS) + "\n"
        assert json.loads(archive.read("preprocessing.json"))["crop"] == 0.875
        for entry in archive.infolist():
            assert entry.compress_type == zipfile.ZIP_STORED
            start = entry.header_offset
            assert described[start : start + 4] == b"PK\x03\x04"
    # The end record itself counts the directory from the file's first byte.
    end = described.rindex(b"PK\x05\x06")
    directory = int.from_bytes(described[end + 16 : end + 20], "little")
    assert described[directory : directory + 4] == b"PK\x01\x02"


def test_the_network_is_unchanged(files, described, pixels):
    before, after = TFLiteModel(files.uint8, mean=128, std=127.5), TFLiteModel(described)
    np.testing.assert_array_equal(before.run_raw(pixels), after.run_raw(pixels))
    assert required_runtime(described) == required_runtime(files.uint8.read_bytes()) != "unknown"
    old, new = parse_model(files.uint8.read_bytes()), parse_model(described)
    for tensor, copy in zip(old.subgraphs[0].tensors, new.subgraphs[0].tensors, strict=True):
        assert tensor.name == copy.name
        stored, copied = (m.buffers[t.buffer].data for m, t in ((old, tensor), (new, copy)))
        assert (stored is None) == (copied is None)
        assert stored is None or bytes(stored) == bytes(copied)


def test_weights_lie_on_16_bytes(described):
    start = np.frombuffer(described, np.uint8).ctypes.data
    stored = [b.data for b in parse_model(described).buffers if b.data is not None and len(b.data)]
    assert stored
    assert {(data.ctypes.data - start) % 16 for data in stored} == {0}


def test_the_buffer_follows_the_public_schema(described):
    """Read by field ids written down here, without the tables of the module."""
    import struct

    from flatbuffers import number_types
    from flatbuffers.table import Table

    model = schema.Model.GetRootAs(described, 0)
    entries = {model.Metadata(i).Name(): model.Metadata(i) for i in range(model.MetadataLength())}
    content = model.Buffers(entries[b"TFLITE_METADATA"].Buffer()).DataAsNumpy().tobytes()
    assert content[4:8] == b"M001"

    def child(at, field, index=None):
        offset = at.Offset(4 + 2 * field)
        start = at.Pos + offset if index is None else at.Vector(offset) + 4 * index
        return Table(at.Bytes, at.Indirect(start))

    def text(at, field):
        return at.String(at.Pos + at.Offset(4 + 2 * field)).decode()

    def scalar(at, field, flags):
        return at.Get(flags, at.Pos + at.Offset(4 + 2 * field))

    def floats(at, field):
        return at.GetVectorAsNumpy(number_types.Float32Flags, at.Offset(4 + 2 * field)).tolist()

    root = Table(content, struct.unpack_from("<I", content)[0])
    assert [text(root, i) for i in (0, 1, 2, 4, 5, 7)] == [
        "fruit", "Fünf Früchte", "2", "somebody", "Apache-2.0", "1.0.0",
    ]  # fmt: skip
    graph = child(root, 3, 0)
    picture, scores = child(graph, 2, 0), child(graph, 3, 0)
    assert (text(picture, 0), text(scores, 0)) == ("image", "scores")
    content_of = child(picture, 3)
    assert scalar(content_of, 0, number_types.Uint8Flags) == 2  # ImageProperties
    image = child(content_of, 1)
    assert scalar(image, 0, number_types.Int8Flags) == 1  # RGB
    sides = [scalar(child(image, 1), i, number_types.Uint32Flags) for i in (0, 1)]
    assert sides == [32, 32]
    unit = child(picture, 4, 0)
    assert scalar(unit, 0, number_types.Uint8Flags) == 1  # NormalizationOptions
    assert (floats(child(unit, 1), 0), floats(child(unit, 1), 1)) == ([128.0], [127.5])
    assert (floats(child(picture, 5), 0), floats(child(picture, 5), 1)) == ([255.0], [0.0])
    labels = child(scores, 6, 0)
    assert text(labels, 0) == "labels.txt"
    assert scalar(labels, 2, number_types.Int8Flags) == 2  # TENSOR_AXIS_LABELS
    assert text(child(root, 6, 0), 0) == "preprocessing.json"


@pytest.mark.parametrize("name", ["float32", "int8", "uint8"])
def test_a_file_without_metadata(files, name):
    assert read_metadata(getattr(files, name).read_bytes()) == Metadata()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["a", "b"], "There are 2 labels for an output of 5 classes."),
        (["a", "b", " ", "d", "e"], "Label 2 is ' '"),
        (["a", "b", "c\nd", "d", "e"], r"Label 2 is 'c\\nd'"),
        (["a", "b", "c\x1bd", "d", "e"], r"Label 2 is 'c\\x1bd'"),
        (["a", "b", "caf\udce9", "d", "e"], r"Label 2 is 'caf\\udce9'.*not valid UTF-8"),
    ],
)
def test_labels_that_would_shift_classes(files, labels, expected):
    with pytest.raises(UserError, match=expected):
        add_metadata(files.uint8.read_bytes(), **FACTS | {"labels": labels})


def test_a_cut_or_stripped_zip_is_an_error(described):
    for length in (len(without_zip(described)), len(described) - 30, len(described) - 1):
        with pytest.raises(UserError, match=r"lists labels\.txt but does not contain it"):
            read_metadata(described[:length])


@pytest.mark.parametrize(
    "content", ['[{"crop": 3}]', '{"crop": "all", "fit": "zoom", "resize": [], "extra": 5}']
)
def test_foreign_zips_are_read(described, content):
    """Compressed, with Windows line ends and no last one, and another preprocessing.json."""
    stream = io.BytesIO(without_zip(described))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.txt", "a\r\nb\r\n\r\nd\r\ne")
        archive.writestr("preprocessing.json", content)
    found = read_metadata(stream.getvalue())
    assert found.labels == ("a", "b", "", "d", "e")
    assert (found.crop, found.fit, found.resize, found.extra) == (None, None, None, {})


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_labels_in_other_encodings(described, encoding):
    stream = io.BytesIO(without_zip(described))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("labels.txt", "été\nb\n\n \n".encode(encoding))
    if encoding == "latin-1":
        with pytest.raises(UserError, match=r"labels\.txt in the model is not UTF-8 text"):
            read_metadata(stream.getvalue())
    else:
        assert read_metadata(stream.getvalue()).labels == ("été", "b")


def test_no_runtime_version_is_unknown(files):
    data = files.uint8.read_bytes().replace(b"min_runtime_version", b"xin_runtime_version")
    assert required_runtime(data) == "unknown"
