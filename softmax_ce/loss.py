"""The cross-entropy loss: the textbook composition, and the form to use.

The chapters: Cross-entropy; Accuracy.
"""

from typing import Any

import torch
from torch import Tensor

from softmax_ce._inputs import at_least_float32, takes_targets
from softmax_ce.gradient import cross_entropy_softmax_gradient
from softmax_ce.softmax import softmax_stable


@takes_targets
def cross_entropy_manual(logits: Tensor, targets: int | Tensor) -> Tensor:
    r"""Minus the logarithm of the probability that softmax gives the target.

    $$\mathcal{L} = -\log p_y$$

    The textbook composition, kept to show where it dies: the loss is inf once the probability of
    the target underflows to 0, and its gradient is nan long before. Use `cross_entropy`.

    Args:
        logits: shape `(..., V)`, the classes last.
        targets: class indices of shape `(...)`, or an int for a single row.

    Returns:
        One loss for each example, shape `(...)`, in nats.

    Raises:
        TypeError: the logits are not a floating-point tensor, or the targets not integers.
        ValueError: the shapes do not fit, or there are no classes.
        IndexError: a target is not a class index.

    Examples:
        >>> import torch
        >>> from softmax_ce import cross_entropy_manual
        >>> cross_entropy_manual(torch.tensor([2.0, 1.0, 0.1]), 0)
        tensor(0.4170)
    """
    probs = softmax_stable(logits)
    return -probs.gather(-1, targets.unsqueeze(-1)).squeeze(-1).log()


@takes_targets
@at_least_float32
def cross_entropy(
    logits: Tensor, targets: int | Tensor, *, reduction: str = "mean", ignore_index: int = -100
) -> Tensor:
    r"""The cross-entropy of softmax, exact to a few roundings and those of the logits' gaps.

    $$\begin{aligned}
    m &= \operatorname{LSE}_{j \ne y}(z_j) - z_y \\
    \mathcal{L} &= \operatorname{softplus}(m) \\
    \frac{\partial \mathcal{L}}{\partial z_y} &= -\sigma(m)
    \end{aligned}$$

    $m$ is the log-odds of "not $y$". Where the logits do not subtract exactly, the relative error
    may be larger by about $|m|$ times half an eps. Float16 and bfloat16 logits are computed in
    float32 and the loss is returned in their dtype, as `F.cross_entropy` does. Works under
    `torch.func`, except that forward mode within forward mode (`jacfwd` of `jacfwd`) gives 0: for
    second derivatives use `torch.func.hessian`.

    Args:
        logits: shape `(..., V)`, the classes last; −inf masks a class.
        targets: class indices of shape `(...)`, or an int for a single row.
        reduction: `"mean"` over the counted examples, `"sum"`, or `"none"` for one loss each.
        ignore_index: targets of this value are not counted.

    Returns:
        The loss in nats: a scalar, or shape `(...)` for `"none"`. A masked target gives inf; the
        mean of no counted example is nan, their sum 0.

    Raises:
        TypeError: the logits are not a floating-point tensor, or the targets not integers.
        ValueError: the shapes do not fit, there are no classes, or the reduction is unknown.
        IndexError: a target is not a class index.

    Examples:
        >>> import torch
        >>> from softmax_ce import cross_entropy
        >>> logits = torch.tensor([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3]])
        >>> cross_entropy(logits, torch.tensor([0, 1]))
        tensor(0.3185)
    """
    losses: Tensor
    losses, *_ = _ThirdForm.apply(logits, targets, ignore_index)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    count = (targets != ignore_index).sum()
    return (losses.sum() / count.clamp(min=1)).where(count > 0, torch.nan)


class _ThirdForm(torch.autograd.Function):
    """One loss for each row. One buffer of the logits' size serves both directions.

    Beside the losses stand `numerators` and `total`, whose quotient is dlogits.
    """

    @staticmethod
    def forward(
        logits: Tensor, targets: Tensor, ignore_index: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        counted = (targets != ignore_index).unsqueeze(-1)
        index = targets.unsqueeze(-1).where(counted, 0)

        top = logits.amax(-1, keepdim=True)
        exps = (logits - top).exp_().scatter_(-1, index, 0)
        others = exps.sum(-1, keepdim=True)
        gap = top - logits.gather(-1, index)
        total = others + torch.exp(-gap)

        # e^m is others * e^gap. log1p keeps the digits of a small loss, where total rounds to 1.
        losses = torch.where(gap == 0, others.log1p(), gap + total.log())
        numerators = exps.scatter_(-1, index, -others)
        if not counted.all():  # an ignored row: loss 0, gradient 0, even where its logits are nan
            losses, total = losses.where(counted, 0), total.where(counted, 1)
            numerators.masked_fill_(~counted, 0)
        return losses.squeeze(-1), numerators, total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        logits, targets, ctx.ignored = inputs
        _, *ctx.quotient = output
        ctx.mark_non_differentiable(*ctx.quotient)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(logits, targets)
        ctx.save_for_forward(logits, targets)

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, *_: Any) -> tuple[Tensor | None, None, None]:
        if grad is None:
            return None, None, None
        grad = grad.unsqueeze(-1)
        if torch.is_grad_enabled():  # a second derivative is wanted: dlogits as a function again
            return grad * _dlogits(ctx), None, None
        logits, targets = ctx.saved_tensors
        numerators, total = ctx.quotient or _ThirdForm.forward(logits, targets, ctx.ignored)[1:]
        ctx.quotient = None  # spent: a second call computes it anew
        try:
            return numerators.mul_(grad / total), None, None
        except RuntimeError:  # a batch of grads does not fit into the one buffer
            return numerators * (grad / total), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: Any) -> tuple[Tensor, None, None]:
        return (_dlogits(ctx) * tangent).sum(-1), None, None

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], logits: Tensor, targets: Tensor, ignored: int
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        logits, targets = (
            x.expand(info.batch_size, *x.shape) if dim is None else x.movedim(dim, 0)
            for x, dim in zip((logits, targets), in_dims, strict=False)
        )
        losses_and_quotient: tuple[Tensor, ...] = _ThirdForm.apply(logits, targets, ignored)
        return losses_and_quotient, (0, 0, 0)


def _dlogits(ctx: Any) -> Tensor:
    logits, targets = ctx.saved_tensors
    return cross_entropy_softmax_gradient(
        logits, targets, reduction="none", ignore_index=ctx.ignored
    )
