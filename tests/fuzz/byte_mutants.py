"""Damage bytes and texts of any kind; what is damaged is a function of the random generator."""

from random import Random

WORDS = (0, 1, 2, 4, 127, 128, 255, 256, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "cp437")
_PARTS = (
    *("\0", "\x1b[2J", "\u202e", "\u2028", "\r", "\n\n\n", "\t", " ", "\ud800", "e\u0301"),
    *("x" * 5000, "[" * 5000, "9" * 5000, "nan", "-inf", "1e999", "null", "''", '"', "#", "="),
)


def damage_bytes(content: bytes, random: Random) -> bytes:
    """Change, cut, repeat or remove bytes, or overwrite a word by an extreme one."""
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8, 50))):
        if len(data) < 16:
            break
        at = random.randrange(len(data) - 8)
        kind = random.randrange(5)
        if kind == 0:
            data[at] = random.randrange(256)
        elif kind == 1:
            at -= at % 4
            data[at : at + 4] = random.choice(WORDS).to_bytes(4, "little")
        elif kind == 2:
            # Tables and references are at the front or the back of the flatbuffer.
            at = random.choice((random.randrange(8, min(len(data) - 4, 400)), at)) & ~3
            value = int.from_bytes(data[at : at + 4], "little") + random.choice((-4, -1, 1, 4, 64))
            data[at : at + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")
        elif kind == 3:
            del data[at : at + random.choice((1, 4, 100, len(data)))]
        else:
            data[at:at] = data[at : at + random.choice((1, 4, 100))]
    return bytes(data)


def damage_header(content: bytes, random: Random) -> bytes:
    """Change words of the first bytes, where sizes and types stand, in either byte order."""
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 4))):
        size = random.choice((1, 2, 4))
        at = random.randrange(max(1, min(len(data), random.choice((32, 128, 600))) - size))
        order = random.choice(("little", "big"))
        if random.random() < 0.5:
            word = random.choice(WORDS) & (256**size - 1)
        else:
            word = int.from_bytes(data[at : at + size], order) + random.choice((-1, 1, 256))
        data[at : at + size] = (word % 256**size).to_bytes(size, order)
    return bytes(data)


def damage_text(content: bytes, random: Random) -> bytes:
    """Write a text in another encoding, insert or repeat parts of it, or damage its bytes."""
    kind = random.randrange(4)
    if kind == 0:
        return damage_bytes(content, random)
    text = content.decode()
    for _ in range(random.choice((1, 1, 3))):
        at = random.randrange(len(text) + 1)
        if kind == 1:
            lines = text.splitlines(keepends=True)
            random.shuffle(lines)
            text = "".join(lines + lines[:1])
        else:
            text = text[:at] + random.choice(_PARTS) + text[at + random.choice((0, 1, 20)) :]
    encoding = random.choice(_ENCODINGS) if kind == 3 else "utf-8"
    return text.encode(encoding, "surrogatepass" if encoding == "utf-8" else "replace")
