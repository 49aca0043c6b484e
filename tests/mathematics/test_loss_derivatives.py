"""The derivatives of the loss under every transform of torch: autograd, twice, batched, forward."""

import itertools
from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.func
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import functional, grad, gradcheck, gradgradcheck
from torch.func import hessian, jacfwd, jacrev, jvp, vmap
from torch.utils.checkpoint import checkpoint

from softmax_ce import cross_entropy, softmax_jacobian

F64 = torch.float64
N, V = 4, 5
# Forward mode announces in torch itself that torch is about to change.
forward_mode = pytest.mark.filterwarnings(
    "ignore:`torch.jit.script` is deprecated:DeprecationWarning"
)
# Logits below 5: two results, each a few dozen roundings of numbers of at most 1.
ATOL = 50 * torch.finfo(F64).eps


def close(got: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(got, expected, rtol=0, atol=ATOL)


@pytest.fixture
def logits() -> Tensor:
    return torch.rand(N, V, dtype=F64).mul_(5).requires_grad_()


@pytest.fixture
def targets() -> Tensor:
    return torch.randint(V, (N,))


def oracle(logits: Tensor, targets: Tensor) -> Tensor:
    """The gradient by torch's own loss."""
    copy = logits.detach().clone().requires_grad_()
    return grad(F.cross_entropy(copy, targets), copy)[0]


@forward_mode
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("ignore_index", [-100, 1])
def test_gradcheck_and_gradgradcheck_pass_in_every_mode(
    logits: Tensor, reduction: str, ignore_index: int
) -> None:
    def loss(logits: Tensor) -> Tensor:
        targets = torch.tensor([0, 1, 4, 1])
        return cross_entropy(logits, targets, reduction=reduction, ignore_index=ignore_index)

    assert gradcheck(
        loss,
        logits,
        check_forward_ad=True,
        check_batched_grad=True,
        check_batched_forward_grad=True,
    )
    assert gradgradcheck(loss, logits, check_fwd_over_rev=True, check_batched_grad=True)


@forward_mode
@pytest.mark.parametrize(
    "second_derivative",
    [
        lambda f: partial(functional.hessian, f),
        lambda f: partial(functional.hessian, f, vectorize=True),
        hessian,
        lambda f: jacrev(jacrev(f)),
        lambda f: jacfwd(jacrev(f)),
        lambda f: jacrev(jacfwd(f)),
    ],
)
def test_the_second_derivative_is_the_jacobian_of_softmax(
    logits: Tensor, second_derivative: Callable[..., Callable[[Tensor], Tensor]]
) -> None:
    z = logits[0].detach()
    for y in range(V):
        got = second_derivative(lambda z, y=y: cross_entropy(z, y))(z)
        close(got, softmax_jacobian(z))


# torch.func


@forward_mode
@pytest.mark.parametrize("transform", [torch.func.grad, jacrev, jacfwd])
def test_each_transform_gives_the_gradient(
    logits: Tensor, targets: Tensor, transform: Callable[..., Callable[..., Tensor]]
) -> None:
    close(transform(cross_entropy)(logits.detach(), targets), oracle(logits, targets))


def test_vmap_gives_each_loss(logits: Tensor, targets: Tensor) -> None:
    expected = F.cross_entropy(logits, targets, reduction="none")
    close(vmap(cross_entropy)(logits, targets), expected)
    close(vmap(cross_entropy, in_dims=(1, 0))(logits.T, targets), expected)


def test_vmap_over_one_argument_shares_the_other(logits: Tensor, targets: Tensor) -> None:
    every_class = torch.arange(V)
    close(
        vmap(cross_entropy, in_dims=(None, 0))(logits[0], every_class),
        -F.log_softmax(logits[0], -1),
    )
    close(
        vmap(cross_entropy, in_dims=(0, None))(logits, targets[0]),
        -F.log_softmax(logits, -1)[:, targets[0]],
    )
    close(vmap(lambda z: cross_entropy(z, 2))(logits), -F.log_softmax(logits, -1)[:, 2])


def test_vmaps_nest(logits: Tensor) -> None:
    table = vmap(vmap(cross_entropy, in_dims=(None, 0)), in_dims=(0, None))(logits, torch.arange(V))
    close(table, -F.log_softmax(logits, -1))


def test_vmap_of_grad_gives_per_example_gradients(logits: Tensor, targets: Tensor) -> None:
    expected = N * oracle(logits, targets)
    close(vmap(torch.func.grad(cross_entropy))(logits.detach(), targets), expected)


def test_vmap_keeps_ignored_rows_at_zero(logits: Tensor) -> None:
    targets = torch.tensor([0, -100, 4, -100])
    losses = vmap(lambda z, y: cross_entropy(z, y, reduction="sum"))(logits, targets)
    close(losses, F.cross_entropy(logits, targets, reduction="none"))


def test_vmap_refuses_a_target_out_of_range(logits: Tensor) -> None:
    with pytest.raises(IndexError, match=r"got 5 at index 2\."):
        vmap(cross_entropy)(logits, torch.tensor([0, 1, V, 3]))


@forward_mode
def test_jvp_is_the_gradient_along_the_tangent(logits: Tensor, targets: Tensor) -> None:
    tangent = torch.rand(N, V, dtype=F64)
    pair = jvp(lambda z: cross_entropy(z, targets), (logits.detach(),), (tangent,))
    close(pair[1], (oracle(logits, targets) * tangent).sum())


# One graph, several backward passes: a buffer that is spent must be made again


@pytest.mark.parametrize("passes", list(itertools.product([False, True], repeat=3)))
def test_every_backward_pass_over_one_graph_is_right(
    logits: Tensor, targets: Tensor, passes: tuple[bool, ...]
) -> None:
    loss, expected = cross_entropy(logits, targets), oracle(logits, targets)
    gradients = [
        grad(loss, logits, retain_graph=True, create_graph=differentiable)[0]
        for differentiable in passes
    ]
    for gradient, differentiable in zip(gradients, passes, strict=True):
        close(gradient, expected)
        assert gradient.requires_grad is differentiable
        if differentiable:
            direction = torch.rand(N, V, dtype=F64)
            (product,) = grad(gradient, logits, direction, retain_graph=True)
            rows = softmax_jacobian(logits.detach()) @ direction.unsqueeze(-1) / N
            close(product, rows.squeeze(-1))


def test_two_plain_backward_passes_agree_to_the_bit(logits: Tensor, targets: Tensor) -> None:
    loss = cross_entropy(logits, targets)
    (first,) = grad(loss, logits, retain_graph=True)
    kept = first.clone()
    (second,) = grad(loss, logits)
    assert torch.equal(first, second)
    assert torch.equal(first, kept)


def test_batched_gradients_keep_their_rows_apart(logits: Tensor, targets: Tensor) -> None:
    losses = cross_entropy(logits, targets, reduction="none")
    each = torch.eye(N, dtype=F64)
    for _ in range(2):
        (jacobian,) = grad(losses, logits, each, retain_graph=True, is_grads_batched=True)
        expected = N * oracle(logits, targets)
        close(jacobian, each[:, :, None] * expected)


def test_two_losses_from_the_same_logits_add_their_gradients(logits: Tensor) -> None:
    y, other = torch.tensor([0, 1, 2, 3]), torch.tensor([4, 3, 1, 1])
    both = cross_entropy(logits, y) + 2 * cross_entropy(logits, other)
    close(grad(both, logits)[0], oracle(logits, y) + 2 * oracle(logits, other))


def test_gradients_accumulate_and_an_incoming_weight_multiplies(
    logits: Tensor, targets: Tensor
) -> None:
    for _ in range(2):
        torch.autograd.backward(-3 * cross_entropy(logits, targets))
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, -6 * oracle(logits, targets), rtol=0, atol=6 * ATOL)


