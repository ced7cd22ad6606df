"""Which order classes have, and which pictures an automatic split must not separate."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.labels import matched
from mobilenet_tf.datasets.sources.file_index import FileIndex
from mobilenet_tf.datasets.sources.table import (
    FILE_COLUMNS,
    GROUP_COLUMNS,
    Table,
    is_table,
    named,
    read_table,
)
from mobilenet_tf.datasets.sources.walk import folders_named
from mobilenet_tf.datasets.splitting import Listing, group_numbers


@dataclass(frozen=True)
class Arrangement:
    """How the pictures of a source are arranged; sources that are no files ignore it.

    Attributes:
        group_by: A table of files and their groups, or a regular expression of which the first
            match in a file's path, or what its parentheses contain, is the file's group. Empty for
            the groups of the source itself.
        find_duplicates: Whether to look for near duplicates, which then stay in one split.
        classes: Names of the classes in the order of their labels; empty for the source's order.
        corrections: File -> the class that it shows instead of the source's, or `LEFT_OUT`; see
            `corrected`.
    """

    group_by: str = ""
    find_duplicates: bool = True
    classes: tuple[str, ...] = ()
    corrections: Mapping[str, str] = field(default_factory=dict)

    def arranged(self, listing: Listing, root: Path) -> Listing:
        """Return a listing with these groups and this order of classes.

        Args:
            listing: The files of a source.
            root: Folder to which their names are relative.

        Raises:
            UserError: The groups cannot be read, or belong to none of the files; or the classes
                are others.
        """
        if self.group_by:
            groups = groups_of(self.group_by, listing.names, root)
            listing = replace(listing, together=group_numbers(groups))
        if not self.classes:
            return listing
        order = matched(self.classes, listing.classes)
        if order is None or not listing.stratified:
            raise UserError(
                f"The classes of {root} are {', '.join(listing.classes)}; --class-order must name "
                "each of them once, and applies only to images with one class each."
            )
        labels = np.argsort([listing.classes.index(name) for name in order])
        return replace(
            listing, classes=order, labels=labels[np.asarray(listing.labels, int)].tolist()
        )


def groups_of(group_by: str, names: Sequence[str], root: Path) -> list[str]:
    """Return the name of the group of each file, "" for none; see `Arrangement.group_by`.

    Raises:
        UserError: The table or the expression cannot be read, or gives no file a group.
    """
    path = Path(group_by)
    if is_table(path):
        groups = _groups_of_table(read_table(path), names, root)
    else:
        groups = _groups_of_expression(group_by, names)
    if not any(groups):
        example = f", such as {names[0]!r}" if names else ""
        raise UserError(f"--group-by {group_by!r} gives no group to any file of {root}{example}.")
    return groups


def _groups_of_table(table: Table, names: Sequence[str], root: Path) -> list[str]:
    file, group = 0, 1
    if table.header is not None:
        files, groups = table.column(FILE_COLUMNS), table.column(GROUP_COLUMNS)
        others = [column for column in range(len(table.titles)) if column != files]
        if groups is None and len(others) == 1:
            groups = others[0]
        if files is None or groups is None:
            raise UserError(
                f"{table.path} needs a column of files and one called group; its header is "
                f"{named(table.titles)}."
            )
        file, group = files, groups
    index = FileIndex(root)
    with folders_named():
        found = {index.find(cells[file]): cells[group] for _, cells in table.rows}
    return [found.get(name, "") for name in names]


def _groups_of_expression(text: str, names: Sequence[str]) -> list[str]:
    try:
        expression = re.compile(text)
    except re.error as error:
        raise UserError(
            f"--group-by {text!r} is neither a table (.csv) nor a regular expression: {error}."
        ) from error
    return [_group(match) if (match := expression.search(name)) else "" for name in names]


def _group(match: "re.Match[str]") -> str:
    parts: tuple[Any, ...] = match.groups()
    return "/".join(part or "" for part in parts) if parts else match[0]
