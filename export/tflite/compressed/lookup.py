"""Look-up tables: an index of 1 to 7 bits per element into the values that occur.

Either each channel has a table, or one table serves the whole tensor. The second is written with
axis 15 and stride 0: decoders that step through the tables by channel do not move then, and those
that read the axis find that there is one table.
"""

import numpy as np

from mobilenet_tf.deployment.tflite.compressed.layout import (
    HEADER_BYTES,
    Damaged,
    Encoded,
    Instructions,
    Layout,
    NotEncodable,
    header,
    index_width,
    pack_bits,
    read_header,
    read_table,
    unpack_bits,
    with_axis,
)

NUMBER = 0
MOST_VALUES = 128  # of one table
_ONE_TABLE = 15
_WIDTH_MASK = 0b111
_FAST_WIDTHS = (2, 3, 4)  # of int8 on the first axis
_FAST, _SLOW = Instructions(c=8, interpreter=4), Instructions(c=14, interpreter=25)


def encode(values: np.ndarray, layout: Layout) -> Encoded:
    """Encode a tensor, with one table or with one per channel, whichever takes fewer bytes.

    Args:
        values: The tensor, of `layout`'s shape and type.
        layout: What it looks like.

    Raises:
        NotEncodable: More than 128 values occur, in the tensor and in a channel.
    """
    forms = [form for form in (_one_table(values, layout), _tables(values, layout)) if form]
    if not forms:
        raise NotEncodable(f"more than {MOST_VALUES} values occur")
    return min(forms, key=lambda form: form.bytes)


def _one_table(values: np.ndarray, layout: Layout) -> Encoded | None:
    table, indices = np.unique(values.reshape(-1), return_inverse=True)
    if len(table) > MOST_VALUES:
        return None
    return _encoded(indices, table, layout, _ONE_TABLE, 0)


def _tables(values: np.ndarray, layout: Layout) -> Encoded | None:
    """Encode with a table per channel; None if there is one channel, or a table is too long."""
    if layout.channels == 1:
        return None
    known, numbers = np.unique(values.reshape(-1), return_inverse=True)
    # The pairs of channel and value that occur, by channel, and the pair of each element.
    pairs, pair = np.unique(layout.channel_of * len(known) + numbers, return_inverse=True)
    channel, value = np.divmod(pairs, len(known))
    lengths = np.bincount(channel, minlength=layout.channels)
    stride = int(lengths.max())
    if stride > MOST_VALUES:
        return None
    place = np.arange(len(pairs)) - (np.cumsum(lengths) - lengths)[channel]
    tables = np.zeros((layout.channels, stride), values.dtype)
    tables[channel, place] = known[value]
    return _encoded(place[pair], tables, layout, layout.axis, stride)


def _encoded(
    indices: np.ndarray, tables: np.ndarray, layout: Layout, axis: int, stride: int
) -> Encoded:
    width = index_width(tables.shape[-1])
    return Encoded(
        pack_bits(indices, width),
        header(NUMBER, with_axis(axis, width), stride) + tables.astype(layout.stored).tobytes(),
    )


def instructions(ancillary: bytes, layout: Layout) -> Instructions:
    """Return what decoding takes per element, which is less for some widths.

    Raises:
        Damaged: The data are no encoder's.
    """
    width, _ = read_shape(ancillary)
    on_last_axis = layout.channels > 1 and layout.axis == len(layout.shape) - 1
    fast = layout.dtype == "int8" and width in _FAST_WIDTHS and not on_last_axis
    return _FAST if fast else _SLOW


def decode(encoded: bytes, ancillary: bytes, layout: Layout) -> np.ndarray:
    """Return the tensor, by the rules of the runtime: the stride decides, the axis is ignored.

    Raises:
        Damaged: The data do not hold such a tensor.
    """
    width, stride = read_shape(ancillary)
    places = unpack_bits(encoded, width, layout.elements) + layout.channel_of * stride
    table = read_table(ancillary[HEADER_BYTES:], int(places.max()) + 1, layout)
    return table[places].reshape(layout.shape)


def read_shape(ancillary: bytes) -> tuple[int, int]:
    """Return the bits of an index, and the values from a channel's table to the next one's.

    Raises:
        Damaged: They are impossible.
    """
    _, parameters, stride = read_header(ancillary)
    width = parameters & _WIDTH_MASK
    if width == 0:
        raise Damaged("the look-up indices have a width of 0 bits")
    if stride > MOST_VALUES:
        raise Damaged(f"the look-up tables have a stride of {stride}, more than {MOST_VALUES}")
    return width, stride
