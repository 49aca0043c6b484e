"""Softmax at a temperature, and the entropy that it controls.

The chapter: Temperature.
"""

import math

from torch import Tensor

from softmax_ce._inputs import takes_logits
from softmax_ce.softmax import log_softmax


@takes_logits
def softmax_temperature(logits: Tensor, T: float | Tensor = 1.0, dim: int = -1) -> Tensor:
    r"""Softmax of the logits divided by a temperature.

    $$p_i(T) = \frac{e^{(z_i - \max_k z_k) / T}}{\sum_j e^{(z_j - \max_k z_k) / T}}$$

    The shift comes before the division: the largest logit stays 0 and cannot overflow, however
    small T. A T below 2**-126, float32's smallest normal number, is refused: for all logits but
    float64 ones torch would round it, at last to 0.

    Args:
        logits: shape `(..., V)`, any real numbers or −inf.
        T: the temperature, in the unit of the logits; a number, or a tensor of shape `()`.
        dim: the class dimension.

    Returns:
        Probabilities, in the shape and dtype of the logits.

    Raises:
        TypeError: the logits are not a floating-point tensor, or T is not a number.
        ValueError: T is too small, negative, infinite or nan, or there are no classes.
        IndexError: the logits have no dimension `dim`.

    Examples:
        >>> import torch
        >>> from softmax_ce import softmax_temperature
        >>> softmax_temperature(torch.tensor([10.0, 9.0], dtype=torch.float16), T=1e-4)
        tensor([1., 0.], dtype=torch.float16)
    """
    if not 2**-126 <= T < math.inf:
        raise ValueError(
            f"T must be at least 2**-126 and finite; got {T}. As T goes to 0, "
            "softmax goes to an equal share for each of the largest logits."
        )
    shifted = (logits - logits.amax(dim, keepdim=True)) / T
    exps = shifted.exp()
    return exps / exps.sum(dim, keepdim=True)


@takes_logits
def entropy(logits: Tensor, dim: int = -1) -> Tensor:
    r"""The entropy of the softmax of the logits: how spread out the prediction is.

    $$H(p) = -\sum_i p_i \log p_i$$

    A class of probability 0 adds 0. The entropy lies between 0 and log V.

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
        >>> from softmax_ce import entropy
        >>> entropy(torch.zeros(4))
        tensor(1.3863)
    """
    log_probs = log_softmax(logits, dim)
    probs = log_probs.exp()
    return -(probs * log_probs.where(probs != 0, 0)).sum(dim)
