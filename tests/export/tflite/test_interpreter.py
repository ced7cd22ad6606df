import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import add_metadata

ROOT = Path(__file__).parents[3]
MEAN, STD = InputSpec().mean, InputSpec().std


def run_python(*arguments):
    """A fresh interpreter that sees the two packages."""
    return subprocess.run(
        [sys.executable, "-c", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )


def test_importing_needs_no_tensorflow():
    done = run_python(
        "import sys; from mobilenet_tf.deployment.tflite import inspect, interpreter, metadata;"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert done.returncode == 0, done.stderr


def test_facts_of_input_and_output(files):
    model = TFLiteModel(files.uint8)
    assert (model.input.dtype, model.input.shape) == ("uint8", (1, 32, 32, 3))
    assert (np.float32(model.input.scale), model.input.zero_point) == (np.float32(1 / STD), 128)
    assert (model.output.dtype, model.output.shape) == ("uint8", (1, 5))
    assert model.labels is None


@pytest.mark.parametrize("name", ["uint8", "int8"])
def test_pixels_are_the_input(files, pixels, name):
    model = TFLiteModel(getattr(files, name), mean=MEAN, std=STD)
    assert model.pixels_are_inputs
    shift = 128 if name == "int8" else 0
    np.testing.assert_array_equal(model.prepare(pixels).astype(int), pixels.astype(int) - shift)


def test_another_normalisation_goes_through_scale_and_zero_point(files):
    """Per channel: (pixel - mean) / std / scale + zero point, rounded and kept in range."""
    mean, std = np.array([120.0, 128.0, 0.0]), np.array([60.0, 127.5, 255.0])
    model = TFLiteModel(files.uint8, mean=mean, std=std)
    assert not model.pixels_are_inputs
    pixels = np.arange(256 * 12, dtype=np.uint8).reshape(1, 32, 32, 3)
    expected = np.rint((pixels - mean) / std / model.input.scale) + 128
    np.testing.assert_array_equal(model.prepare(pixels), np.clip(expected, 0, 255))


def test_float_input_is_normalised(files, pixels):
    model = TFLiteModel(files.float32, mean=MEAN, std=STD)
    expected = ((pixels - MEAN) / STD).astype(np.float32)
    np.testing.assert_allclose(model.prepare(pixels), expected, rtol=1e-6)


def test_float_input_without_normalisation_is_refused(files, pixels):
    with pytest.raises(UserError, match="states no mean"):
        TFLiteModel(files.float32).run(pixels)
    facts = {"name": "n", "description": "", "labels": list("abcde")}
    data = add_metadata(files.float32.read_bytes(), **facts, input_spec=InputSpec())
    model = TFLiteModel(data)
    assert model.run(pixels).shape == (5, 5)
    assert model.labels == tuple("abcde")


def test_labels_that_are_not_one_per_class_are_refused(files):
    facts = {"name": "n", "description": "", "labels": list("abcde")}
    data = add_metadata(files.uint8.read_bytes(), **facts, input_spec=InputSpec())
    stream = io.BytesIO(data[: data.index(b"PK\x03\x04")])
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("labels.txt", "a\nb\n")
    with pytest.raises(UserError, match="has 2 labels for 5 classes"):
        TFLiteModel(stream.getvalue())


def test_scores(files, pixels):
    floats = TFLiteModel(files.float32, mean=MEAN, std=STD).run(pixels)
    np.testing.assert_allclose(floats.sum(axis=1), 1, rtol=1e-5)
    for name, dtype in (("uint8", np.uint8), ("int8", np.int8)):
        model = TFLiteModel(getattr(files, name), mean=MEAN, std=STD)
        raw, scores = model.run_raw(pixels), model.run(pixels)
        assert (raw.dtype, raw.shape, scores.dtype) == (dtype, (5, 5), np.float32)
        expected = (raw.astype(float) - model.output.zero_point) * model.output.scale
        np.testing.assert_allclose(scores, expected)
        np.testing.assert_allclose(scores, floats, atol=0.05)


def test_kernels_agree_to_one_step(files, pixels):
    runs = [
        TFLiteModel(files.uint8, **options).run_raw(pixels).astype(int)
        for options in ({}, {"threads": 2}, {"delegate": False}, {"preserve_tensors": True})
    ]
    assert max(np.abs(run - runs[0]).max() for run in runs) <= 1


def test_activations(files, pixels):
    model = TFLiteModel(files.uint8, preserve_tensors=True)
    found = list(model.activations(pixels[:1]).values())
    assert [values.shape for _, values in found] == [
        (1, 32, 32, 3), (1, 16, 16, 8), (1, 16, 16, 24), (1, 16, 16, 24), (1, 16, 16, 8),
        (1, 16, 16, 8), (1, 8), (1, 5), (1, 5), (1, 5),
    ]  # fmt: skip
    # The first is QUANTIZE: uint8 pixels as int8, the same numbers in reality.
    info, values = found[0]
    np.testing.assert_array_equal(values, pixels[:1].astype(int) - 128)
    np.testing.assert_allclose(info.dequantize(values), (pixels[:1] - MEAN) / STD, atol=1e-5)
    np.testing.assert_array_equal(found[-1][1], model.run_raw(pixels[:1]))
    with pytest.raises(UserError, match="preserve_tensors"):
        TFLiteModel(files.uint8).activations(pixels[:1])


@pytest.mark.parametrize("wrong", [np.zeros((1, 32, 32, 3), np.float32), np.zeros((32, 32, 3)),
                                   np.zeros((1, 32, 31, 3), np.uint8)])  # fmt: skip
def test_other_pixels_are_refused(files, wrong):
    with pytest.raises(UserError, match=r"takes uint8 \(N, 32, 32, 3\)"):
        TFLiteModel(files.uint8).run(wrong)


def test_absent_and_foreign_files(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        TFLiteModel(tmp_path / "none.tflite")
    with pytest.raises(UserError, match="cannot be read"):
        TFLiteModel(tmp_path)
    for content in (b"", b"TFL3", b"\x89PNG\r\n\x1a\n" + bytes(200), b"x" * 5000):
        with pytest.raises(UserError, match="lacks the mark TFL3"):
            TFLiteModel(content)
    with pytest.raises(UserError, match="cut short or damaged"):
        TFLiteModel(b"\x1c\0\0\0TFL3" + bytes(50))


def _average(side, batch):
    import tf_keras as keras

    picture = keras.Input((side, side, 3), batch_size=batch)
    return keras.Model(picture, keras.layers.GlobalAveragePooling2D()(picture))


def test_sides_that_are_not_fixed_are_refused(to_float):
    with pytest.raises(UserError, match="not fixed"):
        TFLiteModel(to_float(_average(None, 1)))


def test_a_batch_that_is_not_fixed_is_one_image(to_float, pixels):
    model = TFLiteModel(to_float(_average(32, None)), mean=0.0, std=1.0)
    np.testing.assert_allclose(model.run(pixels), pixels.mean((1, 2)), rtol=1e-5)


def test_two_inputs_and_vectors_are_refused(to_float):
    import tf_keras as keras

    one, two = (keras.Input((4,), batch_size=1) for _ in range(2))
    with pytest.raises(UserError, match="has 2 inputs"):
        TFLiteModel(to_float(keras.Model([one, two], one + two)))
    with pytest.raises(UserError, match="a picture"):
        TFLiteModel(to_float(keras.Model(one, one + 1.0)))


def test_batches(to_float, pixels):
    """A file with a batch of two serves five pictures, the last one filled up."""
    import tf_keras as keras

    picture = keras.Input((32, 32, 3), batch_size=2)
    net = keras.Model(picture, keras.layers.GlobalAveragePooling2D()(picture))
    model = TFLiteModel(to_float(net), mean=0, std=255)
    np.testing.assert_allclose(model.run(pixels), pixels.mean(axis=(1, 2)) / 255, rtol=1e-4)
    assert model.run(pixels[:0]).shape == (0, 3)


CUTS = """
import sys
from pathlib import Path
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec

data = Path(sys.argv[1]).read_bytes()
data = add_metadata(data, name="n", description="d", labels=list("abcde"),
                    input_spec=InputSpec())
messages = set()
for length in (*range(0, len(data), 13), *range(len(data) - 60, len(data))):
    for load in (TFLiteModel, inspect):
        try:
            load(data[:length])
        except UserError as error:
            assert str(error).count("\\n") == 0
            messages.add(str(error)[:30])
        else:
            raise SystemExit(f"{length} of {len(data)} bytes were accepted")
print(len(messages))
"""


@pytest.mark.parametrize("name", ["uint8", "float32"])
def test_files_cut_at_any_place(files, name):
    """In a process of its own: a crash of the runtime would be a return code below zero."""
    done = run_python(CUTS, str(getattr(files, name)))
    assert done.returncode == 0, done.stderr[-500:] + done.stdout
