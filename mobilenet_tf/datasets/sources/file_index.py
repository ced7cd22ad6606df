"""Find the files that a table names, among those in its folder."""

from collections import defaultdict
from pathlib import Path

from mobilenet_tf.core.labels import same_name
from mobilenet_tf.datasets.sources.walk import files_below


class FileIndex:
    """The files below a folder, by what a table may call them.

    A name may be the path from the folder, its end, or a longer path that ends in it, with slashes
    or backslashes, in any case, and with or without the file's extension, as long as only one file
    can be meant. Files outside the folder are never found.

    Args:
        root: The folder.

    Raises:
        OSError: A folder cannot be read.
    """

    def __init__(self, root: Path) -> None:
        self._by_last: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
        self._files: dict[tuple[str, ...], str] = {}
        for path in files_below(root, [], lambda path, reason: None):
            name = path.relative_to(root).as_posix()
            parts = _parts(name)
            self._files.setdefault(parts, name)
            for last in {parts[-1], parts[-1].rpartition(".")[0]} - {""}:
                self._by_last[last].append(parts)

    def find(self, name: str) -> str | None:
        """Return the path of a file, relative to the folder.

        Returns:
            None if there is no such file, or several could be meant.
        """
        wanted = _parts(name)
        if not wanted:
            return None
        if wanted in self._files:
            return self._files[wanted]
        folders = wanted[:-1]
        found = {parts for parts in self._by_last[wanted[-1]] if _same_end(parts[:-1], folders)}
        return self._files[found.pop()] if len(found) == 1 else None


def _parts(name: str) -> tuple[str, ...]:
    parts = same_name(name).casefold().replace("\\", "/").split("/")
    return tuple(part for part in parts if part not in ("", "."))


def _same_end(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether the shorter one is the end of the longer one."""
    shorter, longer = sorted((one, other), key=len)
    return longer[len(longer) - len(shorter) :] == shorter
