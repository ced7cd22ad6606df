"""`enroll`: images of a name -> a gallery. Needs no TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.outcomes.predictions import Enrollment
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import check_writable
from mobilenet_tf.core.labels import check_label
from mobilenet_tf.core.ownership import sha256
from mobilenet_tf.deployment.proof import predict as proof
from mobilenet_tf.tasks.embedding.gallery import Gallery, read_gallery, write_gallery


def enroll(
    file: str | Path,
    name: str,
    images: Sequence[str | Path],
    *,
    gallery: str | Path = "gallery.json",
) -> Enrollment:
    """Add images of a name to a gallery, which is made if there is none.

    Args:
        file: The `.tflite` of an embedder.
        name: Who or what the images show.
        images: Image files.
        gallery: The gallery.

    Raises:
        UserError: The file is no embedder, the gallery cannot be read or belongs to another model,
            or none of the images can be read.
    """
    path = Path(gallery)
    check_label(name, "The name")
    check_writable(path)
    known = _opened(path, Path(file))
    found = vectors_of(file, images)
    vectors = [one["vector"] for one in found["predictions"]]
    if known is None:
        known = Gallery(model=sha256(Path(file)), dimension=len(vectors[0]))
    known = known.with_images(name, [one["image"] for one in found["predictions"]], vectors)
    write_gallery(path, known)
    return Enrollment(
        gallery=str(path),
        name=name,
        images=[entry.image for entry in known.entries if entry.name == name],
        names=list(known.names),
        failed=found["failed"],
    )


def vectors_of(file: str | Path, images: Sequence[str | Path]) -> dict[str, Any]:
    """Return what `predict` says, which must be vectors.

    Raises:
        UserError: The file gives none, or see `predict`.
    """
    found = proof.predict(file, images)
    if not all("vector" in one for one in found["predictions"]):
        raise UserError(
            f"{file} gives no vectors to compare; a file that was trained with --task embedding is "
            "needed."
        )
    return found


def _opened(path: Path, file: Path) -> Gallery | None:
    if not path.exists() or not file.is_file():  # `predict` says what is wrong with the file
        return None
    return read_gallery(path, sha256(file), str(file))
