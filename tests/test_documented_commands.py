"""The command line and the programs in benchmarks/ accept every command that a document shows.

Commands that can be run as they are shown go as far as the Python function behind them, which only
records that it is called; of the others, the options are parsed.
"""

import argparse
import importlib
import inspect
import io
import re
import shutil
from pathlib import Path

import pytest
import typer

from mobilenet_tf.cli.app import UsageError, app
from mobilenet_tf.core.errors import UserError
from tests.documents import COMMAND_LINE, PAGES, Shown, shown_commands
from tests.recorded import record_calls
from tests.sources import ROOT, check

RUN = ROOT / "tests/runs/fixtures/run_v1"
RECIPE = ROOT / "mobilenet_tf/training/recipes/small_data.toml"
# What stands for something else in examples.
MEANT = {
    **{"NAME": "v1", "RUN": "runs/photos", "FILE": "model.tflite", "FLASH": "1MB", "RAM": "1MB"},
    "config.toml": "runs/photos/config.toml",
}
# Of errors: an argument or the value of an option is absent.
INCOMPLETE = ("MissingParameter", "BadOptionUsage", "the following arguments are required")


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """Return a function that says why a command would not start; "" if it would."""
    calls = record_calls(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a.png")))
    usual = argparse.ArgumentParser.parse_args

    def parsed(parser, words):
        usual(parser, words)
        raise StopIteration

    def wrong(parser, message):
        raise UserError(message)

    monkeypatch.setattr("argparse.ArgumentParser.error", wrong)

    def refusal(command: Shown) -> str:
        words = [MEANT.get(word, word) for word in command.words]
        monkeypatch.setattr(
            "argparse.ArgumentParser.parse_args", lambda parser: parsed(parser, words)
        )
        calls.clear()
        try:
            if command.program != COMMAND_LINE:
                give(importlib.import_module(command.program), words, command.whole)
            elif words[:1] == ["--install-completion"]:  # which would install it
                pass
            elif command.whole:
                prepare(words)
                app(args=words, standalone_mode=False)
                assert calls
            elif words:
                parse(words)
        except (UsageError, UserError) as error:
            said = f"{type(error).__name__}: {getattr(error, 'message', error)}"
            return "" if not command.whole and any(map(said.__contains__, INCOMPLETE)) else said
        return ""

    return refusal


def prepare(words: list[str]) -> None:
    """Make the runs, recipes and tables that a command reads, in the current folder."""
    for path in map(Path, words):
        run = Path(*path.parts[:2])
        if path.parts[0] == "runs" and not run.exists():
            shutil.copytree(RUN, run)
            config = run / "config.toml"
            config.write_text(config.read_text().replace('"digits"', '"photos"', 1))
        if path.suffix == ".toml" and not path.exists():
            shutil.copy(RECIPE, path)
        if path.suffix == ".csv":
            path.write_text("file,label,group\na.png,b,c\n")


def parse(words: list[str]) -> None:
    """Parse the options of a command, which may lack others."""
    group = typer.main.get_command(app)
    with group.make_context("mobilenet-tf", words[:1]) as context:
        name, command, rest = group.resolve_command(context, words)
        command.make_context(name, rest, context)


def give(module, words: list[str], whole: bool) -> None:
    """Parse the words as the `main` of a module in benchmarks/ does, which then does nothing."""
    signature = inspect.signature(getattr(module, "main", lambda: None))
    parameters = [
        one.replace(kind=one.VAR_POSITIONAL) if one.annotation == list[str] else one
        for one in signature.parameters.values()
    ]
    signature = signature.replace(parameters=parameters)
    try:
        if hasattr(module, "argparse"):
            module.main()
        else:
            (signature.bind if whole else signature.bind_partial)(*words)
    except TypeError as error:
        raise UserError(str(error)) from None
    except StopIteration:
        pass


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_accepted(page, refused):
    said = ((command, refused(command)) for command in shown_commands(page))
    check([f"{command}: {why}" for command, why in said if why])


# In a section that a program in benchmarks/ writes, `<!-- NAME -->`.
SECTION = re.compile(r"^<!-- (\w+) -->$.*?^<!-- /\1 -->$", re.M | re.S)
# tests/commands/test_usage.py runs it without the package.
REFUSED = "$ mobilenet-tf train"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_commands_print_is_written_by_programs(page):
    by_hand = SECTION.sub("", page.read_text(encoding="utf-8"))
    printing = re.findall(r"^\$ mobilenet-tf.*", by_hand, re.M)
    assert set(printing) <= {REFUSED}


WRONG = """Text with `mobilenet-tf trian` and `run --epoch`, and

```
$ mobilenet-tf run --data photos --epochs many \\
    --model v3_small
mobilenet-tf choose --max-flash 3XB; cd x && FAST=1 timeout 3 .venv/bin/mobilenet-tf predict a
python -m mobilenet_tf evaluate runs/a --mean 3 --std 3   # not of a run
python -m benchmarks.commands scores everything
python -m benchmarks.tables all | python -m benchmarks.training
mobilenet-tf run --model v9
`mobilenet-tf verify` in 'a program's output
```

`mobilenet-tf
data`, `predict --top`, `python -m benchmarks.training`, `export --target mcu`
"""


def test_wrong_commands_are_found(tmp_path, refused):
    page = tmp_path / "page.md"
    page.write_text(WRONG, encoding="utf-8")
    found = {}
    for command in shown_commands(page):
        if why := refused(command):
            place = command.place.rpartition(":")[2]
            found.setdefault(int(place), []).append(why)
    said = {line: " ".join(whys) for line, whys in sorted(found.items())}
    counts = {line: len(whys) for line, whys in found.items()}
    assert counts == {1: 2, 4: 1, 6: 2, 7: 1, 8: 1, 9: 2, 10: 1}
    assert "No such command 'trian'" in said[1]
    assert "No such option" in said[1]
    assert "valid integer" in said[4]
    assert "3XB" in said[6]
    assert "Missing" in said[6] or "IMAGE" in said[6]
    assert "--mean applies only" in said[7]
    assert "everything" in said[8]
    assert "too many" in said[9]
    assert "missing" in said[9]
    assert "v9" in said[10]
