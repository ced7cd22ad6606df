"""Heat maps by occlusion: they show where a score comes from."""

import numpy as np
import pytest

from mobilenet_tf.deployment.proof.occlusion import heat_map, shown


class Corner:
    """A model that sees class 1 by the brightness of the top left quarter, and nothing else."""

    def run_raw(self, pixels: np.ndarray) -> np.ndarray:
        return pixels

    def real(self, raw: np.ndarray) -> np.ndarray:
        height, width = raw.shape[1:3]
        bright = raw[:, : height // 2, : width // 2].mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - bright, bright], axis=1).astype(np.float32)


@pytest.mark.parametrize("shape", [(28, 56, 3), (32, 32, 1), (11, 9, 3)])
def test_the_heat_is_where_the_score_comes_from(shape):
    pixels = np.zeros(shape, np.uint8)
    height, width = shape[0] // 2, shape[1] // 2
    pixels[:height, :width] = 255
    before = pixels.copy()
    drops = heat_map(Corner(), pixels)
    assert (pixels == before).all()
    assert drops.shape == shape[:2]
    inside = drops[:height, :width].mean()
    assert inside > 0
    rest = drops.copy()
    rest[:height, :width] = 0
    assert rest.sum() < drops.sum() / 2
    assert drops[-1, -1] == 0  # no square of the last corner touches the first quarter


def test_the_picture_stands_beside_its_heat_map():
    pixels = np.full((40, 30, 1), 100, np.uint8)
    drops = np.zeros((40, 30))
    drops[10, 20], drops[5, 5] = 0.5, -0.5
    image = np.asarray(shown(pixels, drops))
    factor = image.shape[0] // 40
    assert min(image.shape[0], image.shape[1] // 2) >= 224
    left, right = np.split(image[::factor, ::factor], 2, axis=1)
    assert (left == 100).all()
    assert right[10, 20].tolist() == [190, 48, 48]
    assert (np.delete(right.reshape(-1, 3), 10 * 30 + 20, axis=0) == 100).all()
    assert np.asarray(shown(pixels, -drops[:1] * 0)).shape[2] == 3  # nothing lowers the score
