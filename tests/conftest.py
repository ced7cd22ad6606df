"""What several packages test with: real pictures, and int8 files of all networks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
import typer.main

from mobilenet_tf.core.outcome import Outcome
from mobilenet_tf.networks.zoo import ZOO, make_network
from tests import warm
from tests.short import shallow_zoo, without_repeats
from tests.slow import USUAL, slow_but

SHARED = Path(__file__).parents[2] / "shared"
SIZE, CLASSES = 48, 10
# Networks of more than 5 million parameters at alpha 1, which are built and run at small alphas.
LARGE = ("v4_conv_m", "v4_conv_l", "xception", "v1_full")
# V4's largest has the rows of `v4_conv_m`, and converts for the longest time.
CONVERTED = [name for name in ZOO if name != "v4_conv_l"]


@pytest.fixture(scope="session", autouse=True)
def warm_children() -> Iterator[None]:
    """Let the processes that read files from elsewhere begin with their modules imported."""
    with warm.children():
        yield


@pytest.fixture(autouse=True, scope="session")
def command_line() -> Iterator[None]:
    """Put the command line together once, not for each command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(autouse=True, scope="session")
def complete_outcomes() -> Iterator[None]:
    """Whatever a command returns has the entries that its class declares."""
    made = Outcome.__init__

    def checked(self, *args, **kwargs):
        made(self, *args, **kwargs)
        missing = set(get_type_hints(type(self))) - set(self)
        assert not missing, f"{type(self).__name__} lacks {missing}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Outcome, "__init__", checked)
        yield


@pytest.fixture(scope="module")
def short_networks() -> Iterator[None]:
    """Make the networks of the zoo short: for tests of commands."""
    with shallow_zoo():
        yield


@pytest.fixture(scope="session")
def signs() -> Path:
    """2,062 photos of hands, ten classes."""
    folder = SHARED / "data" / "sign_digits"
    if not folder.is_dir():
        pytest.skip("shared/data/sign_digits is not beside the repository")
    return folder


@pytest.fixture(scope="session")
def pictures() -> np.ndarray:
    """uint8 (64, 48, 48, 3): the two photos that come with scikit-learn, cut into squares."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    squares = []
    for photo in load_sample_images().images:
        for side in (150, 100):
            for top in range(0, photo.shape[0] - side + 1, side):
                for left in range(0, photo.shape[1] - side + 1, side):
                    square = Image.fromarray(photo[top : top + side, left : left + side])
                    squares.append(np.asarray(square.resize((SIZE, SIZE))))
    order = np.random.default_rng(0).permutation(len(squares))[:64]
    return np.stack(squares)[np.sort(order)]


def enliven(model, images: np.ndarray) -> None:
    """Give a network with random weights the activations that a trained one has.

    Its batch normalization takes its statistics from real pictures, with scales that differ
    between channels, and its classes come apart.
    """
    import tf_keras as keras

    random = np.random.default_rng(5)
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    for norm in norms:
        channels = norm.gamma.shape
        norm.gamma.assign(random.uniform(0.5, 1.5, channels))
        norm.beta.assign(random.normal(0, 0.5, channels))
        norm.momentum = 0.0
    # With each pass one layer more has settled inputs; the first few matter most.
    for _ in range(4):
        model(images, training=True)
    head = [x for x in model.layers if x.get_weights()][-1]
    logits = keras.Model(model.input, model.layers[-1].input)(images).numpy()
    kernel, bias = head.get_weights()
    head.set_weights([kernel * 1.2 / logits.std(axis=0).mean(), bias])


@dataclass(frozen=True, eq=False)
class Int8:
    """One network in all its forms, made when asked for.

    Attributes:
        name: of the zoo.
        pixels: uint8 pictures to compare with.
    """

    name: str
    pixels: np.ndarray

    @cached_property
    def spec(self):
        return without_repeats(make_network(self.name, 0.35, SIZE, CLASSES))

    @cached_property
    def images(self) -> np.ndarray:

        return self.spec.input.normalise(self.pixels)

    @cached_property
    def canonical(self):
        import tf_keras as keras

        from mobilenet_tf.networks.keras_model import build_network

        keras.utils.set_random_seed(7)
        model = build_network(self.spec)
        enliven(model, self.images)
        return model

    @cached_property
    def deployed(self):
        from mobilenet_tf.compression.deploy import deploy_form

        return deploy_form(self.canonical)

    @cached_property
    def qat(self):
        from mobilenet_tf.compression.qat import quantize_aware

        return quantize_aware(self.deployed, self.images, self.spec.input)

    @cached_property
    def content(self) -> bytes:
        from mobilenet_tf.deployment.tflite.convert import convert

        return convert(self.qat)


@pytest.fixture(scope="session", params=slow_but(USUAL, CONVERTED, together=True))
def int8(request, pictures) -> Int8:
    """Networks of every kind; all tests of one network run in one process."""
    return Int8(request.param, pictures)
