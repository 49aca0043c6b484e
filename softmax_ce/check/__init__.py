"""Checks of a learner's own functions: `check.softmax_stable(my_function)`.

Each prints a line where the function is right. Where it is not, it prints a small input that shows
it, what came, what was expected, the idea behind it, and where the book explains that.
"""

from softmax_ce.check.idea import Function
from softmax_ce.check.judge import Verdict, judge
from softmax_ce.check.ladder import LADDER

__all__ = [
    "Verdict",
    "backward_by_hand",
    "cross_entropy",
    "cross_entropy_softmax_gradient",
    "cross_entropy_third_form",
    "log_odds",
    "logsumexp",
    "merge_logsumexp",
    "softmax_batched",
    "softmax_naive",
    "softmax_stable",
    "softmax_temperature",
    "verdict",
]


def verdict(rung: str, function: Function) -> Verdict:
    """Check a function, and say what was found without printing it."""
    return judge(LADDER[rung], function)


def log_odds(function: Function) -> None:
    """Check `function(logits, i, j)`, the log-odds of two classes."""
    print(verdict("log_odds", function).text)


def softmax_naive(function: Function) -> None:
    """Check `function(logits)`, softmax of one row as it is defined."""
    print(verdict("softmax_naive", function).text)


def softmax_stable(function: Function) -> None:
    """Check `function(logits)`, softmax of one row, however large its logits are."""
    print(verdict("softmax_stable", function).text)


def softmax_batched(function: Function) -> None:
    """Check `function(logits)`, softmax of each row of a batch of any shape, classes last."""
    print(verdict("softmax_batched", function).text)


def logsumexp(function: Function) -> None:
    """Check `function(logits)`, the log-sum-exp of each row."""
    print(verdict("logsumexp", function).text)


def cross_entropy(function: Function) -> None:
    """Check `function(logits, targets, ignore_index=-100)`, the mean loss of a batch."""
    print(verdict("cross_entropy", function).text)


def backward_by_hand(function: Function) -> None:
    """Check `function(logits, targets)`, the gradient at every node from the loss to the logits."""
    print(verdict("backward_by_hand", function).text)


def cross_entropy_softmax_gradient(function: Function) -> None:
    """Check `function(logits, targets, ignore_index=-100)`, dlogits in closed form."""
    print(verdict("cross_entropy_softmax_gradient", function).text)


def cross_entropy_third_form(function: Function) -> None:
    """Check `function(logits, targets)`, the loss of each example as softplus(m)."""
    print(verdict("cross_entropy_third_form", function).text)


def softmax_temperature(function: Function) -> None:
    """Check `function(logits, T)`, softmax at a temperature."""
    print(verdict("softmax_temperature", function).text)


def merge_logsumexp(function: Function) -> None:
    """Check `function(first, second)`, the log-sum-exp of two shards, merged."""
    print(verdict("merge_logsumexp", function).text)
