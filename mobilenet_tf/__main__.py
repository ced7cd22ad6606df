"""`python -m mobilenet_tf` and `mobilenet-tf`."""

import logging
import os
import sys
import tempfile
import traceback
from typing import Any

from mobilenet_tf.core import environment

_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
# What repeating an interrupted command does, for the commands that can continue.
_CONTINUES = {
    **dict.fromkeys(
        ("run", "train", "tune"), " The same command with --resume continues from here."
    ),
    "quantize": " The same command continues from here.",
}


def main() -> None:
    """Run the command line; an error of the user is one sentence and exit code 2."""
    _open_streams()
    environment.prepare()
    _forget_current_folder()

    from mobilenet_tf.cli.app import Abort, UsageError, app
    from mobilenet_tf.core.errors import UserError, WorkerLost
    from mobilenet_tf.core.text import clean

    _clean_warnings()
    try:
        code = app(args=sys.argv[1:] or ["--help"], prog_name="mobilenet-tf", standalone_mode=False)
    except UsageError as error:  # an option that does not exist, a value of a wrong type
        sentence = clean(" ".join(error.format_message().split())).rstrip(".")
        print(f"Error: {sentence}; see {_help(error)}.", file=sys.stderr)
        sys.exit(2)
    except UserError as error:
        print(f"Error: {clean(error)}", file=sys.stderr)
        sys.exit(2)
    except WorkerLost as error:
        print(clean(error), file=sys.stderr)
        sys.exit(75)
    except OSError as error:  # a name that is too long, a disk that is full
        name = "" if error.filename is None else f"{clean(error.filename)}: "
        print(f"Error: {name}{clean(error.strerror or error)}.", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, Abort):
        _interrupted()
    except Exception as error:
        print(f"Error: {_kept(error)}", file=sys.stderr)
        sys.exit(1)
    if code == _INTERRUPTED:  # Typer's, after Ctrl-C
        _interrupted()
    sys.exit(code)


def _help(error: Any) -> str:
    """Return the command whose help explains a wrong use of the command line."""
    return f"`{error.ctx.command_path if error.ctx else 'mobilenet-tf'} --help`"


def _interrupted() -> None:
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    print(f"\nInterrupted.{_CONTINUES.get(command, '')}", file=sys.stderr)
    sys.exit(_INTERRUPTED)


def _open_streams() -> None:
    """Make output possible where a stream is closed, or where its encoding lacks a character."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # Otherwise the next file that is opened would receive what is meant for the stream.
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(number, mode, closefd=False, errors="replace"))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _clean_warnings() -> None:
    """Let warnings, which may name files, show no control characters."""
    from mobilenet_tf.core.text import clean

    class Cleaned(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return clean(super().format(record))

    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Cleaned())


def _forget_current_folder() -> None:
    """Do not import from the current folder, where `python -m` looks first.

    The folder of this package stays: it is found already, and its neighbours are its own.
    """
    first, here = sys.path[0] if sys.path else "", os.path.realpath(os.getcwd())
    package = os.path.realpath(os.path.join(os.path.dirname(__file__), ".."))
    if os.path.realpath(first or here) == here != package:
        del sys.path[0]


def _kept(error: Exception) -> str:
    """Write the traceback of a fault of this program into a file; return a sentence that names it.

    It may name paths and hold parts of the user's data, so only the user may read it.
    """
    text = "".join(traceback.format_exception(error))
    kind = type(error).__name__
    try:
        descriptor, path = tempfile.mkstemp(".txt", "mobilenet-tf-")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{' '.join(sys.argv)}\n{text}")
    except OSError:
        sys.stderr.write(text)
        return f"this is a fault of mobilenet-tf ({kind}); please report what stands above."
    return f"this is a fault of mobilenet-tf ({kind}); please report it with {path}."


if __name__ == "__main__":
    main()
