"""`evaluate --as`: what a file loses with pictures as another program prepares them."""

import io
import json

from PIL import Image
from rich.console import Console

from mobilenet_tf.commands.evaluate import evaluate_as
from mobilenet_tf.core.front_ends import MEDIAPIPE
from mobilenet_tf.core.inputs import InputSpec
from tests.export.devices.echo import echo


def test_another_front_end(tmp_path):
    """Colours at the left and right, which the centred square of a picture does not show."""
    for name, colour in {"blue": (0, 0, 255), "green": (0, 255, 0), "red": (255, 0, 0)}.items():
        picture = Image.new("RGB", (300, 100), (128, 128, 128))
        picture.paste(colour, (0, 0, 100, 100))
        picture.paste(colour, (200, 0, 300, 100))
        (tmp_path / "data" / name).mkdir(parents=True)
        picture.save(tmp_path / "data" / name / "1.png")
    spec = InputSpec(1)
    # Its scores are the channels of its only pixel.
    (tmp_path / "echo.tflite").write_bytes(echo(spec, ("red", "green", "blue")))
    found = evaluate_as(tmp_path / "echo.tflite", "mediapipe", data=tmp_path / "data")
    json.dumps(found, allow_nan=False)
    assert found["accuracy"] < 1
    other = found["front_end"]
    assert other["metrics"]["accuracy"] == 1
    assert InputSpec.from_dict(other["prepared"]) == MEDIAPIPE.prepares(
        InputSpec.from_dict(other["expected"])
    )
    text = io.StringIO()
    Console(file=text, width=200).print(found)
    assert "as MediaPipe Tasks prepares" in text.getvalue()
