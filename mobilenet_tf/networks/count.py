"""Parameters, multiply-adds and activation memory from a specification, without TensorFlow."""

from dataclasses import asdict, dataclass, replace

from mobilenet_tf.networks.rows import Block, squeeze_width
from mobilenet_tf.networks.spec import ModelSpec
from mobilenet_tf.networks.zoo import ZOO, model_spec


@dataclass(frozen=True)
class Layer:
    """One operation of the network, as integers run it: normalization is in the kernel.

    Attributes:
        name: `stem`, `block 1 expand` and so on.
        kind: `conv`, `depthwise`, `dense`, `hard_swish`, `pool`, `multiply`, `add`, `softmax`.
            ReLU and hard-sigmoid cost nothing beside their convolution and are not listed.
        kernel: side of the kernel in pixels; 0 where there is none.
        stride: pixels per step.
        height: of the output.
        width: of the output.
        channels: of the output.
        parameters: with batch normalization, as Keras counts them.
        folded_parameters: kernel and bias, batch normalization folded into them.
        macs: multiply-adds for one picture.
        live_bytes: int8 tensors in memory while it runs: input, output and what waits.
    """

    name: str
    kind: str
    kernel: int
    stride: int
    height: int
    width: int
    channels: int
    parameters: int
    folded_parameters: int
    macs: int
    live_bytes: int


@dataclass(frozen=True)
class Cost:
    """Totals of a network, for one picture.

    Attributes:
        parameters: as Keras's `count_params`, batch normalization statistics included.
        folded_parameters: what an int8 file stores: kernels and one bias a channel.
        weight_bytes: of those in an int8 file: 1 byte a kernel value, 4 bytes a bias.
        macs: multiply-adds of all convolutions and dense layers, squeeze-excite included.
        peak_activation_bytes: int8 tensors, input picture included, that are in memory at the
            worst step of a plain run from first layer to last, hard-swish being one operator,
            as on microcontrollers. The file for phones, which has x * relu6(x + 3), holds one
            tensor more at that step. A runtime's arena is this and what the runtime keeps.
        peak_layer: name of that step.
    """

    parameters: int
    folded_parameters: int
    weight_bytes: int
    macs: int
    peak_activation_bytes: int
    peak_layer: str


