"""`python -m mobilenet_tf` and `mobilenet-tf`."""

import os
import sys
import tempfile
import traceback

from mobilenet_tf.core import environment


def main() -> None:
    """Run the command line; an error of the user is one sentence and exit code 2."""
    environment.prepare()
    _forget_current_folder()

    from mobilenet_tf.cli.app import app
    from mobilenet_tf.core.errors import UserError, WorkerLost

    try:
        app(prog_name="mobilenet-tf")
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    except WorkerLost as error:
        print(error, file=sys.stderr)
        sys.exit(75)
    except KeyboardInterrupt:
        print("Interrupted. The same command with --resume continues from here.", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        print(f"Error: {_kept(error)}", file=sys.stderr)
        sys.exit(1)


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
