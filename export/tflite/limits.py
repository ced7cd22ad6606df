"""What a `.tflite` from outside may ask for.

The numbers in a file are claims. They are compared with these limits before memory is allocated
or time is spent. Every limit is several times what the largest image classifiers need.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from flatbuffers.table import Table

FILE_BYTES = 1 << 29
TABLES = 100_000  # visits to tables of a flatbuffer; a table that is shared counts each time
TEXT_BYTES = 1 << 24  # names of all tables together
REFERENCES = 1_000_000  # inputs and outputs of all operators together
OPERATORS = 20_000
RANK = 16
CHANNELS = 4096  # numbers of a normalisation, and least and largest values
ELEMENTS = 1 << 31  # of one tensor
PICTURE_ELEMENTS = 1 << 25  # height * width * channels of an input
OUTPUTS = 64  # of a file; a detector has two per feature map
BATCH_ELEMENTS = 1 << 27  # of an input with its batch, and of an output
LABELS_BYTES = 1 << 22  # of a file in the zip
ZIP_FILES = 1000
DECODED_BYTES = 1 << 23  # of compressed kernels that are decoded to describe them
PROFILED = 1000  # operators that `benchmark` measures one by one
MEMORY = 3 << 30  # of the child in which LiteRT runs, in addition to a multiple of the file's size
LOAD_SECONDS = 8.0
RUN_SECONDS = 8.0  # for one batch


class BeyondLimit(ValueError):
    """A file asks for more than a limit; the text says for what."""


@dataclass
class Budget:
    """What is left while one file is read."""

    tables: int = TABLES
    text: int = TEXT_BYTES

    def visit(self) -> None:
        """Count a visit to a table."""
        self.tables -= 1
        if self.tables < 0:
            raise BeyondLimit(f"refers to more than {TABLES:,} tables")

    def copy(self, size: int) -> None:
        """Count bytes of text."""
        self.text -= size
        if self.text < 0:
            raise BeyondLimit(f"has more than {TEXT_BYTES:,} bytes of names and texts")


_budget: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def limited() -> Iterator[Budget]:
    """Within this block, a `CountedTable` raises `BeyondLimit` when the budget is spent."""
    budget = Budget()
    token = _budget.set(budget)
    try:
        yield budget
    finally:
        _budget.reset(token)


class CountedTable(Table):
    """A table of a flatbuffer that counts against the budget of `limited`.

    Offsets may share tables, so that a small file unfolds into a large tree. Its depth is that of
    the schema, which has no table that contains itself.
    """

    __slots__ = ()

    def __init__(self, buf: Any, pos: int):
        budget = _budget.get()
        if budget is not None:
            budget.visit()
        super().__init__(buf, pos)

    def String(self, off: int) -> bytes:
        """Return a text; see `Table`."""
        text = super().String(off)
        budget = _budget.get()
        if budget is not None:
            budget.copy(len(text))
        return text
