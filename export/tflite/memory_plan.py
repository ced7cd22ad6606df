"""Where each tensor lies in a microcontroller's arena, decided before the file leaves the house.

TensorFlow Lite Micro places tensors itself, largest first, and leaves gaps: for V1 0.25 at 96x96
it takes 73,728 bytes where 55,296 are enough. A file can bring its own plan, as int32 offsets
under the metadata name OfflineMemoryAllocation; the runtime then only checks in scratch buffers.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ALIGNMENT = 16  # of every buffer in TensorFlow Lite Micro's arena
_ROUNDS = 400


@dataclass(frozen=True)
class Life:
    """A tensor that needs room.

    Attributes:
        size: bytes.
        first, last: the steps between which it must stay, both included.
    """

    size: int
    first: int
    last: int

    @property
    def room(self) -> int:
        """Bytes with alignment."""
        return -(-self.size // ALIGNMENT) * ALIGNMENT

    def meets(self, other: "Life") -> bool:
        """Whether both are needed at the same step."""
        return self.first <= other.last and other.first <= self.last


def lower_bound(lives: Iterable[Life]) -> int:
    """Bytes that no plan can go below: the most that is needed at one step."""
    lives = list(lives)
    steps = {life.first for life in lives}
    return max(
        (sum(life.room for life in lives if life.first <= step <= life.last) for step in steps),
        default=0,
    )


def plan(lives: list[Life]) -> list[int]:
    """Offsets in bytes, one per tensor, such that no two meet; as low together as is found.

    Tensors are laid one by one at the lowest free place. The order decides: it starts with the
    largest, and then whatever stuck out furthest is moved to the front, some of the time
    anything. Stops at the lower bound. The same input gives the same plan.
    """
    least, chance = lower_bound(lives), random.Random(0)
    order = sorted(range(len(lives)), key=lambda i: (-lives[i].size, lives[i].first))
    best = _lay(lives, order)
    for _ in range(_ROUNDS):
        if height(lives, best) <= least:
            break
        trial = list(order)
        top = max(trial, key=lambda i: best[i] + lives[i].room)
        moved = top if chance.random() < 0.7 else chance.choice(trial)
        trial.remove(moved)
        trial.insert(chance.randrange(min(4, len(trial)) + 1), moved)
        offsets = _lay(lives, trial)
        if height(lives, offsets) <= height(lives, best):
            order, best = trial, offsets
    return best


def height(lives: list[Life], offsets: list[int]) -> int:
    """Bytes that a plan takes."""
    return max((at + life.room for at, life in zip(offsets, lives, strict=True)), default=0)


def extended(lives: list[Life], offsets: list[int], others: list[Life]) -> int:
    """Bytes of a plan into whose gaps the interpreter lays others, largest first."""
    everything = [*lives, *others]
    order = sorted(range(len(lives), len(everything)), key=lambda i: -everything[i].size)
    return height(everything, _lay(everything, order, offsets))


def _lay(lives: list[Life], order: list[int], fixed: Sequence[int] = ()) -> list[int]:
    """Each tensor in turn at the lowest place that is free while it lives.

    Args:
        order: numbers of the tensors.
        fixed: places of the first tensors, which are not in `order`.
    """
    offsets, laid = [*fixed, *[0] * (len(lives) - len(fixed))], list(range(len(fixed)))
    for index in order:
        life, at = lives[index], 0
        for other in sorted((i for i in laid if lives[i].meets(life)), key=offsets.__getitem__):
            if offsets[other] >= at + life.room:
                break
            at = max(at, offsets[other] + lives[other].room)
        offsets[index] = at
        laid.append(index)
    return offsets
