"""Weights files are read in a child and bounded by their own size."""

import io
import json
import zipfile
from contextlib import suppress

import h5py
import numpy as np
import pytest

from mobilenet_tf import build, load_weights
from mobilenet_tf.core.child import ChildCrash
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.published.h5 import h5_file as h5_file_of
from mobilenet_tf.networks.published.h5 import read_h5
from mobilenet_tf.networks.published.stored import read_weights


def h5_file(path, fill):
    """A file with one layer `conv`; `fill(group)` writes its array `kernel`."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"conv"]
        group = file.create_group("conv")
        group.attrs["weight_names"] = [b"kernel"]
        fill(group)
    return path


def test_an_array_larger_than_the_file_is_one_sentence(tmp_path):
    path = h5_file(
        tmp_path / "huge.h5", lambda group: group.create_dataset("kernel", (2**18, 2**18), "f")
    )
    assert path.stat().st_size < 10_000
    with pytest.raises(
        UserError, match=r"huge\.h5 cannot be read by HDF5: its arrays need 274,877,906"
    ):
        read_weights(path)
    packed = tmp_path / "huge.keras"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("config.json", '{"config": {"layers": []}}')
        archive.writestr("model.weights.h5", path.read_bytes())
    with pytest.raises(UserError, match="arrays need"):
        read_weights(packed)


def _external_link(group):
    group["kernel"] = h5py.ExternalLink("/etc/hostname", "/")


def _external_data(group):
    group.create_dataset("kernel", (4,), "u1", external=[("/etc/hostname", 0, 4)])


def _virtual(group):
    layout = h5py.VirtualLayout((4,), "u1")
    layout[:] = h5py.VirtualSource("/etc/hostname", "data", (4,))
    group.create_virtual_dataset("kernel", layout)


def _soft_links(group):
    group["kernel"] = h5py.SoftLink("/conv/other")
    group["other"] = h5py.SoftLink("/conv/kernel")


def _own_parent(group):
    group["kernel"] = group.file["/"]


def _shared(group):
    for _ in range(40):  # 2 ** 40 paths
        inner = group.create_group("a")
        group["b"] = inner
        group = inner


def _deep(group):
    for _ in range(2000):
        group = group.create_group("a")


def _many(group):
    group.create_dataset("kernel", (10_000,), "f")
    for number in range(20_000):
        group[f"kernel{number}"] = group["kernel"]


def _texts(group):
    group.create_dataset("kernel", data=np.array([b"a", b"b"]))


def _objects(group):
    group["kernel"] = np.dtype("f4")


def _nothing(group):
    group["kernel"] = h5py.Empty("f")


@pytest.mark.parametrize(
    "fill",
    [
        *(_external_link, _external_data, _virtual, _soft_links, _own_parent, _shared, _deep),
        *(_many, _texts, _objects, _nothing),
    ],
)
def test_what_is_no_array_in_the_file_is_one_sentence(tmp_path, fill):
    with pytest.raises(UserError, match=r"odd\.h5 cannot be read by HDF5: \w.*\.$") as caught:
        read_weights(h5_file(tmp_path / "odd.h5", fill))
    assert not isinstance(caught.value, ChildCrash)


def test_a_filter_that_needs_other_code_is_refused(tmp_path, monkeypatch):
    """HDF5 would load a library with the filter from a folder of the system."""
    path = h5_file(
        tmp_path / "odd.h5",
        lambda group: group.create_dataset(
            "kernel", data=np.ones((64, 64), "f"), chunks=(64, 64), compression="gzip"
        ),
    )
    assert read_weights(path)[0].arrays[0].sum() == 64 * 64
    content = path.read_bytes()
    pipeline = content.index(b"deflate") - 8  # the filter's number stands before its name
    assert content[pipeline : pipeline + 2] == b"\1\0"
    path.write_bytes(content[:pipeline] + (32_500).to_bytes(2, "little") + content[pipeline + 2 :])
    with pytest.raises(UserError, match=r"odd\.h5 cannot be read by HDF5: .*filter"):
        read_weights(path)


def test_attributes_that_are_huge_or_no_text(tmp_path):
    def attributes(group):
        group.create_dataset("kernel", data=np.ones(3, "f"))
        group.attrs["number"] = 3.0
        group.attrs["nothing"] = h5py.Empty("S3")
        group.attrs["reference"] = group.ref

    assert read_weights(h5_file(tmp_path / "good.h5", attributes))[0].arrays[0].tolist() == [1] * 3

    def many_times_the_same(group):
        attributes(group)
        group.attrs.create("text", ["x"] * 4000, dtype=h5py.string_dtype())

    path = h5_file(tmp_path / "texts.h5", many_times_the_same)
    assert len(read_h5(path.read_bytes(), "x").get("conv").attributes["text"]) == 4000


def test_a_crash_of_hdf5_is_one_sentence(tmp_path, monkeypatch):
    path = h5_file(tmp_path / "a.h5", lambda group: group.create_dataset("kernel", (4,), "f"))
    monkeypatch.setattr("mobilenet_tf.networks.published.h5._SECONDS", 1e-6)
    with pytest.raises(ChildCrash, match=r"HDF5 crashes on this file: .*a\.h5 .* in time"):
        read_weights(path)
    monkeypatch.undo()
    monkeypatch.setattr("mobilenet_tf.networks.published.h5._MEMORY", 2**20)
    with pytest.raises(ChildCrash, match=r"a\.h5"):
        read_weights(path)


def test_a_file_written_for_keras_has_the_same_content(tmp_path):
    def fill(group):
        group.create_dataset("kernel", data=np.arange(6, dtype=">f8").reshape(2, 3))
        group.create_dataset("half", data=np.ones((), "f2"))
        group.create_dataset("none", data=np.ones((0, 4), "?"))
        group.attrs["empty"] = []
        group.attrs["long"] = "é" * 100_000

    read = read_h5(h5_file(tmp_path / "a.h5", fill).read_bytes(), "a.h5")
    again = read_h5(h5_file_of(read), "again")
    for one in (read, again):
        layer = one.get("conv")
        assert one.attributes == {"layer_names": ["conv"]}
        assert layer.attributes["weight_names"] == ["kernel"]
        assert layer.attributes["long"] == "é" * 100_000
        assert layer.get("kernel").tolist() == [[0, 1, 2], [3, 4, 5]]
        assert (layer.get("half").dtype, layer.get("half").shape) == (np.float16, ())
        assert (layer.get("none").dtype, layer.get("none").shape) == (bool, (0, 4))
        assert one.get("conv/kernel/more") is None


def test_this_process_opens_no_hdf5_of_others(tmp_path, monkeypatch):
    path = h5_file(tmp_path / "a.h5", lambda group: group.create_dataset("kernel", (4,), "f"))

    def refuse(*arguments, **options):
        raise AssertionError("opened here")

    monkeypatch.setattr(h5py, "File", refuse)
    assert read_weights(path)[0].arrays[0].shape == (4,)


def test_a_member_that_unpacks_to_much_more_is_refused(tmp_path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", '{"config": {"layers": []}}')
        archive.writestr("model.weights.h5", bytes(50_000_000))
    with pytest.raises(UserError, match=r"bomb\.keras: model\.weights\.h5 unpacks to more than"):
        read_weights(path)


def test_weights_of_a_file_that_names_code_are_read_without_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = build("v1", 0.25, 32, classes=4)
    model.save("model.keras")
    with zipfile.ZipFile("model.keras") as old, zipfile.ZipFile("odd.keras", "w") as new:
        config = json.loads(old.read("config.json"))
        config["config"]["layers"].append(
            {"module": "os", "class_name": "function", "config": {"name": "mkdir"}}
        )
        new.writestr("config.json", json.dumps(config))
        new.writestr("model.weights.h5", old.read("model.weights.h5"))
    other = build("v1", 0.25, 32, classes=4)
    load_weights(other, "odd.keras")
    for now, before in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(now, before)


def test_what_a_zip_lacks_is_named(tmp_path):
    path = tmp_path / "part.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(UserError, match=r"it is a zip without model\.weights\.h5"):
        read_weights(path)


def test_values_that_are_no_numbers_are_refused(tmp_path):
    values = np.array([1, np.nan], np.float32)
    path = h5_file(tmp_path / "a.h5", lambda group: group.create_dataset("kernel", data=values))
    with pytest.raises(UserError, match="/conv/kernel has values that are not numbers"):
        read_weights(path)


def test_a_layer_that_is_missing_is_damage(tmp_path):
    path = h5_file(tmp_path / "a.h5", lambda group: None)
    with pytest.raises(UserError, match="it lacks weights of the layer conv"):
        read_weights(path)
    with h5py.File(path, "a") as file:
        del file["conv"]
    with pytest.raises(UserError, match="it lacks the layer conv"):
        read_weights(path)


def test_random_damage_is_one_sentence(tmp_path):
    whole = io.BytesIO()
    with h5py.File(whole, "w") as file:
        file.attrs["layer_names"] = [b"conv"]
        file.create_group("conv").attrs["weight_names"] = [b"kernel"]
        file["conv"]["kernel"] = np.ones((3, 3, 1, 8), np.float32)
    content, random = whole.getvalue(), np.random.default_rng(0)
    path = tmp_path / "damaged.h5"
    for _ in range(10):
        mutant = bytearray(content)
        for place in random.integers(0, len(content), 4):
            mutant[place] = random.integers(256)
        path.write_bytes(mutant)
        with suppress(UserError):
            read_weights(path)
