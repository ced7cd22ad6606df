"""What the commands of the tutorials print, on digits as files.

python -m benchmarks.tutorials
"""

import tempfile
from pathlib import Path

from benchmarks.commands import output, printed
from benchmarks.sections import DOCS, replace_section
from mobilenet_tf.core.system import machine
from mobilenet_tf.datasets.sources.digits import bundled_digits, digit_images

_RUN = "runs/photos_v1_0.25_32"
_FILE = f"{_RUN}/model_int8.tflite"
# Document -> section -> command; the second trains what the others use and prints nothing.
COMMANDS = {
    "tutorial_phone.md": {
        "look": "mobilenet-tf data photos",
        "train": "mobilenet-tf run --data photos --model v1 --alpha 0.25 --size 32 --epochs 30 "
        "--qat-epochs 1",
        "judge": f"mobilenet-tf evaluate {_RUN}",
        "use": f"mobilenet-tf predict {_FILE} new --top 2",
    },
    "tutorial_microcontroller.md": {
        "export": f"mobilenet-tf export {_RUN} --target mcu --max-flash 300KB --max-ram 100KB",
    },
}


def write_pictures(folder: Path) -> None:
    """Write the digits as `photos/CLASS/NNNN.png`, and three of them as `new/NNNN.png`."""
    listing, greys = bundled_digits()
    rows = zip(listing.names, listing.labels, digit_images(greys), strict=True)
    for name, label, image in rows:
        place = folder / ("new" if int(name) < 3 else f"photos/{listing.classes[label]}")
        place.mkdir(parents=True, exist_ok=True)
        image.save(place / f"{name}.png")


def main() -> None:
    """Run the commands, one after the other, and write their outputs into the documents."""
    here = machine()
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(Path(folder))
        for document, commands in COMMANDS.items():
            for name, command in commands.items():
                text = printed(command, output(command, Path(folder))).rstrip()
                shown = f"```\n{text}\n```\n\n{here['cores']} cores, {here['cpu']}."
                replace_section(DOCS / document, name, shown)


if __name__ == "__main__":
    main()
