"""What a network takes as input, and how a picture is mapped to it and back."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from mobilenet_tf.core.bounds import check_choice, check_normalisation, check_white_level
from mobilenet_tf.core.errors import UserError

FITS = ("crop", "stretch", "pad")
RESIZES = ("bilinear", "nearest", "box", "bicubic", "lanczos", "mediapipe")
_SHOWN = {
    "crop": "the largest centred part of a picture with the shape of the input",
    "stretch": "the whole picture, stretched to the input",
    "pad": "the whole picture, with a border of the mean",
}
_RESIZED = {
    "nearest": "resized by single pixels",
    "mediapipe": "interpolated without anti-aliasing, as MediaPipe Tasks does",
}
LARGEST_SIDE = 8192
IO_TYPES = ("uint8", "int8", "float32")  # of the input and output of a .tflite

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels


@dataclass(frozen=True)
class InputSpec:
    """The input of a network and the preprocessing that leads to it.

    Attributes:
        size: (height, width) in pixels; one number is short for a square.
        channels: 3 (RGB) or 1 (grey).
        mean: Pixel value that becomes 0. It is an integer so that it is the zero point of the int8
            input. The published 127.5 would lie between two integers; the difference, 0.004 of a
            range of 2, is less than half a grey level.
        std: Pixel values per unit; 1 / std is the scale of the int8 input.
        crop: Share of the picture that is used, 1.0 for all that `fit` allows.
        fit: How a picture of another shape becomes the input: `crop` takes the largest centred
            rectangle of the input's shape, `stretch` scales both axes independently, `pad` scales
            the whole picture and fills the rest with `mean`.
        resize: Pillow's resampling filter, anti-aliased except for `nearest`; or `mediapipe`, which
            interpolates between the four nearest pixels, see `datasets/resizing.py`.
        white_level: Value that becomes 255 in greys of more than 8 bits; training finds it in its
            images. None, where they have none, scales each such picture by itself.
    """

    size: int | tuple[int, int] = 224
    channels: int = 3
    mean: float = 128.0
    std: float = 127.5
    crop: float = 1.0
    fit: str = "crop"
    resize: str = "bilinear"
    white_level: float | None = None

    def __post_init__(self) -> None:
        sides = self.size if isinstance(self.size, tuple | list) else (self.size, self.size)
        if len(sides) != 2 or not all(_is_side(side) for side in sides):
            raise UserError(
                f"size is {self.size!r}; it must be a whole number of at least 1 "
                f"and at most {LARGEST_SIDE}, or two of them: height and width."
            )
        object.__setattr__(self, "size", (int(sides[0]), int(sides[1])))
        if self.channels not in (1, 3):
            raise UserError(f"channels is {self.channels!r}; it must be 1 (grey) or 3 (RGB).")
        check_normalisation(self.mean, self.std)
        if not 0 < self.crop <= 1:
            raise UserError(f"crop is {self.crop}; it must be greater than 0 and at most 1.")
        check_choice("fit", self.fit, FITS)
        check_choice("resize", self.resize, RESIZES)
        if self.white_level is not None:
            check_white_level(self.white_level)

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.size[0]  # type: ignore[index]

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.size[1]  # type: ignore[index]

    @property
    def side(self) -> int:
        """Side of a square input in pixels.

        Raises:
            UserError: The input is not square.
        """
        if self.height != self.width:
            raise UserError(
                f"size is {self.width}x{self.height} (width x height); a square is needed here."
            )
        return self.height

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.height, self.width, self.channels

    @property
    def size_text(self) -> str:
        """`96`, or `96x128` (height x width) where the input is not square."""
        return f"{self.height}" if self.height == self.width else f"{self.height}x{self.width}"

    @property
    def bounds(self) -> tuple[float, float]:
        """The normalised values of pixel 0 and pixel 255.

        With this range the int8 input has the scale 1 / std and (as uint8) the zero point mean, so
        raw pixels are the quantized input.
        """
        return (0 - self.mean) / self.std, (255 - self.mean) / self.std

    def is_scale(self, scale: float) -> bool:
        """Return whether a file's input has the scale 1 / std, as `bounds` give it.

        The distance is at most half a step over all 256 grey levels, so that it never matters.
        """
        return 255 * abs(scale * self.std - 1) < 0.5

    @property
    def preparation(self) -> str:
        """What becomes of a picture, as part of a sentence."""
        share = "" if self.crop == 1 else f"{self.crop:.1%} of the sides of "
        resized = _RESIZED.get(self.resize, f"resized with anti-aliasing ({self.resize})")
        return f"{share}{_SHOWN[self.fit]}, {resized}"

    @property
    def decoded_side(self) -> int | None:
        """Pixels that decoding must leave of a picture's shorter side; None for all of them.

        With twice the final resolution, an anti-aliased resize decides the pixels and not the JPEG
        decoder. The longer side of the input counts, because files are rotated after decoding.
        Interpolation takes single pixels, of which the decoder would make means.
        """
        if self.resize == "mediapipe":
            return None
        return math.ceil(2 * max(self.height, self.width) / self.crop)

    def normalise(self, pixels: np.ndarray) -> np.ndarray:
        """Return (pixel - mean) / std as float32, of any shape."""
        return (np.asarray(pixels, np.float32) - np.float32(self.mean)) / np.float32(self.std)

    def placement(self, width: int, height: int) -> "Placement":
        """Return which part of a picture of this size lands where in the input."""
        whole = (0, 0, self.width, self.height)
        if self.fit == "crop":
            # Multiply before dividing, so that the sides of a square are exact.
            sides = (
                min(width, height * self.width / self.height),
                min(height, width * self.height / self.width),
            )
            return Placement(_centred(width, height, *sides, self.crop), whole)
        source = _centred(width, height, width, height, self.crop)
        if self.fit == "stretch":
            return Placement(source, whole)
        across, down = source[2] - source[0], source[3] - source[1]
        scale = min(self.width / across, self.height / down)
        inner = _centred(self.width, self.height, scale * across, scale * down, 1.0)
        return Placement(source, inner)

    def framing(self, size: tuple[int, int], decoded: tuple[int, int] | None = None) -> "Framing":
        """Return how an upright picture lies in the input.

        Args:
            size: (width, height) of the picture in pixels.
            decoded: The same after decoding, which may have halved it; None if it did not.
        """
        decoded = decoded or size
        # The last pixels of a half may stand for less than a whole one.
        factor = 2 ** round(math.log2(max(size) / max(decoded)))
        placement = self.placement(*decoded)
        left, top, right, bottom = (factor * edge for edge in placement.source)
        placement = Placement((left, top, right, bottom), placement.target)
        return Framing(size, (self.width, self.height), placement)

    def sized(self, size: int | tuple[int, int]) -> "InputSpec":
        """Return the same preprocessing for an input of another size."""
        return replace(self, size=size)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON and TOML, without None; a square's size is one number."""
        size = self.height if self.height == self.width else [self.height, self.width]
        values = {field.name: getattr(self, field.name) for field in fields(self)} | {"size": size}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "InputSpec":
        """Return the specification that `to_dict` described.

        Raises:
            UserError: A field is unknown, or its value is not accepted.
        """
        known = {field.name for field in fields(cls)}
        for name in values:
            if name not in known:
                raise UserError(f"input has an unknown field {name!r}; {_listed(known)}.")
        size = values.get("size", cls.size)
        try:
            return cls(**{**values, "size": tuple(size) if isinstance(size, list) else size})
        except TypeError as error:
            raise UserError(f"input has a value of a wrong type: {dict(values)!r}.") from error


