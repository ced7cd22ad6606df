"""`enroll` and `identify`, which compare images with those of a gallery."""

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_tf.cli import options as opt
from mobilenet_tf.cli.output import show_answers
from mobilenet_tf.cli.streams import with_standard_input

_Gallery = Annotated[Path, typer.Option(help="File with names and vectors.")]


def enroll(
    file: opt.File,
    name: Annotated[str, typer.Argument(help="Who or what the images show.")],
    images: opt.Images,
    gallery: _Gallery = Path("gallery.json"),
    as_json: opt.Json = False,
) -> None:
    """Add images of somebody or something to a gallery.

    The exit code is 1 if some of the images cannot be read, and 2 if none can.
    """
    from mobilenet_tf.commands.enroll import enroll as start

    named = with_standard_input(images)
    show_answers(start(file, name, named, gallery=gallery), as_json)


def identify(
    file: opt.File,
    images: opt.Images,
    gallery: _Gallery = Path("gallery.json"),
    threshold: Annotated[
        float | None,
        typer.Option(help="Similarity to exceed, from -1 to 1.", show_default="the file's"),
    ] = None,
    top: Annotated[int, typer.Option(help="Number of names per image.")] = 3,
    as_json: opt.Json = False,
) -> None:
    """Say who or what of a gallery images show.

    The exit code is 1 if some of the images cannot be read, and 2 if none can.
    """
    from mobilenet_tf.commands.identify import identify as start

    named = with_standard_input(images)
    found = start(file, named, gallery=gallery, threshold=threshold, top=top)
    show_answers(found, as_json)
