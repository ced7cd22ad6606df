"""Reader for `config.toml` of version 1, which named a published network and its width multiplier.

Version 1 stored the rows of the paper's table before the width multiplier, so its networks are
made again from the zoo.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.rows import Convolution, InvertedResidual, Network, Separable
from mobilenet_tf.networks.zoo import make_network


def from_version_1(values: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the content of a file of version 1 with the fields of version 2.

    `network` is a `Network`, not its plain values.

    Args:
        values: The parsed TOML.
        source: What errors call the file.

    Raises:
        UserError: The network is not a published one, or a field is missing.
    """
    same = ("weights", "seed", "classes", "recipe", "int8")
    try:
        return {
            "data": values["source"],
            "network": _network(values["model"], source),
            "teacher": values.get("teacher", "none"),
            **{name: values[name] for name in same},
        }
    except KeyError as error:
        raise UserError(f"{source} is incomplete: it has no {error.args[0]}.") from error
    except TypeError as error:
        raise UserError(f"{source} has a field of the wrong type: {error}.") from error


def _network(model: Mapping[str, Any], source: str) -> Network:
    options = (model[name] for name in ("name", "alpha", "size", "classes", "channels"))
    network = make_network(*options)
    if [list(row) for row in model["rows"]] != _published_rows(network):
        raise UserError(
            f"{source}: model.rows is not the published table of {network.name}; only published "
            "tables can be read from a run of version 1."
        )
    preprocessing = model["preprocessing"]
    if not isinstance(preprocessing, Mapping):
        raise UserError(f"{source}: model.preprocessing is {preprocessing!r}; it must be a table.")
    return replace(network, input=InputSpec.from_dict(network.input.to_dict() | preprocessing))


def _published_rows(network: Network) -> list[list[Any]]:
    """Return the paper's table as version 1 stored it.

    A row is kernel, expansion, outputs, squeeze-and-excite, activation, stride. A width multiplier
    of 1 leaves every width of the tables as it is.
    """
    rows: list[list[Any]] = []
    before = 0
    for row in make_network(network.name, 1.0).backbone:
        if isinstance(row, Separable | InvertedResidual):  # the first and last are in no table
            expansion = row.expansion if isinstance(row, InvertedResidual) else before
            rows.append([row.kernel, expansion, row.out, row.se, row.activation, row.stride])
        if isinstance(row, Separable | InvertedResidual | Convolution):
            before = row.out
    return rows
