"""Decode every image of a stream once, before training, in a process that a file may crash.

Streams are decoded by TensorFlow in the training process, where a damaged image would end a run
after hours, and a hostile one the process. Files that have passed are remembered until they or
TensorFlow change, so that later starts read nothing. The child is this module too.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from mobilenet_tf.core.cache import DiskCache, cache_file
from mobilenet_tf.core.child import Child, ChildCrash, Tool
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.serve import Content, serve
from mobilenet_tf.datasets.dataset import Progress
from mobilenet_tf.datasets.formats import SECONDS
from mobilenet_tf.datasets.plain import LEAST_CONTRAST

_TENSORFLOW = Tool("TensorFlow", "decoded", "mobilenet_tf.datasets.stream_check")
_MEMORY = 32 * 2**30  # bytes of addresses, of which TensorFlow reserves many and uses few
_START_SECONDS = 120.0  # to import TensorFlow
_PART = 1024  # images of one request


@dataclass(frozen=True)
class Records:
    """Part of a TFRecord file.

    Attributes:
        path: Path of the file.
        skip: Number of records before the first one.
        take: Number of records.
    """

    path: str
    skip: int
    take: int


class StreamCheck:
    """Checks the images of streams.

    Args:
        feature: Name of the feature that holds the encoded image.
        seconds: Time for one image, and once more for each request.
    """

    def __init__(self, feature: str, seconds: float = SECONDS) -> None:
        self._feature, self._seconds = feature, seconds
        self._child: Child | None = None
        about = f"TensorFlow {version('tensorflow')}, feature {feature}"
        self._passed = DiskCache(about, cache_file("checked_images.json"), _is_list)

    def check(self, parts: Sequence[Records], progress: Progress | None = None) -> list[str]:
        """Decode all images of which the files have not passed yet.

        Args:
            parts: The images.
            progress: Called with the number of finished images and of all images.

        Returns:
            Names of images in which there is nothing to see.

        Raises:
            UserError: An image cannot be decoded, or TensorFlow crashes on it.
        """
        total, done = sum(part.take for part in parts), 0
        plain: list[str] = []
        for part in parts:
            key = _fingerprint(part)
            if key not in self._passed.values:
                self._passed.values[key] = self._decode(part)
                self._passed.save()
            plain += [f"{os.path.basename(part.path)}/{i}" for i in self._passed.values[key]]
            done += part.take
            if progress:
                progress(done, total)
        return plain

    def close(self) -> None:
        """End the process."""
        if self._child:
            self._child.close()
            self._child = None

    def _decode(self, part: Records) -> list[int]:
        """Return the numbers of images in which there is nothing to see."""
        plain: list[int] = []
        end = part.skip + part.take
        for start in range(part.skip, end, _PART):
            few = Records(part.path, start, min(_PART, end - start))
            try:
                plain += self._ask(few)
            except ChildCrash:  # one of them is to blame
                for number in range(few.skip, few.skip + few.take):
                    plain += self._ask_alone(Records(part.path, number, 1))
        return plain

    def _ask_alone(self, one: Records) -> list[int]:
        try:
            return self._ask(one)
        except ChildCrash as crash:
            ends = "does not finish in time" if crash.cause == "late" else "crashes"
            raise UserError(
                f"Image {one.skip} of {one.path} cannot be used: TensorFlow's decoder {ends} on it."
            ) from crash

    def _ask(self, part: Records) -> list[int]:
        if self._child is None:
            self._child = Child(_TENSORFLOW, "an image", _MEMORY)
            try:
                self._child.ask("start", seconds=_START_SECONDS)
            except ChildCrash as crash:
                raise UserError("The process that checks images cannot be started.") from crash
        try:
            _, plain = self._child.ask(
                "decode",
                seconds=self._seconds * (1 + part.take),
                path=part.path,
                skip=part.skip,
                take=part.take,
                feature=self._feature,
            )
        except ChildCrash:
            self.close()
            raise
        return json.loads(plain)


def _fingerprint(part: Records) -> str:
    """Return what changes when the file does."""
    import tensorflow as tf  # which also knows files that are not on this machine

    facts = tf.io.gfile.stat(part.path)
    return json.dumps([part.path, facts.length, facts.mtime_nsec, part.skip, part.take])


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int for item in value)


def answer(request: dict[str, Any], content: Content) -> tuple[dict[str, Any], bytes]:
    """Answer a request, inside the child process."""
    import tensorflow as tf

    if request["do"] == "start":
        return {}, b""
    path, feature = request["path"], {request["feature"]: tf.io.FixedLenFeature([], tf.string)}

    def is_plain(record: tf.Tensor) -> tf.Tensor:
        encoded = tf.io.parse_single_example(record, feature)[request["feature"]]
        pixels = tf.cond(
            tf.io.is_jpeg(encoded),
            lambda: tf.io.decode_jpeg(encoded, 3, dct_method="INTEGER_ACCURATE"),
            lambda: tf.io.decode_png(encoded, 3),
        )
        contrast = tf.reduce_max(pixels, [0, 1]) - tf.reduce_min(pixels, [0, 1])
        return tf.reduce_all(contrast < LEAST_CONTRAST)

    records = tf.data.TFRecordDataset(path).skip(request["skip"]).take(request["take"])
    plain, number = [], request["skip"]
    try:
        for found in records.map(is_plain, tf.data.AUTOTUNE).as_numpy_iterator():
            if found:
                plain.append(number)
            number += 1
    except tf.errors.OpError as error:  # its text is a list of operations
        raise UserError(
            f"Image {number} of {path} is damaged: TensorFlow cannot decode it."
        ) from error
    return {}, json.dumps(plain).encode()


if __name__ == "__main__":
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # the memory of a GPU is for training
    serve(answer)
