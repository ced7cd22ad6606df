"""How other people's programs prepare pictures for a network."""

from dataclasses import dataclass, replace

from mobilenet_tf.core.bounds import check_choice
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec


@dataclass(frozen=True)
class FrontEnd:
    """A program that prepares pictures by itself, whatever the file says.

    Attributes:
        name: Name on the command line.
        title: Name in sentences.
        fit, resize: What it does with pictures, see `InputSpec`; it always shows all of `fit`.
        channels: Channels of the inputs that it fills.
        io: Types of the inputs that it fills.
    """

    name: str
    title: str
    fit: str
    resize: str
    channels: int
    io: tuple[str, ...]

    def prepares(self, input_spec: InputSpec) -> InputSpec:
        """Return an input as this program fills it.

        Raises:
            UserError: It does not fill inputs of this number of channels.
        """
        if input_spec.channels != self.channels:
            raise UserError(
                f"{self.title} fills inputs of {self.channels} channels only, and this one has "
                f"{input_spec.channels}; train the network with --channels {self.channels}."
            )
        return replace(input_spec, fit=self.fit, resize=self.resize, crop=1.0)

    def fills(self, input_spec: InputSpec) -> bool:
        """Return whether an input is one that this program fills as the network expects it."""
        return input_spec.channels == self.channels and input_spec == self.prepares(input_spec)


MEDIAPIPE = FrontEnd(
    name="mediapipe",
    title="MediaPipe Tasks",
    fit="stretch",
    resize="mediapipe",
    channels=3,
    io=("uint8", "float32"),
)
FRONT_ENDS = {front_end.name: front_end for front_end in (MEDIAPIPE,)}


def input_options(input_spec: InputSpec) -> dict[str, str]:
    """Return the options of `run` that prepare pictures as an input says, for `run_command`."""
    for front_end in FRONT_ENDS.values():
        if (input_spec.fit, input_spec.resize) == (front_end.fit, front_end.resize):
            return {"for": front_end.name}
    return {} if input_spec.fit == InputSpec.fit else {"fit": input_spec.fit}


def find_front_end(name: str) -> FrontEnd:
    """Return the front end of a name.

    Raises:
        UserError: There is none.
    """
    check_choice("front end", name, tuple(FRONT_ENDS))
    return FRONT_ENDS[name]
