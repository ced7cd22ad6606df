"""`verify`: the .tflite of a run against the networks that it came from, on the test images."""

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.common import (
    require_own_file,
    start_tensorflow,
    working_on,
    write_mistakes,
)
from mobilenet_tf.deployment.tflite.parse import read_file
from mobilenet_tf.runs.provenance import require_current
from mobilenet_tf.runs.run import Run

if TYPE_CHECKING:
    from mobilenet_tf.runs.models import Models


@applicable
def verify(run: Run | str | Path) -> Run:
    """Measure all forms of a run's network on the test images and write report and model card.

    Args:
        run: The run or its folder.

    Returns:
        The run; its `result()` has the metrics.

    Raises:
        UserError: The run has no int8 file yet, or its dataset has changed.
    """
    with working_on(run, "model_int8.tflite", "model_ptq_int8.tflite") as opened:
        for name in ("model_int8.tflite", "model_ptq_int8.tflite"):
            require_current(opened.folder, name)
        require_own_file(read_file(opened.folder.tflite)[0], opened)
        start_tensorflow()
        from mobilenet_tf.runs.models import load_models

        verify_run(opened, load_models(opened.folder))
    return opened


def verify_run(run: Run, models: "Models") -> None:
    """Verify a run whose networks are loaded, and write report and model card."""
    from mobilenet_tf.deployment.proof.verify import Forms, real_outputs
    from mobilenet_tf.deployment.proof.verify import verify as verify_forms
    from mobilenet_tf.deployment.report.card import write_card
    from mobilenet_tf.deployment.report.page import write_report

    started, folder = time.monotonic(), run.folder
    forms = Forms(
        content=read_file(folder.tflite)[0],
        float_outputs=partial(real_outputs, models.float),
        float_model=models.float,
        qat=models.qat,
        ptq_content=read_file(folder.ptq_tflite)[0],
    )
    found = verify_forms(forms, run.data.test, run.classes, run.network.input, run.settings.seed)
    write_mistakes(folder, found.mistakes)
    folder.update_result(**found.sections, seconds={"verify": round(time.monotonic() - started, 1)})
    write_report(folder)
    write_card(folder)
