"""Softmax and cross-entropy, written to be read beside the lesson that derives them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from softmax_ce.gradient import cross_entropy_softmax_gradient, softmax_jacobian
    from softmax_ce.loss import cross_entropy, cross_entropy_manual
    from softmax_ce.softmax import (
        log_softmax,
        logsumexp,
        merge_logsumexp,
        softmax_naive,
        softmax_stable,
    )
    from softmax_ce.temperature import entropy, softmax_temperature

__all__ = [
    "cross_entropy",
    "cross_entropy_manual",
    "cross_entropy_softmax_gradient",
    "entropy",
    "log_softmax",
    "logsumexp",
    "merge_logsumexp",
    "softmax_jacobian",
    "softmax_naive",
    "softmax_stable",
    "softmax_temperature",
]


def __getattr__(name: str) -> Any:
    # Torch, too, waits for the first function: a build of the site that draws nothing needs none.
    if name in __all__:
        for module in ("softmax", "loss", "gradient", "temperature"):
            functions = vars(import_module(f"{__name__}.{module}"))
            if name in functions:
                return functions[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
