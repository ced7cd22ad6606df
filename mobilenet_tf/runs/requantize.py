"""Which settings of a run may change after float training."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.runs.own_files import TRIALS
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.runs.teacher import TeacherModel, check_teacher, places_of_classes
from mobilenet_tf.training.compression_settings import STAGES

# Fields of the recipe that float training does not depend on.
_REQUANTIZED = (
    *("compress", "max_flash", "calibration"),
    *("post_training.", *(f"{stage}." for stage in STAGES)),
)


def requantized(
    run: Run,
    *,
    io: str | None = None,
    per_tensor: bool | None = None,
    fields: Mapping[str, Any] | None = None,
    teacher: TeacherModel = TeacherModel(),  # noqa: B008  frozen
    overwrite: bool = False,
) -> Run:
    """Return the run with other int8 settings, which are written to `config.toml`.

    None leaves a setting as it is.

    Args:
        run: The run.
        io: See `Int8Settings`, as for the next.
        per_tensor: See above.
        fields: Fields of the recipe by path, of those that training float does not use.
        teacher: The teacher.
        overwrite: Whether to discard what was trained with other settings.

    Raises:
        UserError: A stage was trained with other settings and `overwrite` is off, a field is not
            accepted, or there is no such teacher.
    """
    fields = {path: value for path, value in (fields or {}).items() if value is not None}
    for path in fields:
        if not path.startswith(_REQUANTIZED):
            raise UserError(
                f"{path} is no field of the stages after float training; what quantize changes is "
                f"{', '.join(_REQUANTIZED[:3])}, and what begins with "
                f"{', '.join(_REQUANTIZED[3:])}."
            )
    settings = replace(run.settings, **teacher.settings())
    places_of_classes(settings, check_teacher(settings))
    run.folder.sweep()
    changed = replace(
        settings,
        recipe=settings.recipe.with_fields(fields),
        int8=settings.int8.changed(per_tensor=per_tensor),
    )
    if overwrite:
        (run.folder.checkpoints / TRIALS).unlink(missing_ok=True)
    for stage in STAGES:
        checkpoint = run.folder.checkpoints / f"{stage}.npz"
        if overwrite:
            checkpoint.unlink(missing_ok=True)
        elif checkpoint.exists() and _trains(changed, stage) != _trains(run.settings, stage):
            raise UserError(
                f"{run.folder.path} was quantized with other settings; --overwrite replaces that."
            )
    # The type of the file's input and output plays no part in training.
    return run.with_settings(replace(changed, int8=changed.int8.changed(io=io)))


def _trains(settings: RunSettings, stage: str) -> dict[str, Any]:
    """Return what decides the result of a stage, as far as `requantized` can change it."""
    recipe = settings.recipe
    if stage not in recipe.stages:
        return {}
    rounding = recipe.post_training if recipe.rounds_only else None
    used = recipe.made_by(stage), recipe.stage(stage), recipe.calibration, rounding
    return settings.to_dict() | {"recipe": used}
