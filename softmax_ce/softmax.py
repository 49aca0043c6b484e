"""Softmax and its logarithm, from the definition to the form that survives large logits.

The chapters: Softmax; Stability; Language model, for the sum of shards. The shifted forms and
their errors: Blanchard, Higham and Higham (2021).
"""

from torch import Tensor

from softmax_ce._inputs import takes_logits, takes_shards


@takes_logits
def softmax_naive(logits: Tensor, dim: int = -1) -> Tensor:
    r"""Softmax as it is defined, and as it fails.

    $$p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$

    Logits above the logarithm of the largest float overflow to nan without an exception, smaller
    ones where their sum overflows. Kept to show that; use `softmax_stable`.

    Args:
        logits: shape `(..., V)`, any real numbers.
        dim: the class dimension.

    Returns:
        Probabilities, in the shape and dtype of the logits.

    Raises:
        TypeError: the logits are not a floating-point tensor.
        ValueError: there are no classes.
        IndexError: the logits have no dimension `dim`.

    Examples:
        >>> import torch
        >>> from softmax_ce import softmax_naive
        >>> softmax_naive(torch.tensor([1.0, 2.0, 3.0]))
        tensor([0.0900, 0.2447, 0.6652])
        >>> softmax_naive(torch.tensor([1000.0, 1001.0, 1002.0]))
        tensor([nan, nan, nan])
    """
    exps = logits.exp()
    return exps / exps.sum(dim, keepdim=True)


@takes_logits
def softmax_stable(logits: Tensor, dim: int = -1) -> Tensor:
    r"""Softmax, each row shifted by its maximum first, so that no exponential overflows.

    $$p_i = \frac{e^{z_i - \max_k z_k}}{\sum_j e^{z_j - \max_k z_k}}$$

    A logit of −inf gets probability 0; a row of −inf alone is nan, as in PyTorch.

    Args:
        logits: shape `(..., V)`, any real numbers or −inf.
        dim: the class dimension.

    Returns:
        Probabilities, in the shape and dtype of the logits.

    Raises:
        TypeError: the logits are not a floating-point tensor.
        ValueError: there are no classes.
        IndexError: the logits have no dimension `dim`.

    Examples:
        >>> import torch
        >>> from softmax_ce import softmax_stable
        >>> softmax_stable(torch.tensor([1000.0, 1001.0, 1002.0]))
        tensor([0.0900, 0.2447, 0.6652])
    """
    shifted = logits - logits.amax(dim, keepdim=True)
    exps = shifted.exp()
    return exps / exps.sum(dim, keepdim=True)


@takes_logits
def logsumexp(logits: Tensor, dim: int = -1) -> Tensor:
    r"""The logarithm of the sum of exponentials: the smooth maximum behind softmax.

    $$\operatorname{LSE}(z) = \max_k z_k + \log \sum_j e^{z_j - \max_k z_k}$$

    A row of −inf alone, the empty sum, gives −inf. The result is right to a few eps of the largest
    number in the formula, so one near 0 loses its digits: for a small loss use `cross_entropy`.

    Args:
        logits: shape `(..., V)`, any real numbers or −inf.
        dim: the class dimension.

    Returns:
        Shape `(...)`, in nats.

    Raises:
        TypeError: the logits are not a floating-point tensor.
        ValueError: there are no classes.
        IndexError: the logits have no dimension `dim`.

    Examples:
        >>> import torch
        >>> from softmax_ce import logsumexp
        >>> logsumexp(torch.tensor([1000.0, 1000.0]))
        tensor(1000.6932)
    """
    top = logits.amax(dim, keepdim=True)
    top = top.where(top.isfinite(), 0)
    return top.squeeze(dim) + (logits - top).exp().sum(dim).log()


@takes_shards
def merge_logsumexp(first: Tensor, second: Tensor) -> Tensor:
    r"""The log-sum-exp of rows whose classes are split in two, from that of each shard.

    $$\operatorname{LSE}(z) = \max(s, t) + \log \left(1 + e^{-\lvert s - t \rvert}\right)$$

    where $s$ and $t$ are the log-sum-exps of the two shards. So a machine that holds a part of
    the vocabulary sends one number for each row. Where a loss is computed from it, shift all shards
    by their common maximum first. An empty shard has −inf.

    Args:
        first: the log-sum-exp of the one shard, any shape.
        second: that of the other, in the same shape and dtype.

    Returns:
        The log-sum-exp over both, in nats, in the shape and dtype of either.

    Raises:
        TypeError: one is not a floating-point tensor.
        ValueError: they differ in shape or dtype.

    Examples:
        >>> import torch
        >>> from softmax_ce import logsumexp, merge_logsumexp
        >>> logits = torch.tensor([1000.0, 1001.0, 1002.0])
        >>> merge_logsumexp(logsumexp(logits[:1]), logsumexp(logits[1:])) == logsumexp(logits)
        tensor(True)
    """
    top, rest = (a.where(first >= second, b) for a, b in ((first, second), (second, first)))
    gap = (rest - top).where(top.isfinite() | (rest != top), 0)  # two infinities have no gap
    return top + gap.exp().log1p()


@takes_logits
def log_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    r"""The logarithm of softmax, without ever forming a probability that could underflow to 0.

    $$\log p_i = (z_i - \max_k z_k) - \log \sum_j e^{z_j - \max_k z_k}$$

    A logit of −inf keeps log-probability −inf; a row of −inf alone is nan, as in PyTorch. A result
    near 0 has an absolute error of about eps: for a small loss use `cross_entropy`.

    Args:
        logits: shape `(..., V)`, any real numbers or −inf.
        dim: the class dimension.

    Returns:
        Log-probabilities in nats, in the shape and dtype of the logits.

    Raises:
        TypeError: the logits are not a floating-point tensor.
        ValueError: there are no classes.
        IndexError: the logits have no dimension `dim`.

    Examples:
        >>> import torch
        >>> from softmax_ce import log_softmax
        >>> log_softmax(torch.tensor([0.0, -1000.0]))
        tensor([    0., -1000.])
    """
    shifted = logits - logits.amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()
