"""Weights files are bounded by their own size."""

import io
import json
import zipfile
from contextlib import suppress

import h5py
import numpy as np
import pytest

from mobilenet_tf import build, load_weights
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.published.stored import read_h5_weights, read_keras_weights


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
    with pytest.raises(UserError, match=r"huge\.h5 has .* bytes, but its arrays need 274,877,906"):
        read_h5_weights(path)
    packed = tmp_path / "huge.keras"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("config.json", '{"config": {"layers": []}}')
        archive.writestr("model.weights.h5", path.read_bytes())
    with pytest.raises(UserError, match="arrays need"):
        read_keras_weights(packed)


def _external_link(group):
    group["kernel"] = h5py.ExternalLink("/etc/hostname", "/")


def _external_data(group):
    group.create_dataset("kernel", (4,), "u1", external=[("/etc/hostname", 0, 4)])


@pytest.mark.parametrize("fill", [_external_link, _external_data])
def test_other_files_are_not_read(tmp_path, fill):
    with pytest.raises(UserError, match=r"odd\.h5"):
        read_h5_weights(h5_file(tmp_path / "odd.h5", fill))


def test_a_member_that_unpacks_to_much_more_is_refused(tmp_path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", '{"config": {"layers": []}}')
        archive.writestr("model.weights.h5", bytes(50_000_000))
    with pytest.raises(UserError, match=r"bomb\.keras: model\.weights\.h5 unpacks to more than"):
        read_keras_weights(path)


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


def test_random_damage_is_one_sentence(tmp_path):
    whole = io.BytesIO()
    with h5py.File(whole, "w") as file:
        file.attrs["layer_names"] = [b"conv"]
        file.create_group("conv").attrs["weight_names"] = [b"kernel"]
        file["conv"]["kernel"] = np.ones((3, 3, 1, 8), np.float32)
    content, random = whole.getvalue(), np.random.default_rng(0)
    path = tmp_path / "damaged.h5"
    for _ in range(60):
        mutant = bytearray(content)
        for place in random.integers(0, len(content), 4):
            mutant[place] = random.integers(256)
        path.write_bytes(mutant)
        with suppress(UserError):
            read_h5_weights(path)
