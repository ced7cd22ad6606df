"""Code to copy: a program that runs the `.tflite`, and the command that repeats the run."""

import shlex
from dataclasses import asdict, dataclass

from mobilenet_tf.compression.post_training.settings import PostTraining
from mobilenet_tf.core.front_ends import MEDIAPIPE
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.report.derived import without_private_folders
from mobilenet_tf.networks.published.classes import IMAGENET_CROP
from mobilenet_tf.runs.exports import Tensor
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import Result

_READ = """\
import math

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps

image = ImageOps.exif_transpose(Image.open("picture.jpg")).convert("RGB")
side = {side}
left, top = (image.width - side) // 2, (image.height - side) // 2
square = image.crop((left, top, left + side, top + side))
square = square.resize(({width}, {height}), Image.Resampling.BILINEAR){grey}
pixels = np.asarray(square).reshape({shape}){convert}

"""
_RUN = """\
model = Interpreter("{file}")
model.allocate_tensors()
model.set_tensor(model.get_input_details()[0]["index"], pixels)
model.invoke()
"""
_MEDIAPIPE = """\
import numpy as np
from mediapipe import Image, ImageFormat
from mediapipe.tasks.python import BaseOptions, vision
from PIL import Image as Pictures
from PIL import ImageOps

picture = ImageOps.exif_transpose(Pictures.open("picture.jpg")).convert("RGB")
image = Image(image_format=ImageFormat.SRGB, data=np.array(picture))
model = BaseOptions(model_asset_path="{file}")
"""


def expectation(result: Result) -> str | None:
    """Return how the file expects pictures to be prepared, as sentences; None if it is unknown."""
    spec = result.model.input
    if spec is None or not result.tflite.tensors:
        return None
    others = (
        f"{MEDIAPIPE.title} prepares pictures in its own way; evaluate --as {MEDIAPIPE.name} "
        "measures what that costs"
    )
    if spec.channels != MEDIAPIPE.channels:
        others = f"{MEDIAPIPE.title} does not run it, because it takes grey pictures"
    elif MEDIAPIPE.fills(spec):
        others = f"{MEDIAPIPE.title} prepares them so"
    return f"The file expects {spec.preparation}. {others}."


@dataclass(frozen=True)
class Program:
    """A Python program that runs a `.tflite`.

    Attributes:
        prepared: How it prepares the input, as a sentence.
        code: The program.
        packages: What it needs from PyPI.
    """

    prepared: str
    code: str
    packages: str


def inference_code(result: Result, file: str) -> Program | None:
    """Return a program that runs the file: in MediaPipe, if its pictures are prepared for that.

    Returns None while there is no file, and for inputs that no program covers: those that are not
    square, that pictures are stretched or padded into otherwise, or that take greys of more than
    8 bits.

    Args:
        result: The result of the run.
        file: Name of the `.tflite`.
    """
    image, spec, mediapipe = result.tflite.input, result.model.input, result.task_class.mediapipe
    if image is None or spec is None or len(image.shape) != 4:
        return None
    if mediapipe and MEDIAPIPE.fills(spec) and image.dtype in MEDIAPIPE.io:
        said = f"{MEDIAPIPE.title} prepares the picture, which only has to be upright."
        return Program(said, _MEDIAPIPE.format(file=file) + mediapipe, "mediapipe numpy pillow")
    _, height, width, _ = image.shape
    prepared = spec.fit, spec.resize, spec.white_level
    if height != width or prepared != ("crop", "bilinear", None):
        return None
    return _litert_program(result, image, spec, file)


