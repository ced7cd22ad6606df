"""Read damaged files as a user would: `python -m tests.fuzz.run FIRST_SEED COUNT`.

Prints one object of JSON: mutants, accepted, refused, crashes of LiteRT in the child, the slowest
answer in seconds, the peak memory in bytes, and faults, each with the seed's name.
"""

import io
import json
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console

from mobilenet_tf.cli.inspection import format_inspection
from mobilenet_tf.cli.tables import prediction_table
from mobilenet_tf.commands.inspect import inspect
from mobilenet_tf.commands.predict import predict
from mobilenet_tf.core.child import ChildCrash
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text
from tests.fuzz.mutators import mutant
from tests.fuzz.samples import valid


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def read(file: Path, picture: Path) -> list[str]:
    """Return what became of `inspect` and `predict`: accepted, refused or crashed."""
    found = []
    for command, table in (
        (lambda: inspect(file), format_inspection),
        (lambda: predict(file, [picture]), prediction_table),
    ):
        try:
            facts = command()
            json.loads(json_text(facts), parse_constant=_no_constant)
            Console(file=io.StringIO()).print(table(facts))
            found.append("accepted")
        except ChildCrash:
            found.append("crashed")
        except UserError as error:
            if "\n" in str(error).strip():
                raise ValueError("more than one sentence") from error
            found.append("refused")
    return found


def peak() -> int:
    """Peak memory of this process in bytes; 0 where the system does not say."""
    try:
        text = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) * 1024


def main() -> None:
    """Read as many mutants as the command line says."""
    first, count = map(int, sys.argv[1:3])
    samples, totals, faults, slowest = valid(), Counter(), [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        picture, file = Path(folder, "picture.png"), Path(folder, "mutant.tflite")
        random = np.random.default_rng(0)
        Image.fromarray(random.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(picture)
        for seed in range(first, first + count):
            name, content = mutant(seed, samples)
            file.write_bytes(content)
            start = time.monotonic()
            try:
                totals.update(read(file, picture))
            except Exception:
                faults.append(f"{name}: {traceback.format_exc(limit=-4)}")
            slowest = max(slowest, time.monotonic() - start)
    found = {key: totals[key] for key in ("accepted", "refused", "crashed")}
    print(json.dumps(found | {"mutants": count, "slowest": slowest, "peak": peak(),
                              "faults": faults}))  # fmt: skip


if __name__ == "__main__":
    main()
