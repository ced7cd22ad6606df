"""The documents, and the command lines that they show."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.sources import ROOT, commands

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMAND_LINE = "mobilenet_tf"
_FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
_INLINE = re.compile(r"`([^`]+)`")
_PROMPT = re.compile(r"^\$ ")
_VARIABLE = re.compile(r"\w+=")
_OPERATORS = "();<>|&"


@dataclass(frozen=True)
class Shown:
    """A command line in a document.

    Attributes:
        place: `FILE:LINE`.
        program: `COMMAND_LINE`, or a module such as `benchmarks.tables`.
        words: What follows the program's name.
        where: `block`, `terminal` if a prompt stands before it and what it prints follows, or
            `sentence`.
        whole: Whether it can be run as it is; a sentence may name a command alone, or leave out
            the program's name and what is clear.
    """

    place: str
    program: str
    words: tuple[str, ...]
    where: str
    whole: bool

    def __str__(self) -> str:
        return f"{self.place}: {shlex.join((self.program, *self.words))}"


def shown_commands(page: Path) -> list[Shown]:
    """Return the command lines of a document, in blocks of code and in sentences."""
    text = page.read_text(encoding="utf-8")
    name = page.name if page.parent == ROOT else f"{page.parent.name}/{page.name}"
    found = []
    for start, code, where in _codes(text):
        place = f"{name}:{text.count(chr(10), 0, start) + 1}"
        for program, words in _programs(code):
            alone = not (words[1:] if program == COMMAND_LINE else words)
            whole = where != "sentence" or not alone
            found.append(Shown(place, program, words, where, whole))
        first, *others = code.split() or [""]
        if where == "sentence" and others and first in commands():
            found.append(Shown(place, COMMAND_LINE, (first, *others), where, False))
    return found


def _codes(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the position of each line of code, the line, and where it stands, see `Shown`."""
    for block in _FENCED.finditer(text):
        for line in re.finditer(r"(?:.*\\\n)*.*", block[0]):
            code, prompts = _PROMPT.subn("", line[0].replace("\\\n", " "))
            yield block.start() + line.start(), code, "terminal" if prompts else "block"
    prose = _FENCED.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), text)
    for code in _INLINE.finditer(prose):
        yield code.start(), " ".join(code[1].split()), "sentence"


def _programs(line: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the programs of this project that a line of a shell runs, with their words."""
    if not re.search(r"mobilenet[-_]tf|benchmarks\.", line):
        return
    lexer = shlex.shlex(line, posix=True, punctuation_chars=_OPERATORS)
    lexer.whitespace_split = True
    command: list[str] = []
    for word in [*_words(lexer), ";"]:
        if not set(word) <= set(_OPERATORS):
            command.append(word)
            continue
        match _without_prefix(command):
            case [program, *words] if Path(program).name == "mobilenet-tf":
                yield COMMAND_LINE, tuple(words)
            case [_, "-m", module, *words] if re.match(r"mobilenet_tf$|benchmarks\.", module):
                yield module, tuple(words)
        command = []


def _without_prefix(command: list[str]) -> list[str]:
    """Return a command without the variables and the limit of time that it runs with."""
    match command:
        case [first, *rest] if _VARIABLE.match(first):
            return _without_prefix(rest)
        case ["timeout", _, *rest]:
            return _without_prefix(rest)
    return command


def _words(lexer: shlex.shlex) -> list[str]:
    """Return the words of a line; what a program prints may have quotes that are not closed."""
    try:
        return list(lexer)
    except ValueError:
        return []
