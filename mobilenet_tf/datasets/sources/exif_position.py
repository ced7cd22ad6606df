"""Where pictures were taken, by the GPS entries of their EXIF data.

Pillow reads them in a process of its own, as it decodes pictures. This module is the child too.
"""

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from mobilenet_tf.core.child import Child, ChildCrash, Tool
from mobilenet_tf.core.reading import open_regular
from mobilenet_tf.core.serve import Content, serve
from mobilenet_tf.datasets.formats import BYTE_LIMIT, FORMATS, MEMORY, PIXEL_LIMIT, TOO_MANY_PIXELS

Position = tuple[float, float]  # latitude and longitude in degrees

NO_POSITION = "it has no GPS position"
_PILLOW = Tool("Pillow", "read", "mobilenet_tf.datasets.sources.exif_position")
_SECONDS = 10.0  # for one file
_TOGETHER = 64  # files of one request
_SIXTIETHS = (1, 60, 3600)  # degrees, minutes, seconds


class NoPosition(ValueError):
    """A picture has no position that can be used; the text is the reason, a clause."""


def read_positions(paths: Sequence[Path]) -> list[Position | str]:
    """Return latitude and longitude of each file in degrees, or why there are none, as a clause."""
    found: list[Position | str] = []
    child = Child(_PILLOW, "a picture", MEMORY)
    try:
        for start in range(0, len(paths), _TOGETHER):
            part = [str(path) for path in paths[start : start + _TOGETHER]]
            try:
                found += _ask(child, part)
            except ChildCrash:  # one of them is to blame
                for path in part:
                    child.close()
                    child = Child(_PILLOW, "a picture", MEMORY)
                    try:
                        found += _ask(child, [path])
                    except ChildCrash:
                        found.append("its EXIF data cannot be read")
    finally:
        child.close()
    return found


def _ask(child: Child, paths: list[str]) -> list[Position | str]:
    _, payload = child.ask("read", json.dumps(paths).encode(), _SECONDS * len(paths))
    return [one if isinstance(one, str) else (one[0], one[1]) for one in json.loads(payload)]


def answer(request: dict[str, Any], content: Content) -> tuple[dict[str, Any], bytes]:
    """Answer a request, inside the child process."""
    found: list[Position | str] = []
    for path in json.loads(content.read()):
        try:
            found.append(_position_of(path))
        except NoPosition as error:
            found.append(str(error))
        except MemoryError:
            raise
        except Exception:  # damaged bytes can make a reader raise any exception
            found.append("its EXIF data cannot be read")
    return {}, json.dumps(found).encode()


def _position_of(path: str) -> Position:
    with open_regular(path, BYTE_LIMIT) as file, Image.open(file, formats=FORMATS) as image:
        if image.width * image.height > PIXEL_LIMIT:
            raise NoPosition(TOO_MANY_PIXELS)
        return position(image.getexif().get_ifd(ExifTags.IFD.GPSInfo))


def position(gps: Mapping[int, Any]) -> Position:
    """Return latitude and longitude in degrees of the GPS entries of EXIF (EXIF 2.32, 4.6.6).

    Raises:
        NoPosition: They have none, or it is out of range, or was written without a fix.
    """
    tags = ExifTags.GPS
    if tags.GPSLatitude not in gps or tags.GPSLongitude not in gps:
        raise NoPosition(NO_POSITION)
    if _letter(gps.get(tags.GPSStatus)) == "V":
        raise NoPosition("its GPS position was written without a fix")
    latitude = _degrees(gps[tags.GPSLatitude], gps.get(tags.GPSLatitudeRef), "NS", "latitude", 90)
    longitude = _degrees(
        gps[tags.GPSLongitude], gps.get(tags.GPSLongitudeRef), "EW", "longitude", 180
    )
    return checked(latitude, longitude)


def checked(latitude: float, longitude: float) -> Position:
    """Return a position, rounded to 0.1 m.

    Raises:
        NoPosition: It is out of range, or 0, 0.
    """
    for name, value, most in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if not abs(value) <= most:  # NaN too
            raise NoPosition(f"its {name} is {value:g}, which is not from -{most} to {most}")
    if latitude == longitude == 0:
        raise NoPosition("its position is 0, 0, which cameras write without a fix")
    return round(latitude, 6), round(longitude, 6)


def _degrees(values: Any, side: Any, sides: str, name: str, most: int) -> float:
    """Return an angle from up to three rationals: degrees, minutes and seconds."""
    values = values if isinstance(values, tuple | list) else (values,)
    letter = _letter(side)
    if letter not in tuple(sides):
        raise NoPosition(f"its {name} does not say whether it is {sides[0]} or {sides[1]}")
    total = 0.0
    for value, part, limit in zip(values, _SIXTIETHS, (most, 60, 60), strict=False):
        number = _number(value)
        if not 0 <= number <= limit:
            raise NoPosition(f"its {name} is damaged")
        total += number / part
    if not 1 <= len(values) <= len(_SIXTIETHS):
        raise NoPosition(f"its {name} is damaged")
    return total if letter == sides[0] else -total


def _number(value: Any) -> float:
    """Return a rational as a number; NaN for a zero denominator, a text or an absurd size."""
    try:
        number = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return float("nan")
    return number if isfinite(number) else float("nan")


def _letter(value: Any) -> str:
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
    return text.strip("\0 ").upper()[:1]


if __name__ == "__main__":
    serve(answer)
