"""Rewrites of a network: its full convolutions in the factored forms of the papers.

A network keeps the rewrite as text, and `lower` applies it to the graph, whatever the rows are.
The stem, which reads the picture, and the head stay as they are. The forms with a rank can also be
computed from trained kernels, exactly at full rank. With M input and N output channels:

- `flattened` (Jin et al.): twice a 1x1, a k x 1 and a 1 x k convolution, the last two depthwise.
- `factorized` (Wang et al.): a depthwise k x k convolution plus its input, then 1x1.
- `separable=R`: a depthwise k x k convolution with R kernels per channel, then 1x1;
  R <= min(k * k, N).
- `spatial=R` (Jaderberg et al.): k x 1 to R channels, then 1 x k; R <= k * min(M, N).
- `tucker=R` (Tucker-2): 1x1 to R channels, k x k to R, then 1x1; R <= max(M, N).
- `lowrank=R`: 1x1 convolutions become two, with R channels between; R <= min(M, N).

Convolutions whose full rank is below R have nothing to gain and stay as they are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.graph import Graph, Op, Shape, output_side, same_padding

Kernels = list[np.ndarray]
_RANK = re.compile("[1-9][0-9]{0,5}")


class _Chain:
    """Operations that take the place of one; the last has its name and what follows it."""

    def __init__(self, op: Op, source: Op):
        self.original, self.source = op, source
        self.ops: list[Op] = []

    @property
    def _last(self) -> Op:
        return self.ops[-1] if self.ops else self.source

    def append(self, role: str, kind: str, shape: Shape, **facts: Any) -> None:
        """Append an operation that reads the one before it, and others if `facts` say so."""
        op = self.original
        values: dict[str, Any] = {"inputs": (self._last.name,), "block": op.block, "bias": False}
        values |= facts
        self.ops.append(Op(kind, f"{op.name}/{role}", shape=shape, **values))

    def window(
        self, role: str, kind: str, channels: int, *, rows: bool, columns: bool, **facts: Any
    ) -> None:
        """Append a convolution along the axes in which the original has its window.

        The last one along the columns carries the stride: in front of it, nothing is skipped.
        """
        op, (height, width, _) = self.original, self._last.shape
        stride = op.stride if columns else 1
        kernel = (op.kernel[0] if rows else 1, op.kernel[1] if columns else 1)
        padding = (op.padding[0] if rows else (0, 0), op.padding[1] if columns else (0, 0))
        height = output_side(height, kernel[0], stride, padding[0])
        width = output_side(width, kernel[1], stride, padding[1])
        self.append(
            role,
            kind,
            (height, width, channels),
            kernel=kernel,
            stride=stride,
            padding=padding,
            **facts,
        )

    def pointwise(self, role: str, channels: int, **facts: Any) -> None:
        """Append a 1x1 convolution."""
        shape = (*self._last.shape[:2], channels)
        self.append(role, "convolution", shape, kernel=(1, 1), stride=1, **facts)

    def finished(self) -> tuple[Op, ...]:
        """Return the operations, of which the last stands for the original."""
        op = self.original
        last = replace(
            self.ops[-1], name=op.name, activation=op.activation, norm=op.norm, bias=op.bias
        )
        return (*self.ops[:-1], last)


def _flattened(chain: _Chain, rank: int) -> None:
    out = chain.original.shape[2]
    for stage in ("1", "2"):
        chain.pointwise(f"lateral_{stage}", out, bias=True)
        chain.window(f"vertical_{stage}", "depthwise", out, rows=True, columns=False, bias=True)
        chain.window(f"horizontal_{stage}", "depthwise", out, rows=False, columns=True, bias=True)
        # What follows the first stage has its size already.
        (height, width, _), (rows, columns) = chain.ops[-1].shape, chain.original.kernel
        padding = same_padding(height, rows, 1), same_padding(width, columns, 1)
        chain.original = replace(chain.original, stride=1, padding=padding)


def _factorized(chain: _Chain, rank: int) -> None:
    source = chain.source
    chain.window("depthwise", "depthwise", source.shape[2], rows=True, columns=True, bias=True)
    if chain.ops[-1].shape == source.shape:
        chain.append("add", "add", source.shape, inputs=(source.name, chain.ops[-1].name))
    chain.pointwise("project", chain.original.shape[2])


def _separable(chain: _Chain, rank: int) -> None:
    wide = chain.source.shape[2] * rank
    chain.window("depthwise", "depthwise", wide, rows=True, columns=True)
    chain.pointwise("project", chain.original.shape[2])


def _spatial(chain: _Chain, rank: int) -> None:
    out = chain.original.shape[2]
    chain.window("vertical", "convolution", rank, rows=True, columns=False)
    chain.window("horizontal", "convolution", out, rows=False, columns=True)


def _tucker(chain: _Chain, rank: int) -> None:
    channels, out = chain.source.shape[2], chain.original.shape[2]
    chain.pointwise("reduce", min(rank, channels))
    chain.window("core", "convolution", min(rank, out), rows=True, columns=True)
    chain.pointwise("expand", out)


def _low_rank(chain: _Chain, rank: int) -> None:
    chain.window("reduce", "convolution", rank, rows=True, columns=True)
    chain.pointwise("expand", chain.original.shape[2])


# Factors of a trained kernel (k, k, M, N), in the layout of the layers that take its place.


def _halves(matrix: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (..., m, rank) and (..., rank, n), whose product is nearest to the matrices.

    Both halves have the square roots of the singular values, so that their ranges are alike.
    """
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    root = np.sqrt(values[..., :rank])
    return left[..., :rank] * root[..., None, :], right[..., :rank, :] * root[..., :, None]


