"""The derivatives of the loss in closed form: prediction minus truth, and its Jacobian.

The chapter: Gradient.
"""

import torch
from torch import Tensor

from softmax_ce._inputs import at_least_float32, takes_logits, takes_targets
from softmax_ce.softmax import softmax_stable


@takes_targets
@at_least_float32
def cross_entropy_softmax_gradient(
    logits: Tensor, targets: int | Tensor, *, reduction: str = "mean", ignore_index: int = -100
) -> Tensor:
    r"""The gradient of the cross-entropy with respect to the logits, without autograd.

    $$\frac{\partial \mathcal{L}}{\partial z_j} = p_j - \mathbb{1}[j = y]$$

    divided by the number of counted examples under `"mean"`. At the target $p_y - 1$ is computed as
    minus the sum of the other probabilities: the same number, without its cancellation.

    Args:
        logits: shape `(..., V)`, the classes last.
        targets: class indices of shape `(...)`, or an int for a single row.
        reduction: of the loss that is differentiated: `"mean"`, `"sum"` or `"none"`; the last two
            have the same gradient.
        ignore_index: rows with this target get gradient 0.

    Returns:
        dlogits, in the shape and dtype of the logits, in nats for each unit of logit.

    Raises:
        TypeError: the logits are not a floating-point tensor, or the targets not integers.
        ValueError: the shapes do not fit, there are no classes, or the reduction is unknown.
        IndexError: a target is not a class index.

    Examples:
        >>> import torch
        >>> from softmax_ce import cross_entropy_softmax_gradient
        >>> cross_entropy_softmax_gradient(torch.tensor([2.0, 1.0, 0.1]), 0)
        tensor([-0.3410,  0.2424,  0.0986])
    """
    counted = (targets != ignore_index).unsqueeze(-1)
    index = targets.unsqueeze(-1).where(counted, 0)
    others = softmax_stable(logits).scatter(-1, index, 0)
    dlogits = others.scatter(-1, index, -others.sum(-1, keepdim=True))
    dlogits = dlogits.where(counted, 0)
    if reduction == "mean":
        dlogits = dlogits / counted.sum().clamp(min=1)
    return dlogits


@takes_logits
def softmax_jacobian(logits: Tensor) -> Tensor:
    r"""The Jacobian of softmax, which is also the Hessian of the loss.

    $$\frac{\partial p_i}{\partial z_j} = p_i (\mathbb{1}[i = j] - p_j)$$

    as a matrix diag(p) − p pᵀ: symmetric, positive semidefinite, each row summing to 0.

    Args:
        logits: shape `(..., V)`, the classes last.

    Returns:
        Shape `(..., V, V)`.

    Raises:
        TypeError: the logits are not a floating-point tensor.
        ValueError: there are no classes.

    Examples:
        >>> import torch
        >>> from softmax_ce import softmax_jacobian
        >>> softmax_jacobian(torch.tensor([0.0, 0.0]))
        tensor([[ 0.2500, -0.2500],
                [-0.2500,  0.2500]])
    """
    probs = softmax_stable(logits)
    return torch.diag_embed(probs) - probs.unsqueeze(-1) * probs.unsqueeze(-2)
