"""Folders of C of small networks: the self-test passes on this machine, answers included.

`tests/tasks/test_every_task.py` does the same for trained networks of all tasks.
"""

import subprocess

import pytest

from mobilenet_tf.deployment.devices.c.folder import c_contents
from mobilenet_tf.deployment.devices.c.host import FLAGS
from mobilenet_tf.deployment.devices.model import Int8Model
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.detection.task import Detection
from mobilenet_tf.tasks.segmentation.task import Segmentation
from mobilenet_tf.tasks.task import Task
from tests.export.devices.c.files import SANITIZERS, pictures_for, scaled_as_pixels, written

CLASSES = 3
TASKS = {
    "detection": Detection(extras=1, score=0.4, most=20),
    "segmentation": Segmentation(features=16),
}


def contents_of(task: Task) -> dict[str, bytes]:
    """Return the C of a small network of a task, with random weights."""
    classes = tuple(f"class {number}" for number in range(CLASSES))
    network = task.with_head(task.framed(make_network("v1", 0.25, 64, CLASSES)), CLASSES)
    model = Int8Model(
        content=scaled_as_pixels(int8_file(network)),
        network=network,
        task=task,
        labels=task.labels(classes),
        title=task.name,
        pictures=pictures_for(network, 4),
    )
    return c_contents(model)[1]


@pytest.mark.parametrize("name", TASKS)
def test_the_self_test_compares_answers(name, tmp_path):
    """It passes, and it notices an answer that is not that of the outputs."""
    written(tmp_path, contents_of(TASKS[name]))
    (tmp_path / "main.c").write_text(
        """#include <stdio.h>
        #include "model_golden.h"
        #include "model_selftest.h"
        #include "show.h"
        int main(void) {
          model_selftest_result result;
          static int8_t outputs[MODEL_OUTPUT_BYTES];
          static model_answer answer;
          if (model_selftest(&result) != 0 || result.same_answer != MODEL_GOLDEN_COUNT) return 1;
          for (int index = 0; index < MODEL_OUTPUT_BYTES; ++index) {
            outputs[index] = (int8_t)~model_golden_outputs[0][index];
          }
          model_decode(outputs, &answer);
          show(&model_golden_answers[0]);
          return model_same_answer(&answer, &model_golden_answers[0], 1e-5f) ? 2 : 0;
        }"""
    )
    sources = [tmp_path / "main.c", tmp_path / "example/show.c", *(tmp_path / "src").rglob("*.c")]
    includes = [f"-I{tmp_path}/{folder}" for folder in ("src", "example")]
    command = ["cc", *FLAGS, *SANITIZERS, *includes, *map(str, sources), "-lm", "-o", "main"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
