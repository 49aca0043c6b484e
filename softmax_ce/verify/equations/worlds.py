"""The worlds in which equations are tried: logits, targets and the rest, drawn, the simple first.

A world computes its other symbols when they are asked for, once each, so that they form a graph
through which torch differentiates: z, then p, then the loss.
"""

import ast
import math
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from types import CodeType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from softmax_ce.verify.equations.arithmetic import DTYPE, gradient_of
from softmax_ce.verify.equations.latex import FormulaError
from softmax_ce.verify.equations.notation import ANY, ANYTHING, Notation

MODULES = {"F": F, "math": math, "torch": torch}
SIMPLE = [  # logits and targets that a reader can follow in the head, a tie among them
    ([0, 0], 0),
    ([1, 0], 0),
    ([1, 0], 1),
    ([2, 1, 0], 1),
    ([1, 1, 0], 2),
    ([30, 0, 0], 1),
]
# The level is kept so low that a naive exponential of the logits over T overflows in no world.
RANDOM = [  # classes, level, tied classes
    (2, 0.0, 0),
    (3, 0.0, 0),
    (5, 0.0, 2),
    (4, 100.0, 0),
    (3, -100.0, 3),
    (9, 0.0, 9),
    (6, 0.0, 0),
]
EXAMPLES = (1, 2, 3, 5)  # in a batch


class World:
    """One draw of the inputs, and all symbols of a notation computed from it."""

    def __init__(self, inputs: Mapping[str, Any], notation: Notation, seed: int) -> None:
        self.inputs = dict(inputs)
        self.notation = notation
        self.seed = seed
        self.used: dict[str, Any] = {}  # the inputs that were asked for
        self.sides: dict[Any, Any] = {}  # of the formula that is tried: see `trial`
        self._values: dict[str, Any] = {}
        self._entries: dict[tuple[str, tuple[int, ...]], Tensor] = {}
        self._gradients: dict[tuple[int, str], Tensor] = {}  # of entries, by their ids
        self._pending: set[str] = set()

    def with_(self, **inputs: Any) -> "World":
        """The same world but for these inputs; all that depends on them is computed anew."""
        return World(self.inputs | inputs, self.notation, self.seed)

    def __getitem__(self, name: str) -> Any:
        if not self.notation.knows(name):
            raise FormulaError(f"{name} means nothing here: give it a row in the notation")
        code = self.notation.values[name]
        if name in self.inputs:
            self.used[name] = self.inputs[name]
        elif code == ANY:
            raise FormulaError(f"nothing draws {name}: write uniform(low, high) for any number")
        elif name not in self._values:
            if name in self._pending:
                raise FormulaError(f"the notation's {name} is computed from itself")
            self._pending.add(name)
            self._values[name] = self._evaluate(code, {}, name)
            if self.notation.is_input(name):
                self.inputs[name] = self._values[name]
        return self.inputs.get(name, self._values.get(name))

    def entry(self, name: str, indices: tuple[int, ...]) -> Tensor:
        """An entry of a symbol, the same tensor each time."""
        value = self[name]
        if (name, indices) not in self._entries:
            if not isinstance(value, Tensor) or value.dim() < len(indices):
                raise FormulaError(f"{name} has no entry {', '.join(map(str, indices))}")
            for index, size in zip(indices, value.shape, strict=False):
                if index >= size:
                    raise FormulaError(f"{name} has no entry {index}")
            self._entries[name, indices] = value[indices]
        return self._entries[name, indices]

    def gradient(self, value: Any, name: str) -> Tensor:
        """The derivatives of a value by all entries of a symbol; of an entry found once."""
        key = id(value), name
        if key in self._gradients:
            return self._gradients[key]
        gradient = gradient_of(value, self[name], name, self.notation.is_input(name))
        if any(value is entry for entry in self._entries.values()):
            self._gradients[key] = gradient
        return gradient

    def numbers(self) -> set[str]:
        """The inputs of which any number may be the value."""
        inputs = {name: self[name] for name in filter(self.notation.is_input, self.notation.values)}
        return {name for name, x in inputs.items() if x.requires_grad and not x.dim()}

    def call(self, name: str, arguments: list[Any]) -> Any:
        """The value of a function."""
        function = self.notation.functions.get((name, len(arguments)))
        if function is None:
            raise FormulaError(f"{name} is no function of {len(arguments)} arguments")
        if function.argument == ANYTHING:
            return self._evaluate(function.code, {})(*arguments)
        return self._evaluate(function.code, dict(zip(function.parameters, arguments, strict=True)))

    def _evaluate(self, code: str, arguments: dict[str, Any], name: str = "") -> Any:
        names: dict[str, Any] = {"uniform": self._uniform(name or code)} | MODULES | arguments
        try:
            for used in _names(code):
                if used not in names and self.notation.knows(used):
                    names[used] = self[used]
            return eval(_compiled(code), names)
        except FormulaError:
            raise
        except Exception as error:
            raise FormulaError(f"the notation's {code!r} fails: {error}") from error

    def _uniform(self, name: str) -> Any:
        generator = torch.Generator().manual_seed(self.seed + zlib.crc32(name.encode()))

        def uniform(low: float, high: float, *size: int) -> Tensor:
            drawn = torch.rand(size, generator=generator, dtype=DTYPE)
            return (low + (high - low) * drawn).requires_grad_()

        return uniform


def worlds(notation: Notation) -> Iterator[World]:
    """The worlds, the simple ones first: the first in which an equation fails shows why best."""
    for seed, inputs in enumerate(_inputs()):
        yield World(inputs, notation, seed)


def _inputs() -> Iterator[dict[str, Any]]:
    for number, (logits, target) in enumerate(SIMPLE):
        z = torch.tensor(logits, dtype=DTYPE)
        T = 2.0 if number % 2 else 0.5
        q = F.one_hot(torch.tensor(target), len(z)).to(DTYPE)
        yield _world(z, target, T, (q + number) / (q + number).sum(), seed=number)
    for number, (classes, level, tied) in enumerate(RANDOM):
        generator = torch.Generator().manual_seed(number)
        z = 2 * torch.randn(classes, generator=generator, dtype=DTYPE)
        z[:tied] = z[:tied].sum().abs() + 1  # at the top
        target = int(torch.randint(classes, (), generator=generator))
        T = 0.5 + 3 * torch.rand((), generator=generator, dtype=DTYPE).item()
        q = torch.rand(classes, generator=generator, dtype=DTYPE)
        q[target] *= number % 2  # a distribution may have zeros
        yield _world(z + level, target, T, q / q.sum(), seed=100 + number)


def _world(z: Tensor, target: int, T: float, q: Tensor, seed: int) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    batch = 2 * torch.randn(EXAMPLES[seed % 4], len(z), generator=generator, dtype=DTYPE)
    leaves = {"z": z, "T": torch.tensor(T, dtype=DTYPE), "q": q, "z_n": batch}
    targets = torch.randint(len(z), (len(batch),), generator=generator)
    return {name: leaf.requires_grad_() for name, leaf in leaves.items()} | {
        "y": torch.tensor(target),
        "y_n": targets,
    }


@cache
def _compiled(code: str) -> CodeType:
    return compile(code, "notation", "eval")


@cache
def _names(code: str) -> frozenset[str]:
    """The names that code looks up."""
    nodes = ast.walk(ast.parse(code, mode="eval"))
    return frozenset(node.id for node in nodes if isinstance(node, ast.Name))
