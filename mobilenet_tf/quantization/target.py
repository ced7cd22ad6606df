"""What the integer file is made for."""

from dataclasses import dataclass

from mobilenet_tf.errors import UserError

IO_TYPES = ("uint8", "int8", "float32")


@dataclass(frozen=True)
class Target:
    """A kind of hardware, and what follows from it.

    Attributes:
        name: `cpu`, `mcu` or `npu`.
        fuse_hard_swish: hard-swish as one operation. Microcontroller kernels and NPUs have it;
            CPU kernels do not take it in int8, and the network falls into pieces.
        io: type of input and output where the user names none.
    """

    name: str
    fuse_hard_swish: bool
    io: str


TARGETS = {
    target.name: target
    for target in (
        Target("cpu", fuse_hard_swish=False, io="uint8"),
        Target("mcu", fuse_hard_swish=True, io="int8"),
        Target("npu", fuse_hard_swish=True, io="int8"),
    )
}


@dataclass(frozen=True)
class Int8Settings:
    """How a network becomes an integer file.

    Attributes:
        target: a name of `TARGETS`.
        io: type of the file's input and output; raw pixels for uint8.
        per_tensor: one weight scale per tensor, for NPUs that are slow with one per channel.
    """

    target: str = "cpu"
    io: str = "uint8"
    per_tensor: bool = False

    def __post_init__(self):
        if self.target not in TARGETS:
            raise UserError(f"target is {self.target!r}; it must be one of {', '.join(TARGETS)}.")
        if self.io not in IO_TYPES:
            raise UserError(f"io is {self.io!r}; it must be one of {', '.join(IO_TYPES)}.")

    @classmethod
    def of(cls, target: str, io: str | None = None, per_tensor: bool = False) -> "Int8Settings":
        """Settings of a target, whose own input and output type stands in for None."""
        if io is None and target in TARGETS:
            io = TARGETS[target].io
        return cls(target, io or "uint8", per_tensor)

    @property
    def fuse_hard_swish(self) -> bool:
        return TARGETS[self.target].fuse_hard_swish


CPU = Int8Settings()
