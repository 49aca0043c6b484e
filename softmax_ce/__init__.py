"""Softmax and cross-entropy, written to be read beside the lesson that derives them."""

from softmax_ce.gradient import cross_entropy_softmax_gradient, softmax_jacobian
from softmax_ce.loss import cross_entropy, cross_entropy_manual
from softmax_ce.softmax import log_softmax, logsumexp, softmax_naive, softmax_stable
from softmax_ce.temperature import entropy, softmax_temperature

__all__ = [
    "cross_entropy",
    "cross_entropy_manual",
    "cross_entropy_softmax_gradient",
    "entropy",
    "log_softmax",
    "logsumexp",
    "softmax_jacobian",
    "softmax_naive",
    "softmax_stable",
    "softmax_temperature",
]