def _separable_kernels(kernel: np.ndarray, rank: int) -> Kernels:
    height, width, channels, out = kernel.shape
    slices = kernel.transpose(2, 0, 1, 3).reshape(channels, height * width, out)
    depthwise, pointwise = _halves(slices, rank)  # (M, k * k, R), (M, R, N)
    depthwise = depthwise.transpose(1, 0, 2).reshape(height, width, channels, rank)
    return [depthwise, pointwise.reshape(1, 1, channels * rank, out)]


def _spatial_kernels(kernel: np.ndarray, rank: int) -> Kernels:
    height, width, channels, out = kernel.shape
    matrix = kernel.transpose(0, 2, 1, 3).reshape(height * channels, width * out)
    vertical, horizontal = _halves(matrix, rank)
    horizontal = horizontal.reshape(rank, width, out).transpose(1, 0, 2)
    return [vertical.reshape(height, 1, channels, rank), horizontal[None]]


def _tucker_kernels(kernel: np.ndarray, rank: int) -> Kernels:
    channels, out = kernel.shape[2:]
    reduce = np.linalg.svd(np.moveaxis(kernel, 2, 0).reshape(channels, -1), full_matrices=False)[0]
    expand = np.linalg.svd(np.moveaxis(kernel, 3, 0).reshape(out, -1), full_matrices=False)[0]
    reduce, expand = reduce[:, :rank], expand[:, :rank]
    core = np.einsum("hwmn,mr,nq->hwrq", kernel, reduce, expand)
    return [reduce[None, None], core, expand.T[None, None]]


def _low_rank_kernels(kernel: np.ndarray, rank: int) -> Kernels:
    left, right = _halves(kernel[0, 0], rank)
    return [left[None, None], right[None, None]]


@dataclass(frozen=True)
class Form:
    """What full convolutions become.

    Attributes:
        build: Appends the operations to a chain, for a rank.
        full_rank: Function of (sides of the kernel, M, N) that returns the rank at which nothing
            is lost; None if the form has no rank, and starts from random values.
        kernels: Factors of a trained kernel.
        pointwise: Whether 1x1 convolutions are rewritten, or those with larger kernels.
    """

    build: Callable[[_Chain, int], None]
    full_rank: Callable[[tuple[int, int], int, int], int] | None = None
    kernels: Callable[[np.ndarray, int], Kernels] | None = None
    pointwise: bool = False


FORMS = {
    "flattened": Form(_flattened),
    "factorized": Form(_factorized),
    "separable": Form(_separable, lambda k, m, n: min(k[0] * k[1], n), _separable_kernels),
    "spatial": Form(_spatial, lambda k, m, n: min(k[0] * m, k[1] * n), _spatial_kernels),
    "tucker": Form(_tucker, lambda k, m, n: max(m, n), _tucker_kernels),
    "lowrank": Form(_low_rank, lambda k, m, n: min(m, n), _low_rank_kernels, pointwise=True),
}


@dataclass(frozen=True)
class Factorization:
    """A form and its rank, such as `tucker=16`; 0 where the form has none."""

    form: Form
    rank: int

    @classmethod
    def parse(cls, text: str) -> "Factorization":
        """Return the factorization that a text names.

        Raises:
            UserError: There is no such form, or the rank is missing, wrong or not wanted.
        """
        name, equals, number = text.partition("=")
        ranked = name in FORMS and FORMS[name].full_rank is not None
        right = _RANK.fullmatch(number) if ranked else not equals
        if name not in FORMS or not right:
            forms = (f"{n}=RANK" if form.full_rank else n for n, form in FORMS.items())
            raise UserError(
                f"factorize is {text!r}; it must be one of {', '.join(forms)}, with a rank above 0."
            )
        return cls(FORMS[name], int(number or 0))

    def applies(self, graph: Graph, op: Op) -> bool:
        """Return whether an operation is rewritten."""
        if op.kind != "convolution" or op.block == "head" or op.inputs == (graph.input.name,):
            return False
        full, channels = self.form.full_rank, graph[op.inputs[0]].shape[2]
        within = full is None or self.rank <= full(op.kernel, channels, op.shape[2])
        return (op.kernel == (1, 1)) == self.form.pointwise and within

    def operations(self, graph: Graph, op: Op) -> tuple[Op, ...]:
        """Return what takes the place of an operation; the operation itself if nothing does."""
        if not self.applies(graph, op):
            return (op,)
        chain = _Chain(op, graph[op.inputs[0]])
        self.form.build(chain, self.rank)
        return chain.finished()

    def kernels(self, kernel: np.ndarray) -> Kernels:
        """Return the kernels of `operations`, computed from a trained one (k, k, M, N).

        Raises:
            UserError: The form cannot be computed from trained kernels.
        """
        if self.form.kernels is None:
            forms = ", ".join(name for name, form in FORMS.items() if form.kernels)
            raise UserError(
                f"weights of another network can be factorized as {forms} only; train this form "
                "from random weights."
            )
        factors = self.form.kernels(kernel.astype(np.float64), self.rank)
        return [factor.astype(np.float32) for factor in factors]


def rewritten(graph: Graph, text: str) -> Graph:
    """Return the graph with its full convolutions factorized; the same graph if `text` is empty.

    Raises:
        UserError: See `Factorization.parse`.
    """
    if not text:
        return graph
    factorization = Factorization.parse(text)
    return Graph(tuple(new for op in graph for new in factorization.operations(graph, op)))