def _litert_program(result: Result, image: Tensor, spec: InputSpec, file: str) -> Program:
    """Return a program for inputs that are the centre square, in LiteRT."""
    _, height, width, channels = image.shape
    scores = result.tflite.output
    sentence, convert = _conversion(image, spec)
    shorter = "min(image.size)"
    score = "scores[best]"
    if scores is not None and scores.scale is not None:
        score = f"(int({score}) - {scores.zero_point}) * {scores.scale:.9g}"
    reading = _READ.format(
        side=shorter if spec.crop == 1 else f"max(1, math.floor({spec.crop:g} * {shorter} + 0.5))",
        width=width,
        height=height,
        grey='.convert("L")' if channels == 1 else "",
        shape=image.shape,
        convert=convert,
    )
    if spec.crop == 1:
        reading = reading.removeprefix("import math\n\n")
    colour = "RGB" if channels == 3 else "grey"
    part = "The centre square" if spec.crop == 1 else f"{spec.crop:.1%} of the centre square"
    head = f"{part} of the picture at {width} × {height}, {colour}, {image.dtype}"  # noqa: RUF001
    ending = result.task_class.example.format(score=score)
    code = reading + _RUN.format(file=file) + ending
    return Program(f"{head}: {sentence}", code, "ai-edge-litert numpy pillow")


def _conversion(image: Tensor, spec: InputSpec) -> tuple[str, str]:
    """Return how pixels become the input: as a sentence, and as code after the pixels' array."""
    dtype, scale, zero, mean, std = image.dtype, image.scale, image.zero_point, spec.mean, spec.std
    if scale is None:
        return (
            f"(pixel - {mean:g}) / {std:g}.",
            f'\npixels = (pixels.astype("float32") - {mean:g}) / {std:g}',
        )
    if spec.is_scale(scale):
        if dtype == "uint8" and zero == mean:
            return (
                "the pixels as they are, 0 to 255. Scale and zero point are the normalisation.",
                "",
            )
        if dtype == "int8" and zero == mean - 128:
            return (
                "the pixel minus 128. Scale and zero point are the normalisation.",
                '\npixels = (pixels.astype("int16") - 128).astype("int8")',
            )
    return (
        f"(pixel - {mean:g}) / {std:g}, divided by the scale, rounded, plus the zero point.",
        f'\nreal = (pixels.astype("float32") - {mean:g}) / {std:g}'
        f"\nlimits = np.iinfo({dtype!r})"
        f"\npixels = np.clip(np.rint(real / {scale:.9g}) + {zero}, limits.min, limits.max)"
        f"\npixels = pixels.astype({dtype!r})",
    )


def reproduce(result: Result, run: RunFolder) -> str | None:
    """Return the command line that repeats exactly this run.

    A trained run is repeated from its `config.toml`, any other model from the options of its
    export. Returns None where neither was recorded, or where the crop of an export cannot be given
    on the command line. Absolute paths are shortened to their last part.
    """
    if run.config_file.is_file():
        config = without_private_folders(str(run.path)) + f"/{run.config_file.name}"
        return f"mobilenet-tf run --config {shlex.quote(config)}"
    source = result.source
    crop = 1 if source.weights is None else IMAGENET_CROP
    if source.model is None or source.data is None or source.crop != crop:
        return None
    options = {
        "model": None if source.weights is None else source.model,
        "alpha": None if source.alpha is None else f"{source.alpha:g}",
        "size": None if source.size is None else str(source.size),
        "weights": None if source.weights is None else without_private_folders(source.weights),
        "data": without_private_folders(source.data),
        "mean": None if source.mean is None else f"{source.mean:.9g}",
        "std": None if source.std is None else f"{source.std:.9g}",
        "io": source.io,
        "seed": str(source.seed),
        "labels": None if source.labels is None else without_private_folders(source.labels),
    }
    words = (f"--{key} {shlex.quote(value)}" for key, value in options.items() if value is not None)
    model = () if source.weights else (shlex.quote(without_private_folders(source.model)),)
    flags = {"--trust-code": source.trust_code, "--per-tensor": source.per_tensor}
    given = (name for name, value in flags.items() if value)
    usual = asdict(PostTraining())
    methods = (
        f"--set post_training.{name}={str(value).lower()}"
        for name, value in asdict(source.post_training).items()
        if value != usual[name]
    )
    return " ".join(("mobilenet-tf export", *model, *words, *given, *methods))
