"""Create the reference data for the tests of the Kotlin code with the Python code that trains.

    python android_demo/vectors.py golden        # core/src/test/resources/golden, committed
    python android_demo/vectors.py parity        # build/parity, created by `make test-android`
    python android_demo/vectors.py tasks RUNS    # offdevice/models, committed

`golden` writes images and camera frames with the expected input pixels of the network. `parity`
writes a model of every network family and input type with the scores that LiteRT computes. `tasks`
takes a folder with a run on `digits` for each task other than classification, named like the task,
and writes its model, a picture, and what `predict` says about it.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mobilenet_tf.core.inputs import FITS, InputSpec
from mobilenet_tf.core.ownership import sha256
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.datasets.images import prepare
from mobilenet_tf.deployment.devices.android_app import RESIZES
from mobilenet_tf.tasks.embedding.gallery import Gallery, write_gallery

HERE = Path(__file__).resolve().parent
GOLDEN = HERE / "core/src/test/resources/golden"
PARITY = HERE / "build/parity"
TASKS = HERE / "offdevice/models"
SIGNS = HERE.parents[1] / "shared/data/sign_digits"

# Transformation that makes an image with each EXIF orientation upright.
EXIF = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Clockwise degrees as Pillow's counter-clockwise rotations.
TURNS = {
    0: None,
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
# Odd and even sizes, wide and tall, much larger and smaller than the network's input.
PHOTOS = {
    "wide": (61, 47),
    "tall": (46, 91),
    "square": (33, 33),
    "strip": (120, 31),
    "tiny": (7, 5),
}
FRAMES = {"wide": (64, 48), "tall": (46, 70)}
CROPS = (1.0, 0.875, 0.61)
SIZES = (32, 40, 57)
FAMILIES = ("v1", "v2", "v3_small")
TYPES = ("uint8", "int8", "float32")
COMPARED = 32  # images per model


def picture(width: int, height: int, seed: int) -> np.ndarray:
    """Return an image of gradients, edges and some noise: uint8 (height, width, 3)."""
    y, x = np.mgrid[0:height, 0:width]
    ramps = np.stack([x * 255 / width, y * 255 / height, 255 - (x + y) * 255 / (width + height)])
    noise = np.random.default_rng(seed).normal(0, 12, ramps.shape)
    pixels = np.where((x // 5 + y // 7) % 4 == 0, 255 - ramps, ramps) + noise
    return np.moveaxis(pixels, 0, -1).clip(0, 255).astype(np.uint8)


def turned(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    """Return the transposed image, or the image itself if `turn` is None."""
    return image if turn is None else image.transpose(turn)


def frame(width: int, height: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the planes of a camera frame: luma, and two chroma planes of half the size."""
    planes = np.asarray(Image.fromarray(picture(width, height, seed)).convert("YCbCr"))
    return planes[..., 0], planes[::2, ::2, 1], planes[::2, ::2, 2]


def frame_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray) -> Image.Image:
    """Convert to RGB as in JFIF, in the fixed-point arithmetic of libjpeg (16 fractional bits)."""
    whole = [plane.repeat(2, 0).repeat(2, 1)[: y.shape[0], : y.shape[1]] for plane in (u, v)]
    luma, blue, red = y.astype(int), whole[0].astype(int) - 128, whole[1].astype(int) - 128
    rgb = [
        luma + (91881 * red + 32768 >> 16),
        luma + (-22554 * blue - 46802 * red + 32768 >> 16),
        luma + (116130 * blue + 32768 >> 16),
    ]
    return Image.fromarray(np.stack(rgb, axis=-1).clip(0, 255).astype(np.uint8))


