"""The space of `search`: what a choice means, and which files are refused."""

import re

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Convolution, InvertedResidual, Network
from mobilenet_tf.selection.architecture_space import DEFAULT_SPACE, load_architectures
from tests.selection.architectures import TINY, tiny


def test_a_choice_is_made_once_per_stage(tmp_path):
    space = tiny(tmp_path)
    values = space.extreme(max) | {"stage_1.kernel": 5, "stage_1.se": 0}
    network = space.network(values, 7, InputSpec(channels=1))
    assert network.backbone == (
        Convolution("stem", 3, 8, "relu", 2),
        InvertedResidual(5, 24, 16, False, "hard_swish", 2, shortcut=False),
        InvertedResidual(5, 48, 16, False, "hard_swish", 1, shortcut=True),
        Convolution("features", 1, 24, "hard_swish"),
    )
    assert (network.classes, network.input.shape) == (7, (32, 32, 1))
    assert Network.from_dict(network.to_dict()) == network
    other = space.network(values | {"stage_1.kernel": 3}, 7, InputSpec(channels=1))
    assert other.name != network.name == space.network(values, 7, InputSpec(channels=1)).name
    plain = space.network(space.extreme(min), 7, InputSpec(channels=1))
    assert not [op for op in lower(plain) if op.kind == "add" or op.name.endswith("expand")]


def test_every_combination_counts(tmp_path):
    space = tiny(tmp_path)
    assert space.configurations == 2**8
    assert set(space.parameters) == {"features.width", *(f"stage_1.{name}" for name in (
        "kernel", "expansion", "width", "repeats", "se", "activation", "skip"))}  # fmt: skip
    assert load_architectures(DEFAULT_SPACE).configurations > 10**12
    again = tmp_path / "again"
    again.mkdir()
    import tomli_w

    assert tiny(again, tomli_w.dumps(space.to_dict())) == space


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kernel = [3, 5]", "kernel = [3, 4]", "kernel has 4; its values must be among 3, 5, 7"),
        ("kernel = [3, 5]", "kernel = 3", "kernel is 3; it must be a list"),
        ("kernel = [3, 5]", "kernel = []", r"kernel is \[\]; it must be a list of 1 to 32"),
        ("kernel = [3, 5]", "", "is incomplete: it has no kernel"),
        ("width = [8, 16]", "width = [8, 8]", r"width is \[8, 8\]; .* all of them different"),
        ("width = [8, 16]", "width = [8.0]", "width.* is 8.0; it must be a whole number"),
        ("width = [8, 16]", "width = [0]", "width is 0; it must be at least 1"),
        ("se = [false, true]", "se = [0, 1]", r"se\[0\] is 0; it must be true or false"),
        ('"hard_swish"]\nskip', '"swish"]\nskip', "activation has 'swish'; its values must be"),
        ("stride = 2", "stride = 3", "stride is 3; it must be a whole number from 1 to 2"),
        ("stride = 2", "stride = 2\nwidths = [3]", "has an unknown field 'widths'"),
        ("size = [32]", "size = [16]", "size is 16; it must be at least 32"),
        ("size = [32]", "size = [32, 32]", r"size is \[32, 32\]; it must be a list of 1 to 32"),
        ("dropout = 0.0", "dropout = 1.5", "dropout is 1.5"),
        ("[[stage]]", "[[stages]]", "has an unknown field|has no stage"),
    ],
)
def test_what_a_file_must_not_have(tmp_path, old, new, said):
    assert old in TINY
    with pytest.raises(UserError, match=said) as error:
        tiny(tmp_path, TINY.replace(old, new))
    assert re.match(r".*space\.toml", str(error.value))
