"""Whether a picture shows none of the classes: what a task says that decides it."""

from typing import Any, ClassVar

from mobilenet_tf.core.errors import UserError

_REJECTS_NOTHING = "The task {} rejects no images; other is for classification."


class Rejection:
    """The part of `Task` about images that show none of its classes; by default, none are rejected.

    Attributes:
        name: As in `Task`.
    """

    name: ClassVar[str]

    def other_images(self) -> str | None:
        """Return the folder of images that show none of the classes, for `settled`, if any."""
        return None

    def with_other_images(self, folder: str) -> Any:
        """Return this task with such a folder.

        Raises:
            UserError: It does not decide whether an image shows none of its classes.
        """
        raise UserError(_REJECTS_NOTHING.format(self.name))

    def separation(self, outputs: Any, other: Any, name: str) -> dict[str, Any]:
        """Return how well outputs tell images that show none of the classes from others.

        Args:
            outputs: Outputs for images of the classes.
            other: Outputs for images of something else.
            name: What errors call the model.

        Returns:
            images, the number of the others; accepted, the share of them that passes the
            threshold; and auroc, how often one of them has a lower score than one of the classes.

        Raises:
            UserError: See `with_other_images` and `metrics`.
        """
        raise UserError(_REJECTS_NOTHING.format(self.name))
