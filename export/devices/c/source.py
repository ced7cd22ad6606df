"""The text of model.c: constants, offsets in the arena, layers, and one call per operator."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mobilenet_tf.deployment.devices.c.calls import Call, Value
from mobilenet_tf.deployment.devices.c.cmsis_nn import KERNELS
from mobilenet_tf.deployment.devices.c.operators import calls_of
from mobilenet_tf.deployment.devices.c.program import Layout, Operator, Program, Tensor, lay_out
from mobilenet_tf.deployment.devices.mcu.c_code import c_integers

PORTABLE = "portable"
VARIANTS = (PORTABLE, *KERNELS)
TYPES = {
    "shifts": "mtf_shift",
    "int8": "int8_t",
    "int32": "int32_t",
    "uint8": "uint8_t",
    "uint16": "uint16_t",
}
_CONDITIONS = {PORTABLE: "#if MTF_KERNELS == MTF_PORTABLE", "dsp": "#elif MTF_KERNELS == MTF_DSP"}


@dataclass(frozen=True, eq=False)
class Source:
    """A program as C.

    Attributes:
        program: What it computes.
    """

    program: Program

    @cached_property
    def calls(self) -> tuple[tuple[Operator, tuple[Call, ...]], ...]:
        """The operators, and the calls of each."""
        return tuple((op, tuple(calls_of(op))) for op in self.program.operators)

    @cached_property
    def layouts(self) -> dict[str, Layout]:
        """One of `VARIANTS` -> places in its arena."""
        return {variant: lay_out(self.program, self._scratch(variant)) for variant in VARIANTS}

    def _scratch(self, variant: str) -> dict[int, int]:
        """Operator's step -> bytes of scratch, for those whose kernels take scratch."""
        return {
            op.step: call.scratch.get(variant, 0)
            for op, calls in self.calls
            for call in calls
            if call.scratch is not None
        }

    @property
    def kernels(self) -> list[str]:
        """The files of kernels that it calls."""
        return sorted({f"{call.family}.c" for _, calls in self.calls for call in calls})

    @property
    def constant_bytes(self) -> int:
        """Bytes of all constant arrays, with shifts of one byte."""
        return sum(array.nbytes for _, array in self._constants.values())

    @property
    def decoded_bytes(self) -> int:
        """Bytes of the arena that the largest decoded kernel takes."""
        outputs = [op.output for op in self.program.operators]
        return max((one.size for one in outputs if one.restored is not None), default=0)

    def texts(self) -> dict[str, str]:
        """Return the parts of model.c by their names in the template."""
        return {
            "offsets": "\n".join(self._offset_lines()),
            "arrays": "\n\n".join(self._array_texts()),
            "layers": "\n\n".join(self._layer_texts()),
            "calls": "\n".join(self._call_lines()),
            "input_offset": _at(self.program.input),
        }

    def _offset_lines(self) -> Iterable[str]:
        for variant, layout in self.layouts.items():
            yield _CONDITIONS.get(variant, "#else")
            places = {_at(root): offset for root, offset in layout.offsets.items()}
            for step, size in self._scratch(variant).items():
                places |= {f"SCRATCH_{step}": layout.scratch.get(step, 0), f"BYTES_{step}": size}
            start, end = self._workspace(layout)
            places |= {"WORKSPACE": start, "BYTES_WORKSPACE": end - start}
            yield "enum {"
            yield ",\n".join(f"  {name} = {value}" for name, value in places.items())
            yield "};"
        yield "#endif"

    def _workspace(self, layout: Layout) -> tuple[int, int]:
        """Return start and end of the larger part of the arena beside the input."""
        start = layout.offsets[self.program.input]
        end = start + self.program.lives[self.program.input].aligned_size
        parts = ((0, start), (end, layout.size))
        return max(parts, key=lambda part: part[1] - part[0])

    @cached_property
    def _constants(self) -> dict[tuple[str, bytes], tuple[str, np.ndarray]]:
        """(C type, content) -> name and values of the constant arrays, each once."""
        found: dict[tuple[str, bytes], tuple[str, np.ndarray]] = {}
        for op, calls in self.calls:
            for number, call in enumerate(calls):
                for field, array in _arrays_of(call.layer):
                    name = f"{field}_{_label(op, number)}"
                    found.setdefault(_key(field, array), (name, array))
                for tensor in call.inputs:
                    if tensor.data is not None:
                        name = f"constant_{tensor.number}"
                        found.setdefault(_key("constant", tensor.data), (name, tensor.data))
        return found

    def _name(self, field: str, array: np.ndarray) -> str:
        return self._constants[_key(field, array)][0]

    def _array_texts(self) -> Iterable[str]:
        for (kind, _), (name, array) in self._constants.items():
            yield self._array_text(kind, name, array)

    def _array_text(self, kind: str, name: str, array: np.ndarray) -> str:
        head = f"static const {kind} {name}[{array.size}] WEIGHTS"
        return f"{head} = {{\n{c_integers(array.reshape(-1))}\n}};"

    def _layer_texts(self) -> Iterable[str]:
        for op, calls in self.calls:
            for number, call in enumerate(calls):
                name = f"layer_{_label(op, number)}"
                fields = self._fields(call.layer, 2)
                yield f"static const {call.family}_layer {name} = {{\n{fields}\n}};"

    def _fields(self, fields: Mapping[str, Value], indent: int) -> str:
        lines = []
        for name, value in fields.items():
            if isinstance(value, np.ndarray):
                text = self._name(name, value)
            elif isinstance(value, Tensor):
                text = self._argument(value, name)
            elif isinstance(value, Mapping):
                text = f"{{\n{self._fields(value, indent + 2)}\n{' ' * indent}}}"
            else:
                text = str(value)
            lines.append(f"{' ' * indent}.{name} = {text}")
        return ",\n".join(lines)

    def _call_lines(self) -> Iterable[str]:
        for op, calls in self.calls:
            activations = [one for one in (op.input(0), op.output) if one.data is None]
            yield f"  /* {op.step}: {op.kind} {' to '.join(map(_shape, activations))} */"
            for number, call in enumerate(calls):
                output = self._place(op.output)
                if call.offset:
                    output += f" + {call.offset}"
                arguments = [f"&layer_{_label(op, number)}", *map(self._argument, call.inputs)]
                if call.scratch is None:
                    yield f"  {call.kernel}({', '.join([*arguments, output])});"
                else:
                    arguments += [output, f"SCRATCH({op.step})"]
                    yield f"  TRY({call.kernel}({', '.join(arguments)}));"

    def _argument(self, tensor: Tensor, field: str = "constant") -> str:
        if tensor.data is not None:
            return self._name(field, tensor.data)
        return self._place(tensor)

    def _place(self, tensor: Tensor) -> str:
        """The C expression for an activation; input and output belong to the caller."""
        root = self.program.roots[tensor.number]
        if root in self.program.outputs:
            offset = self.program.outputs[root]
            return f"scores + {offset}" if offset else "scores"
        return "image" if root == self.program.input else f"arena + {_at(root)}"


def _at(root: int) -> str:
    return f"AT_{root}"


def _label(op: Operator, number: int) -> str:
    """The end of a name: the operator's step, and the call's number if it is not the first."""
    return f"{op.step}_{number}" if number else f"{op.step}"


def _arrays_of(fields: Mapping[str, Value]) -> Iterable[tuple[str, np.ndarray]]:
    for name, value in fields.items():
        if isinstance(value, np.ndarray):
            yield name, value
        elif isinstance(value, Tensor) and value.data is not None:
            yield name, value.data
        elif isinstance(value, Mapping):
            yield from _arrays_of(value)


def _key(field: str, array: np.ndarray) -> tuple[str, bytes]:
    return TYPES["shifts" if field == "shifts" else array.dtype.name], array.tobytes()


def _shape(tensor: Tensor) -> str:
    sides = tensor.shape if tensor.restored is not None else tensor.shape[1:]
    return "x".join(map(str, sides))
