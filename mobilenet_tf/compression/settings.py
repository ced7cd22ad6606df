"""What a user decides about the integer file."""

from dataclasses import dataclass, replace

from mobilenet_tf.core.errors import UserError

IO_TYPES = ("uint8", "int8", "float32")


@dataclass(frozen=True)
class Int8Settings:
    """How a network becomes an integer file.

    Attributes:
        io: type of the file's input and output; raw pixels for uint8.
        per_tensor: one weight scale per tensor, for NPUs that are slow with one per channel.
    """

    io: str = "uint8"
    per_tensor: bool = False

    def __post_init__(self):
        if self.io not in IO_TYPES:
            raise UserError(f"io is {self.io!r}; it must be one of {', '.join(IO_TYPES)}.")

    def changed(self, **fields) -> "Int8Settings":
        """The settings with some fields changed; None leaves a field as it is."""
        return replace(self, **{name: x for name, x in fields.items() if x is not None})


DEFAULT = Int8Settings()