def test_a_changed_input_is_refused_and_changed_targets_change_nothing(
    logits: Tensor, targets: Tensor
) -> None:
    z, y = logits + 0, targets.clone()
    loss = cross_entropy(z, y)
    y.zero_()
    close(grad(loss, z, retain_graph=True)[0], oracle(logits, targets))
    z.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        grad(loss, z)


@pytest.mark.parametrize(
    "view",
    [
        lambda z: z.T.contiguous().T,
        lambda z: z[:1].expand(N, V),
        lambda z: z[:, :1].expand(N, V),
        lambda z: torch.stack([z, z], -1)[..., 0],
        lambda z: z[::2].repeat_interleave(2, 0),
        lambda z: z.flip(0),
    ],
)
def test_the_layout_of_the_logits_does_not_matter(
    logits: Tensor, targets: Tensor, view: Callable[[Tensor], Tensor]
) -> None:
    (got,) = grad(cross_entropy(view(logits), targets), logits)
    (expected,) = grad(F.cross_entropy(view(logits), targets), logits)
    close(got, expected)


def test_the_layout_of_the_targets_does_not_matter(logits: Tensor) -> None:
    for targets in (torch.tensor(2).expand(N), torch.arange(2 * N)[::2] % V):
        close(cross_entropy(logits, targets), F.cross_entropy(logits, targets))


def test_a_checkpointed_loss_has_the_same_gradient(logits: Tensor, targets: Tensor) -> None:
    loss = checkpoint(cross_entropy, logits, targets, use_reentrant=False)
    close(grad(loss, logits)[0], oracle(logits, targets))
