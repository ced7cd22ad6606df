"""Settings of the integer file."""

from dataclasses import dataclass, replace
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import IO_TYPES


@dataclass(frozen=True)
class Int8Settings:
    """How a network becomes an integer file.

    Attributes:
        io: Type of the file's input and output; with uint8 they are raw pixels.
        per_tensor: Whether a kernel has one scale instead of one per output channel, for NPUs
            that are slow with the latter.
    """

    io: str = "uint8"
    per_tensor: bool = False

    def __post_init__(self) -> None:
        if self.io not in IO_TYPES:
            raise UserError(f"io is {self.io!r}; it must be one of {', '.join(IO_TYPES)}.")

    def changed(self, **fields: Any) -> "Int8Settings":
        """Return the settings with some fields changed; None leaves a field as it is."""
        return replace(self, **{name: x for name, x in fields.items() if x is not None})


DEFAULT = Int8Settings()
