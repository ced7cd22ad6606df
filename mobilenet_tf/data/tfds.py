"""`tfds:NAME`: public data sets, downloaded by tensorflow-datasets."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from mobilenet_tf.data.dataset import PARTS, Dataset, Progress, from_images
from mobilenet_tf.errors import UserError
from mobilenet_tf.models.spec import ModelSpec


def load_tfds(
    name: str, spec: ModelSpec, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """A classification data set of tensorflow-datasets, downloaded once.

    Its splits train, validation and test are used, unless they have no labels; those it lacks
    are taken from train.

    Raises:
        UserError: the library is not installed, it cannot prepare that data set, or the data
            set is not one of pictures with one label each.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise UserError(
            f"tfds:{name} needs tensorflow-datasets: pip install mobilenet_tf[tfds]"
        ) from error
    try:
        builder = tfds.builder(name)
        picture, label = _keys(builder.info, name)
        builder.download_and_prepare()
    except UserError:
        raise
    # An unknown name, no network, a full disk, a download by hand: each raises its own.
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"tfds:{name} cannot be prepared: {lines[0]}") from error

    def read(part: str, decoders: dict | None = None) -> Iterator[dict]:
        return tfds.as_numpy(builder.as_dataset(split=part, shuffle_files=False, decoders=decoders))

    # Labels first, without decoding: which part a picture goes to decides its size.
    skip = {picture: tfds.decode.SkipDecoding()}
    labels = {
        part: [int(example[label]) for example in read(part, skip)]
        for part in PARTS
        if part in builder.info.splits
    }
    labels = {part: found for part, found in labels.items() if found and min(found) >= 0}
    if "train" not in labels:
        raise UserError(f"tfds:{name} has no split `train` with labels; choose another data set.")
    return from_images(
        source=f"tfds:{name}",
        classes=tuple(builder.info.features[label].names),
        images=(_image(example[picture]) for part in labels for example in read(part)),
        names=[
            f"{part}/{index:07d}" for part, found in labels.items() for index in range(len(found))
        ],
        labels=[one for found in labels.values() for one in found],
        parts=[part for part, found in labels.items() for _ in found],
        spec=spec,
        seed=seed,
        progress=progress,
    )


def _keys(info, name: str) -> tuple[str, str]:
    """The features that hold the picture and the label."""
    keys, features = info.supervised_keys or (), info.features
    if len(keys) == 2 and all(isinstance(key, str) and key in features for key in keys):
        picture, label = keys
        pictures = len(features[picture].shape) == 3 and features[picture].np_dtype == np.uint8
        if pictures and hasattr(features[label], "names"):
            return keys
    raise UserError(
        f"tfds:{name} is not a set of 8-bit pictures with one label each; choose another."
    )


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGB")
