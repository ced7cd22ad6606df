"""What commands print on scikit-learn's digits, for the documents in docs/.

python -m benchmarks.commands [PART...]

The parts are those of `PARTS`. `data` and `heat_maps` look at photos of clothes instead, and draw
pages; they need Chromium.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.browser import draw_page, draw_section
from benchmarks.sections import DOCS, ROOT, SHARED, replace_section
from mobilenet_tf.core.system import machine

SEARCH = "mobilenet-tf tune --data digits --max-macs 3M --epochs 12 --trials 6"
COMPARISON = (
    "mobilenet-tf compare --data digits --models v1:0.25,v3_small:0.25,v1:1 "
    "--max-macs 2M --epochs 20 --qat-epochs 2"
)
# Widths and heights in CSS pixels.
_PAGE = (1000, 1500)
_MAPS = (1000, 890)
SUMMARY = "mobilenet-tf summary v3_small --task segmentation --alpha 0.5 --size 96 --classes 11"
EVALUATION = "mobilenet-tf evaluate runs/best --robustness"


def output(command: str, folder: Path, codes: Collection[int] = (0,)) -> str:
    """Run a command line of this project in a folder; return what it prints on standard output.

    Args:
        command: The command line.
        folder: Where it runs.
        codes: Exit codes that are expected.
    """
    program = [sys.executable, "-m", "mobilenet_tf", *shlex.split(command)[1:]]
    variables = {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    done = subprocess.run(
        program,
        cwd=folder,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode not in codes:
        raise subprocess.CalledProcessError(done.returncode, command)
    return done.stdout.rstrip()


def section(command: str, text: str) -> str:
    """Return a command and its output as the text of a section."""
    here = machine()
    return f"```\n{printed(command, text)}\n```\n\n{here['cores']} cores, {here['cpu']}."


def printed(command: str, text: str) -> str:
    """Return a command and its output as a terminal shows them."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return f"$ {command}\n{lines}"


def search(folder: Path) -> None:
    """Search, train the best trial and evaluate it."""
    text = output(SEARCH, folder)
    replace_section(DOCS / "tuning.md", "tune", section(SEARCH, text))
    shutil.copy(folder / "runs" / "tune_digits" / "trials.png", DOCS / "tuning.png")
    output(f"{text.splitlines()[-1]} --out runs/best", folder)
    text = output(EVALUATION, folder)
    replace_section(DOCS / "evaluation.md", "evaluate", section(EVALUATION, text))


def compare(folder: Path) -> None:
    """Compare networks."""
    text = section(COMPARISON, output(COMPARISON, folder))
    for document in (ROOT / "README.md", DOCS / "tutorial_comparison.md"):
        replace_section(document, "compare", text)
    shutil.copy(folder / "runs" / "compare_digits" / "pareto.png", DOCS / "compare.png")


def run_task(task: str, folder: Path) -> None:
    """Run a task on its digits, evaluate the file, and predict what it was most wrong about."""
    output(f"mobilenet-tf run --task {task} --data digits --out runs/{task}", folder)
    file, mistakes = f"runs/{task}/model_int8.tflite", f"runs/{task}/worst"
    commands = (
        f"mobilenet-tf evaluate {file} --data digits",
        f"mobilenet-tf predict {file} {mistakes}/01.png {mistakes}/02.png",
    )
    shown = "\n".join(printed(command, output(command, folder)) for command in commands)
    replace_section(DOCS / f"{task}.md", task, f"```\n{shown}\n```")


def summary(folder: Path) -> None:
    """Count a segmenter; the table of its layers is left out."""
    layers, start, total = output(SUMMARY, folder).rpartition("\u250f")
    assert layers
    text = printed(SUMMARY, f"...\n{start}{total}")
    replace_section(DOCS / "segmentation.md", "summary", f"```\n{text}\n```")


