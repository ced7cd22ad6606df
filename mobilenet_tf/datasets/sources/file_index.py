"""Find the files that a table names, among those in its folder."""

from collections import defaultdict
from functools import cached_property
from pathlib import Path, PurePosixPath

from mobilenet_tf.core.labels import same_name
from mobilenet_tf.datasets.sources.walk import files_below

Parts = tuple[str, ...]


class FileIndex:
    """The files below a folder, by what a table may call them.

    A name may be the path from the folder, its end, or a longer path that ends in it, with slashes
    or backslashes, in any case, and with or without the file's extension, as long as only one file
    can be meant. Files outside the folder are never found.

    The folder is listed only when a name is not that of a file as it stands.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def find(self, name: str) -> str | None:
        """Return the path of a file, relative to the folder.

        Returns:
            None if there is no such file, or several could be meant.

        Raises:
            OSError: A folder cannot be read.
        """
        return self._as_it_stands(name) or self._similar(_parts(name))

    def _as_it_stands(self, name: str) -> str | None:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            return None
        try:
            found = (self._root / path).is_file()
        except (OSError, ValueError):  # too long, or no name at all
            return None
        return str(path) if found else None

    def _similar(self, wanted: Parts) -> str | None:
        known = self._by_last.get(wanted[-1], []) if wanted else []
        same = [name for parts, name in known if parts == wanted]
        found = same or [name for parts, name in known if _same_end(parts[:-1], wanted[:-1])]
        return found[0] if len(found) == 1 else None

    @cached_property
    def _by_last(self) -> dict[str, list[tuple[Parts, str]]]:
        """The parts and the path of all files, by the last part with and without extension."""
        found: defaultdict[str, list[tuple[Parts, str]]] = defaultdict(list)
        for path in files_below(self._root, [], lambda path, reason: None):
            name = path.relative_to(self._root).as_posix()
            parts = _parts(name)
            for last in {parts[-1], parts[-1].rpartition(".")[0]} - {""}:
                found[last].append((parts, name))
        return dict(found)


def _parts(name: str) -> Parts:
    parts = same_name(name).casefold().replace("\\", "/").split("/")
    return tuple(part for part in parts if part not in ("", "."))


def _same_end(one: Parts, other: Parts) -> bool:
    """Whether the shorter one is the end of the longer one."""
    shorter, longer = sorted((one, other), key=len)
    return longer[len(longer) - len(shorter) :] == shorter
