"""What a run must reach: a gate for continuous integration."""

from dataclasses import dataclass

from mobilenet_tf.core.settings import Checked, number
from mobilenet_tf.runs.result import Result

_ROUNDING = 1e-9  # of differences of shares


@dataclass(frozen=True, kw_only=True)
class Gate(Checked):
    """Demands on the test images; None demands nothing.

    Attributes:
        min_accuracy: Accuracy that the int8 file must have, or another task's score, from 0 to 1.
        max_drop: How much lower than that of the float network it may be, from 0 to 1.
    """

    min_accuracy: float | None = number(None, least=0, most=1)
    max_drop: float | None = number(None, least=0, most=1)

    def missed(self, result: Result) -> list[str]:
        """Return a sentence for each demand that a verified run does not meet."""
        score, difference = result.score.int8, result.int8_difference
        title, found = result.task_class.title(), []
        if self.min_accuracy is not None and (score is None or score < self.min_accuracy):
            reached = "was not measured" if score is None else f"is {score:.2%}"
            found.append(
                f"The {title} of the int8 file {reached}; at least {self.min_accuracy:.2%} is "
                "demanded."
            )
        if self.max_drop is not None:
            if difference is None:
                found.append(f"The drop of the {title} was not measured.")
            elif -difference > self.max_drop + _ROUNDING:
                found.append(
                    f"The {title} of the int8 file is {-difference * 100:.2f} points below that of "
                    f"the float network; at most {self.max_drop * 100:.2f} are accepted."
                )
        return found
