"""What commands print, run one after the other on scikit-learn's digits, for docs/.

python -m benchmarks.commands
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.tables import ROOT, replace_section
from mobilenet_tf.core.system import machine

DOCS = ROOT / "docs"
SEARCH = "mobilenet-tf tune --data digits --max-macs 3M --epochs 24 --trials 12"


def printed(command: str, folder: Path) -> str:
    """What a command of this project writes to standard output, run in a folder."""
    program = [sys.executable, "-m", "mobilenet_tf", *shlex.split(command)[1:]]
    paths = {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    done = subprocess.run(
        program, cwd=folder, env=os.environ | paths, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.rstrip()


def main() -> None:
    """Search, train the winner, and evaluate it; write what each said into docs/."""
    here = machine()
    note = f"\n\n{here['cores']} cores, {here['cpu']}."

    def write(document: str, name: str, command: str, text: str) -> None:
        lines = "\n".join(line.rstrip() for line in text.splitlines())
        section = f"```\n$ {command}\n{lines}\n```{note}"
        replace_section(DOCS / document, name, section)

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        text = printed(SEARCH, folder)
        write("tuning.md", "tune", SEARCH, text)
        search = folder / "runs" / "tune_digits"
        shutil.copy(search / "trials.png", DOCS / "tuning.png")
        train = f"{text.splitlines()[-1]} --out runs/best"
        printed(train, folder)
        evaluate = "mobilenet-tf evaluate runs/best --robustness"
        write("evaluation.md", "evaluate", evaluate, printed(evaluate, folder))


if __name__ == "__main__":
    main()
