"""benchmarks/comparison: what int8 changes, on each dataset and on the pictures of all."""

import pytest

from benchmarks.comparison import OTHERS, int8_changes
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.zoo import ZOO
from mobilenet_tf.runs.predictions import Predictions, write_predictions
from mobilenet_tf.selection.comparison import parse_networks


def trial(folder, name, *, right):
    """Write a finished trial, and return its path from the folder.

    Args:
        folder: Folder of the comparison.
        name: Name of the trial.
        right: Form -> number of pictures of four that are classified correctly.
    """
    place = folder / "trials" / name
    place.mkdir(parents=True)
    form = {form: tuple(int(k >= count) for k in range(4)) for form, count in right.items()}
    names = tuple(f"{k}.png" for k in range(4))
    write_predictions(place, Predictions(fingerprint="", names=names, labels=(0,) * 4, **form))
    return f"trials/{name}"


def test_int8_changes(tmp_path):
    right = {
        "clothes": {"a": (4, 3), "b": (2, 2), "only_here": (4, 0)},
        "hands": {"a": (4, 4), "b": (3, 4)},
    }
    measured = {
        data: {
            "networks": [
                {
                    "network": name,
                    "trials": [
                        trial(tmp_path / data, f"{name}_{k}", right={"float": base, "int8": int8})
                        for k in range(2)
                    ],
                }
                for name, (base, int8) in networks.items()
            ]
        }
        for data, networks in right.items()
    }
    found = int8_changes(measured, tmp_path)
    assert list(found) == ["a", "b", "all of these"]
    means = {
        name: [change["mean"] for change in changes.values()] for name, changes in found.items()
    }
    assert list(found["a"]) == ["clothes", "hands", "pooled"]
    assert means["a"] == pytest.approx([-1 / 4, 0, -1 / 8])
    assert means["b"] == pytest.approx([0, 1 / 4, 1 / 8])
    assert means["all of these"] == pytest.approx([-1 / 8, 1 / 8, 0])
    # The same picture fails with both seeds, so that only the draw of pictures moves the mean.
    assert found["a"]["clothes"]["low"] < -1 / 4 < found["a"]["clothes"]["high"] == 0


def test_every_network_that_is_no_mobilenet_v1_to_v3_is_compared():
    names = {network.name for network in parse_networks(OTHERS, InputSpec(64))}
    published = {"v1", "v2", *(name for name in ZOO if name.startswith("v3"))}
    assert names == set(ZOO) - published
