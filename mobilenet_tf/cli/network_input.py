"""The input that the options of a training describe."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # no command's --help needs it
    from mobilenet_tf.core.inputs import InputSpec
    from mobilenet_tf.tasks.task import Task


def input_of(
    task: "Task",
    data: str,
    *,
    size: str | None = None,
    channels: int | None = None,
    fit: str | None = None,
    front_end: str | None = None,
) -> "InputSpec":
    """Return the input of networks that are trained on a source.

    Args:
        task: What the networks are for; it has defaults, and may not accept every `fit`.
        data: The source.
        size, channels, fit, front_end: Values of --size, --channels, --fit and --for.

    Raises:
        UserError: A value is not accepted, or does not suit the task or the front end.
    """
    from mobilenet_tf.core.bounds import check_choice
    from mobilenet_tf.core.front_ends import find_front_end
    from mobilenet_tf.core.inputs import InputSpec
    from mobilenet_tf.core.units import parse_sides

    usual_size, usual_channels = task.usual_input(data)
    program = find_front_end(front_end) if front_end else None
    if program:
        usual_channels = program.channels
    found = InputSpec(
        parse_sides(size, "--size") or usual_size,
        usual_channels if channels is None else channels,
        fit=fit or task.fits[0],
    )
    if program:
        found = program.prepares(found)
    check_choice("fit", found.fit, task.fits)
    return found