@dataclass(frozen=True)
class Placement:
    """Where a picture lands in the input: boxes and masks are mapped with it, and back.

    Attributes:
        source: The part of the picture that is used, in its pixels.
        target: The part of the input that it fills, in the input's pixels.
    """

    source: Box
    target: Box

    def to_input(self, points: np.ndarray) -> np.ndarray:
        """Map (..., 2) points (x, y) from the picture to the input; pixel edges are integers."""
        return _mapped(points, self.source, self.target)

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Map (..., 2) points (x, y) from the input back to the picture."""
        return _mapped(points, self.target, self.source)


@dataclass(frozen=True)
class Framing:
    """How one upright picture lies in the input that it was prepared for.

    Attributes:
        size: (width, height) of the upright picture in pixels, before any reduction.
        sides: (width, height) of the input in pixels.
        placement: Which part of the picture fills which part of the input.
    """

    size: tuple[int, int]
    sides: tuple[int, int]
    placement: Placement

    def shares(self, points: np.ndarray) -> np.ndarray:
        """Map (..., 2) points (x, y) from pixels of the picture to shares of the input.

        What the input does not show lies below 0 or above 1, or in its padding.
        """
        return self.placement.to_input(points) / self.sides

    def points(self, shares: np.ndarray) -> np.ndarray:
        """Map (..., 2) shares (x, y) of the input back to pixels of the picture."""
        return self.placement.to_picture(np.asarray(shares, float) * self.sides)


def _mapped(points: np.ndarray, start: Box, end: Box) -> np.ndarray:
    from_corner, to_corner = np.array(start[:2], float), np.array(end[:2], float)
    scale = (np.array(end[2:]) - to_corner) / (np.array(start[2:]) - from_corner)
    return (np.asarray(points, float) - from_corner) * scale + to_corner


def _centred(width: int, height: int, across: float, down: float, share: float) -> Box:
    """The centred box of share * across by share * down pixels, rounded, at least one pixel."""
    across, down = (max(1, math.floor(share * side + 0.5)) for side in (across, down))
    across, down = min(across, width), min(down, height)
    left, top = (width - across) // 2, (height - down) // 2
    return left, top, left + across, top + down


def _is_side(side: Any) -> bool:
    whole = isinstance(side, int | np.integer) and not isinstance(side, bool)
    return bool(whole and 1 <= side <= LARGEST_SIDE)


def _listed(names: set[str]) -> str:
    return f"the fields are {', '.join(sorted(names))}"
