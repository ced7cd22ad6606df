"""Narrower last stages of backbones, for heads that need fewer features than ImageNet's classes."""

from dataclasses import fields, replace

from mobilenet_tf.networks.rows import Row, make_divisible


def halved_last_stage(rows: tuple[Row, ...], *, expansion: bool = False) -> tuple[Row, ...]:
    """Return a backbone with half as many channels after its last stride (V3, 6.3 and 6.4).

    Args:
        rows: The backbone.
        expansion: Whether the expansion of the strided block is halved as well, as in the released
            segmenters; detectors read it.
    """
    first = max(index for index, row in enumerate(rows) if getattr(row, "stride", 1) > 1)
    return (
        *rows[:first],
        narrowed_row(rows[first], 0.5, "out", *(["expansion"] if expansion else [])),
        *(narrowed_row(row, 0.5, "out", "expansion") for row in rows[first + 1 :]),
    )


def narrowed_row(row: Row, factor: float, *names: str) -> Row:
    """Return a row with other numbers of channels in those of the fields that it has."""
    known = [field.name for field in fields(row) if field.name in names]
    return replace(row, **{name: make_divisible(getattr(row, name) * factor) for name in known})
