"""The files of a folder with annotations, and what readers of all formats do with them."""

from collections.abc import Iterable
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.sources.layout import split_of
from mobilenet_tf.datasets.sources.walk import files_below, is_picture


class Files:
    """The files below a folder, by their path relative to it.

    Attributes:
        root: The folder.
        names: Paths with forward slashes, sorted, without links to what is read already.
        skipped: {"file", "reason"} of folders that are left out.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.skipped = root, list[dict[str, str]]()

        def note(path: Path, reason: str) -> None:
            self.skipped.append({"file": f"{path.relative_to(root).as_posix()}/", "reason": reason})

        try:
            below = files_below(root, [], note)
        except OSError as error:
            raise UserError(f"{error.filename} cannot be read: {error.strerror}.") from error
        self.names = [path.relative_to(root).as_posix() for path in below]
        self._pictures: dict[str, list[str]] = {}
        for name in filter(is_picture, self.names):
            self._pictures.setdefault(_stem(name), []).append(name)

    def ending(self, suffix: str) -> list[str]:
        """Return the files with this suffix, in any case."""
        return [name for name in self.names if name.lower().endswith(suffix)]

    def pictures(self) -> list[str]:
        """Return the files with names of pictures."""
        return [name for name in self.names if is_picture(name)]

    def picture(self, named: str, near: str) -> str | None:
        """Find the picture that an annotation names.

        Args:
            named: Path or name as it is written in the annotation; its folders may be those of
                another machine, and its suffix may be missing.
            near: The annotation's own path. The picture lies in its folder or in one that shares
                more of the path with it than any other.
        """
        base = named.replace("\\", "/").rpartition("/")[2]
        found = self._pictures.get(_stem(base), self._pictures.get(base, []))
        exact = [name for name in found if name.rpartition("/")[2] == base]
        return max(exact or found, key=lambda name: _shared(name, near), default=None)


def _stem(name: str) -> str:
    base = name.rpartition("/")[2]
    return base.rpartition(".")[0] or base


def _shared(name: str, other: str) -> int:
    """Return how many of the first folders of two paths are equal."""
    pairs = zip(name.split("/")[:-1], other.split("/")[:-1], strict=False)
    count = 0
    for one, two in pairs:
        if one != two:
            break
        count += 1
    return count


def split_in(name: str) -> str | None:
    """Return the split that the innermost of a path's folders stands for: `images/val2017/a`."""
    found = (split_of(folder) for folder in reversed(name.split("/")[:-1]))
    return next((split for split in found if split), None)


def numbers(values: Iterable[object]) -> tuple[float, ...] | None:
    """Return values as floats, whatever they are written as; None if one is no number."""
    try:
        return tuple(float(value) for value in values)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