def embedding(folder: Path) -> None:
    """Train on seven digits, and compare pictures of the three others."""
    from mobilenet_tf.datasets.sources.digits import bundled_digits, digit_images

    run = (
        "mobilenet-tf run --task embedding --task-option held_out=7,8,9 --data digits "
        "--out runs/digits"
    )
    commands = [run]
    listing, greys = bundled_digits()
    names = [f"{digit}{letter}.png" for digit in "789" for letter in "abcd"]
    rows = [row for digit in (7, 8, 9) for row in np.flatnonzero(listing.labels == digit)[:4]]
    for name, image in zip(names, digit_images(greys[rows]), strict=True):
        image.save(folder / name)
    file = "runs/digits/model_int8.tflite"
    commands += [
        f"mobilenet-tf predict {file} 7a.png 7b.png 9a.png",
        *(
            f"mobilenet-tf enroll {file} {name} {' '.join(names[start : start + 3])}"
            for name, start in (("seven", 0), ("eight", 4))
        ),
        f"mobilenet-tf identify {file} 7d.png 8d.png 9d.png",
    ]
    texts = [section(command, output(command, folder)) for command in commands]
    shown = [*(text.rpartition("\n\n")[0] for text in texts[:-1]), texts[-1]]
    replace_section(DOCS / "embedding.md", "embedding_commands", "\n\n".join(shown))


def _link_clothing(folder: Path) -> None:
    (folder / "clothing").symlink_to((SHARED / "data" / "clothing").resolve())


def data(folder: Path) -> None:
    """Look at photos of clothes, and draw the page."""
    _link_clothing(folder)
    command = "mobilenet-tf data clothing --html clothing.html"
    replace_section(DOCS / "data.md", "data", section(command, output(command, folder)))
    draw_page(folder / "clothing.html", DOCS / "data.png", _PAGE)


def scores(folder: Path) -> None:
    """Train on digits, and let squares of two photographs be none of them."""
    from sklearn.datasets import load_sample_images

    from mobilenet_tf.datasets.sources.digits import bundled_digits, digit_images

    for name, photo in zip(("china", "flower"), load_sample_images().images, strict=True):
        (folder / name).mkdir()
        for top in range(0, photo.shape[0] - 42, 42):
            for left in range(0, photo.shape[1] - 42, 42):
                square = Image.fromarray(photo[top : top + 42, left : left + 42])
                square.save(folder / name / f"{top:03}_{left:03}.png")
    (folder / "new").mkdir()
    _, greys = bundled_digits()
    for number, image in enumerate(digit_images(greys[:2])):
        image.save(folder / "new" / f"digit_{number}.png")
    shutil.copy(folder / "flower" / "000_000.png", folder / "new" / "petal.png")
    (folder / "new" / "cut.png").write_bytes((folder / "new" / "petal.png").read_bytes()[:300])
    output("mobilenet-tf run --data digits --out runs/digits --epochs 30 --qat-epochs 3", folder)
    file = "runs/digits/model_int8.tflite"
    shown = []
    for command, codes in (
        ("mobilenet-tf evaluate runs/digits --other flower", (0,)),
        ("mobilenet-tf export runs/digits --other china", (0,)),
        ("mobilenet-tf evaluate runs/digits --other flower", (0,)),
        (f"mobilenet-tf predict {file} new --top 1", (1,)),
        (f"mobilenet-tf predict {file} 'new/*.png' --top 1 --format csv", (1,)),
        (f"mobilenet-tf predict {file} new/digit_1.png --top 1 --explain maps", (0,)),
    ):
        shown.append(printed(command, output(command, folder, codes)))
    shutil.copy(folder / "maps" / "0001_digit_1.png", DOCS / "scores_heat_map.png")
    first, _, second, *predictions, explained = (f"```\n{text}\n```" for text in shown)
    texts = {"before": first, "after": second, "predict": "\n\n".join(predictions)}
    for name, text in (texts | {"explain": explained}).items():
        replace_section(DOCS / "scores.md", f"scores_{name}", text)


def heat_maps(folder: Path) -> None:
    """Train on photos of clothes, and draw the section of the report that explains answers."""
    _link_clothing(folder)
    output(
        "mobilenet-tf run --data clothing --model v2 --alpha 0.35 --recipe transfer --out run "
        f"--weights {SHARED / 'weights' / 'mobilenet_v2_0.35_96_no_top.h5'} "
        "--epochs 10 --qat-epochs 2",
        folder,
    )
    draw_section(folder / "run" / "report.html", "Heat maps", DOCS / "heat_maps.png", _MAPS)


PARTS = {
    "data": data,
    "heat_maps": heat_maps,
    "embedding": embedding,
    "summary": summary,
    "scores": scores,
    "search": search,
    "compare": compare,
    "multilabel": partial(run_task, "multilabel"),
    "geolocation": partial(run_task, "geolocation"),
}


def main() -> None:
    """Write the outputs of the commands into the documents."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    for name in parser.parse_args().parts:
        with tempfile.TemporaryDirectory() as folder:
            PARTS[name](Path(folder))


if __name__ == "__main__":
    main()