class _Counter:
    """Walks through a network step by step.

    Tensor 0 is the picture, tensor i the output of step i, counted from 1.
    """

    def __init__(self, spec: ModelSpec):
        self.network = spec.network
        self.shapes = [(spec.size, spec.size, spec.channels)]
        self.steps: list[Layer] = []
        self.last_use = {0: 0}

    @property
    def here(self) -> int:
        """The latest tensor."""
        return len(self.steps)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.shapes[-1]

    def step(self, name, kind, shape, kernel=0, stride=1, weights=0, norm=False, other=None):
        """Append a step that makes a tensor of `shape`; `other` is a second input tensor."""
        bias = shape[2] if weights else 0
        parameters = weights + (4 * bias if norm else bias)
        macs = shape[0] * shape[1] * weights
        row = (name, kind, kernel, stride, *shape, parameters, weights + bias, macs, 0)
        previous = self.here
        self.steps.append(Layer(*row))
        self.shapes.append(shape)
        for tensor in (previous, self.here if other is None else other, self.here):
            self.last_use[tensor] = self.here

    def conv(self, name, channels, activation=None, kernel=1, stride=1):
        height, width, inputs = self.shape
        shape = (-(-height // stride), -(-width // stride), channels)
        self.step(name, "conv", shape, kernel, stride, kernel**2 * inputs * channels, norm=True)
        self.activate(name, activation)

    def depthwise(self, name, row: Block):
        height, width = (self._strided(size, row) for size in self.shape[:2])
        channels = self.shape[2]
        weights = row.kernel**2 * channels
        shape = (height, width, channels)
        self.step(name, "depthwise", shape, row.kernel, row.stride, weights, norm=True)
        self.activate(name, row.activation)

    def _strided(self, size: int, row: Block) -> int:
        if row.stride == 1:
            return size
        return (size + sum(self.network.padding(size, row.kernel)) - row.kernel) // row.stride + 1

    def dense(self, name, outputs, activation=None):
        """A dense layer, or what is the same, a 1x1 convolution of one pixel."""
        self.step(name, "dense", (1, 1, outputs), weights=self.shape[2] * outputs)
        self.activate(name, activation)

    def activate(self, name, activation):
        if activation == "hard_swish":
            self.step(f"{name} activation", "hard_swish", self.shape)

    def pool(self, name):
        self.step(name, "pool", (1, 1, self.shape[2]))

    def squeeze_excite(self, name):
        full, shape = self.here, self.shape
        self.pool(f"{name} pool")
        self.dense(f"{name} squeeze", squeeze_width(shape[2]))
        self.dense(f"{name} excite", shape[2])
        self.step(f"{name} multiply", "multiply", shape, other=full)

    def block(self, name, row: Block):
        start, inputs, residual = self.here, self.shape[2], self.network.residual
        if residual and row.expansion != inputs:
            self.conv(f"{name} expand", row.expansion, row.activation)
        self.depthwise(f"{name} depthwise", row)
        if row.se:
            self.squeeze_excite(f"{name} squeeze-excite")
        self.conv(f"{name} project", row.out, None if residual else row.activation)
        if residual and row.stride == 1 and row.out == inputs:
            self.step(f"{name} add", "add", self.shape, other=start)

    def finished(self) -> tuple[Layer, ...]:
        """The steps, with the tensors that are in memory while each runs."""
        sizes = [height * width * channels for height, width, channels in self.shapes]
        rows = []
        for index, layer in enumerate(self.steps, start=1):
            born = range(index + 1)
            live = sum(sizes[tensor] for tensor in born if self.last_use[tensor] >= index)
            rows.append(replace(layer, live_bytes=live))
        return tuple(rows)


def layers(spec: ModelSpec) -> tuple[Layer, ...]:
    """Every operation of a network with its classifier, in the order in which it runs."""
    network, counter = spec.network, _Counter(spec)
    counter.conv("stem", network.stem, network.activation, kernel=3, stride=2)
    for index, row in enumerate(network.blocks, start=1):
        counter.block(f"block {index}", row)
    if network.features:
        counter.conv("features", network.features, network.activation)
    counter.pool("pool")
    if network.hidden:
        counter.dense("hidden", network.hidden, network.activation)
    counter.dense("classifier", spec.classes)
    counter.step("probabilities", "softmax", counter.shape)
    return counter.finished()


def cost(spec: ModelSpec) -> Cost:
    """Totals of a network with its classifier."""
    rows = layers(spec)
    peak = max(rows, key=lambda row: row.live_bytes)
    folded = sum(row.folded_parameters for row in rows)
    biases = sum(row.channels for row in rows if row.folded_parameters)
    return Cost(
        parameters=sum(row.parameters for row in rows),
        folded_parameters=folded,
        weight_bytes=folded + 3 * biases,
        macs=sum(row.macs for row in rows),
        peak_activation_bytes=peak.live_bytes,
        peak_layer=peak.name,
    )


def _totals(spec: ModelSpec) -> dict:
    names = ("name", "alpha", "size", "classes", "channels")
    return {name: getattr(spec, name) for name in names} | asdict(cost(spec))


def summary(spec: ModelSpec) -> dict:
    """One network: its totals, and under `layers` one plain row per operation; JSON-ready."""
    return _totals(spec) | {"layers": [asdict(row) for row in layers(spec)]}


def table(size: int = 224, classes: int = 1000, channels: int = 3) -> list[dict]:
    """The totals of every network of the zoo at every published alpha, JSON-ready.

    Raises:
        UserError: a size, number of classes or channels that no network takes.
    """
    return [
        _totals(model_spec(name, alpha, size, classes, channels))
        for name, entry in ZOO.items()
        for alpha in entry.alphas
    ]