def golden_cases() -> Iterator[tuple[dict, np.ndarray]]:
    """Yield the fields of every case and the expected input pixels of the network."""
    for seed, (name, (width, height)) in enumerate(PHOTOS.items()):
        image = Image.fromarray(picture(width, height, seed))
        for exif, turn in EXIF.items():
            crop, size = CROPS[(exif + seed) % 3], SIZES[(exif // 3 + seed) % 3]
            channels, fit = 1 if (exif + seed) % 2 else 3, FITS[(exif + 2 * seed) % 3]
            resize = RESIZES[(exif + seed) % 3 == 0]
            case = {"photo": name, "exif": exif, "crop": crop, "fit": fit, "size": size}
            case["resize"] = resize
            spec = InputSpec(size, channels, crop=crop, fit=fit, resize=resize)
            yield case | {"channels": channels}, prepare(turned(image, turn), spec)
    for seed, (name, (width, height)) in enumerate(FRAMES.items()):
        image = frame_rgb(*frame(width, height, seed))
        for degrees, turn in TURNS.items():
            for crop, fit in zip(CROPS, FITS, strict=True):
                channels = 1 if crop == 1 else 3
                resize = RESIZES[degrees > 90]
                case = {"frame": name, "degrees": degrees, "crop": crop, "fit": fit}
                case |= {"size": 32, "channels": channels, "width": width, "height": height}
                case["resize"] = resize
                spec = InputSpec(32, channels, crop=crop, fit=fit, resize=resize)
                yield case, prepare(turned(image, turn), spec)


def write_golden(folder: Path = GOLDEN) -> None:
    """Write the source images, one file with the expected pixels of all cases, and its index."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, size) in enumerate(PHOTOS.items()):
        Image.fromarray(picture(*size, seed)).save(folder / f"{name}.png", optimize=True)
    for seed, (name, size) in enumerate(FRAMES.items()):
        planes = frame(*size, seed)
        (folder / f"{name}.yuv").write_bytes(b"".join(plane.tobytes() for plane in planes))
    write_cases(folder, golden_cases())


def write_cases(folder: Path, cases: Iterator[tuple[dict, np.ndarray]]) -> None:
    """Write cases.json, one case per line, and expected.bin; `at` is a case's offset in it."""
    index, pixels = [], b""
    for case, expected in cases:
        index.append(json.dumps(case | {"at": len(pixels)}))
        pixels += expected.tobytes()
    (folder / "expected.bin").write_bytes(pixels)
    (folder / "cases.json").write_text("[\n" + ",\n".join(index) + "\n]\n", encoding="utf-8")


def write_photos(folder: Path) -> None:
    """Write cases from real photos, if the shared dataset lies beside the repository."""
    photos = sorted(SIGNS.glob("*/*.JPG"))[::200]
    if not photos:
        return
    folder.mkdir(parents=True, exist_ok=True)

    def cases():
        for number, path in enumerate(photos):
            with Image.open(path) as file:
                image = file.convert("RGB")
            # Save as PNG, because two JPEG decoders may differ in the last bit.
            image.save(folder / f"{number}.png")
            for crop, size, channels in ((0.875, 96, 3), (1.0, 32, 1)):
                for resize in RESIZES:
                    case = {"photo": str(number), "exif": 1, "crop": crop, "fit": "crop"}
                    spec = InputSpec(size, channels, crop=crop, resize=resize)
                    facts = {"size": size, "channels": channels, "resize": resize}
                    yield case | facts, prepare(image, spec)

    write_cases(folder, cases())


def write_parity(folder: Path = PARITY) -> None:
    """Write a .tflite file of every family and input type, images, and LiteRT's scores for them."""
    from mobilenet_tf.deployment.tflite.convert import convert
    from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
    from mobilenet_tf.deployment.tflite.metadata import add_metadata

    folder.mkdir(parents=True, exist_ok=True)
    preprocessing = InputSpec(crop=0.875)
    labels = [f"class {number}" for number in range(10)]
    for family in FAMILIES:
        channels = 1 if family == "v2" else 3
        pixels = np.stack([prepared(seed, channels) for seed in range(COMPARED)])
        model = quantized(family, pixels, preprocessing)
        for io in TYPES:
            name = f"{family}_{io}"
            content = add_metadata(
                convert(model, io), name=name, description=f"{family} with random weights.",
                labels=labels, input_spec=preprocessing,
            )  # fmt: skip
            (folder / f"{name}.tflite").write_bytes(content)
            scores = TFLiteModel(content).run(pixels)
            # If all images had the same scores, the comparison would prove nothing.
            spread = np.ptp(scores, axis=1)
            assert np.median(spread) > 0.2, f"The scores of {name} hardly vary: {spread}"
            (folder / f"{name}.pixels").write_bytes(pixels.tobytes())
            (folder / f"{name}.scores").write_bytes(scores.astype("<f4").tobytes())
    write_photos(folder / "photos")


def prepared(seed: int, channels: int) -> np.ndarray:
    """Return the input pixels of a generated image: uint8 (32, 32, channels)."""
    return prepare(
        Image.fromarray(picture(40 + seed, 60, seed)), InputSpec(32, channels, crop=0.875)
    )


def quantized(family: str, pixels: np.ndarray, preprocessing):
    """Return an untrained, quantized network whose scores vary between images."""
    import tf_keras as keras

    from mobilenet_tf.compression.deploy import deploy_form
    from mobilenet_tf.compression.qat import quantize_aware
    from mobilenet_tf.networks.keras_model import build

    keras.utils.set_random_seed(0)
    images = preprocessing.normalise(pixels)
    model = build(family, 0.25 if family == "v1" else 0.35, 32, 10, pixels.shape[-1])
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # With momentum 0, one pass sets the statistics to those of the images.
            layer.momentum = 0.0
    model(images, training=True)
    kernel = next(weight for weight in reversed(model.weights) if "kernel" in weight.name)
    deploy = deploy_form(model)
    logits = np.log(deploy.predict(images, verbose=0) + 1e-9)
    kernel.assign(kernel * 2.0 / logits.std(axis=0).mean())
    return quantize_aware(deploy_form(model), images, preprocessing)


def write_tasks(runs: Path, folder: Path = TASKS) -> None:
    """Write the models of all tasks, pictures, and what Python says about these."""
    from mobilenet_tf.core.files import json_text
    from mobilenet_tf.deployment.devices.android_app import golden_vectors
    from mobilenet_tf.deployment.proof.predict import predict
    from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
    from mobilenet_tf.runs.run import Run

    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for task in ("detection", "segmentation", "multilabel", "embedding", "geolocation"):
        run = Run.open(runs / task)
        file, picture = folder / f"{task}.tflite", folder / f"{task}.png"
        file.write_bytes(run.folder.tflite.read_bytes())
        golden = json_text(golden_vectors(TFLiteModel(file)))
        (folder / f"{task}.golden.json").write_text(golden + "\n", encoding="utf-8")
        data = run.task.load("digits", run.network.input, run.settings.seed, None, True)
        seen = data.test if task == "embedding" else data.train
        Image.fromarray(np.asarray(seen.images[0]).squeeze()).convert("RGB").save(picture)
        expected[task] = predict(file, [picture])["predictions"][0] | {"image": picture.name}
        if task == "embedding":
            gallery = gallery_of(file, seen, data.classes)
            write_gallery(folder / "gallery.json", gallery)
            similar = gallery.similarities(expected[task].pop("vector"))
            expected[task]["names"] = [[name, round(value, 4)] for name, value in similar.items()]
    (folder / "expected.json").write_text(json_text(expected) + "\n", encoding="utf-8")


def gallery_of(file: Path, images: Split, classes: Sequence[str]) -> Gallery:
    """Return a gallery of three images of each class; the first image is none of them."""
    from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
    from mobilenet_tf.tasks.embedding.similarity import unit

    model = TFLiteModel(file)
    gallery = Gallery(model=sha256(file), dimension=model.classes)
    for label in np.unique(images.labels):
        rows = np.flatnonzero(images.labels[1:] == label)[:3] + 1
        vectors = unit(model.run(np.asarray(images.images[rows]))).astype(float).round(6)
        names = [f"{classes[label]}_{row}.png" for row in rows]
        gallery = gallery.with_images(f"digit {classes[label]}", names, vectors.tolist())
    return gallery


if __name__ == "__main__":
    tasks = {"golden": write_golden, "parity": write_parity, "tasks": write_tasks}
    if len(sys.argv) < 2 or sys.argv[1] not in tasks:
        sys.exit(f"Usage: vectors.py {{{'|'.join(tasks)}}}")
    tasks[sys.argv[1]](*map(Path, sys.argv[2:]))
