"""Where the labels of a task come from: what `data` looks at before a network is trained."""

from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.labelled import Labelled


class Sources:
    """The part of `Task` about the files of its sources.

    Attributes:
        name, one_class: As in `Task`.
    """

    name: ClassVar[str]
    one_class: ClassVar[bool]

    def listed(self, source: str) -> AbstractContextManager[Labelled]:
        """List the files of a source with their labels, which can be placed within the context.

        By default, each picture has a class: that of its folder, or of its row in a table.

        Raises:
            UserError: There is no such source, or no sources of this task are listed.
        """
        if not self.one_class:
            raise UserError(f"`data` does not look at the sources of {self.name}.")
        from mobilenet_tf.datasets.sources.folder import list_folder

        return nullcontext(list_folder(source))
