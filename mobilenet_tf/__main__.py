"""`python -m mobilenet_tf` and `mobilenet-tf`."""

import sys

from mobilenet_tf.core import environment


def main() -> None:
    """Run the command line; an error of the user is one sentence and exit code 2."""
    environment.prepare()

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


if __name__ == "__main__":
    main()
