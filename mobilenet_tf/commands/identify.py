"""`identify`: who or what of a gallery images show. Needs no TensorFlow."""

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tf.commands.enroll import vectors_of
from mobilenet_tf.commands.outcomes.predictions import Identification
from mobilenet_tf.core.bounds import check_number, check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.ownership import sha256
from mobilenet_tf.networks.zoo import MOST_CLASSES
from mobilenet_tf.tasks.embedding.gallery import read_gallery


def identify(
    file: str | Path,
    images: Sequence[str | Path],
    *,
    gallery: str | Path = "gallery.json",
    threshold: float | None = None,
    top: int = 3,
) -> Identification:
    """Compare images with those of a gallery.

    Args:
        file: The `.tflite` that made the gallery.
        images: Image files.
        gallery: The gallery.
        threshold: Similarity that the most similar image of a name must exceed, from -1 to 1; by
            default the one in the file, which was chosen on its validation images.
        top: Number of names per image.

    Raises:
        UserError: The file is no embedder or has no threshold, the gallery cannot be read or
            belongs to another model, or none of the images can be read.
    """
    check_whole("top", top, 1, MOST_CLASSES)
    if threshold is not None:
        check_number("threshold", threshold, -1, 1)
    found = vectors_of(file, images)
    known = read_gallery(Path(gallery), sha256(Path(file)), str(file))
    threshold = found["threshold"] if threshold is None else threshold
    if threshold is None:
        raise UserError(f"{file} has no threshold; give one with --threshold, from -1 to 1.")
    predictions = []
    for one in found["predictions"]:
        similar = list(known.similarities(one["vector"]).items())
        accepted = [name for name, similarity in similar[:1] if similarity > threshold]
        predictions.append(
            {
                "image": one["image"],
                "name": accepted[0] if accepted else None,
                "names": [
                    {"name": name, "similarity": round(similarity, 4)}
                    for name, similarity in similar[:top]
                ],
            }
        )
    return Identification(
        gallery=str(gallery),
        threshold=threshold,
        predictions=predictions,
        failed=found["failed"],
    )
