"""`python -m mobilenet_tf` and `mobilenet-tf`."""

import logging
import os
import sys

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

    from mobilenet_tf.cli.app import app
    from mobilenet_tf.core.errors import UserError, WorkerLost
    from mobilenet_tf.core.text import clean

    _clean_warnings()
    try:
        app(prog_name="mobilenet-tf")
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
    except KeyboardInterrupt:
        _interrupted()
    except SystemExit as ending:
        if ending.code == _INTERRUPTED:  # Typer's, after Ctrl-C
            _interrupted()
        raise


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


if __name__ == "__main__":
    main()
