"""What importing the package costs, and what calling it leaves as it was."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import softmax_ce

TAKES_TARGETS = {"cross_entropy", "cross_entropy_manual", "cross_entropy_softmax_gradient"}


def test_importing_it_imports_nothing_before_a_function_is_asked_for() -> None:
    heavy = {
        "torch",
        "matplotlib",
        "mkdocs",
        "material",
        "pytest",
        "hypothesis",
        "ziamath",
        "math_core",
    }
    code = f"import sys, softmax_ce; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_it_lists_its_functions_and_has_no_others() -> None:
    assert set(softmax_ce.__all__) <= set(dir(softmax_ce))
    with pytest.raises(AttributeError, match="has no attribute 'softmax_fast'"):
        _ = softmax_ce.softmax_fast


def test_it_is_typed() -> None:
    assert (Path(softmax_ce.__file__).parent / "py.typed").is_file()
    for name in softmax_ce.__all__:
        signature = inspect.signature(getattr(softmax_ce, name))
        assert signature.return_annotation is Tensor
        assert all(p.annotation is not p.empty for p in signature.parameters.values())


def test_the_signatures_are_the_promised_ones() -> None:
    defaults = {
        name: {
            key: parameter.default
            for key, parameter in inspect.signature(getattr(softmax_ce, name)).parameters.items()
            if parameter.default is not parameter.empty
        }
        for name in softmax_ce.__all__
    }
    options = {"reduction": "mean", "ignore_index": -100}
    assert defaults == {
        "cross_entropy": options,
        "cross_entropy_manual": {},
        "cross_entropy_softmax_gradient": options,
        "entropy": {"dim": -1},
        "log_softmax": {"dim": -1},
        "logsumexp": {"dim": -1},
        "merge_logsumexp": {},
        "softmax_jacobian": {},
        "softmax_naive": {"dim": -1},
        "softmax_stable": {"dim": -1},
        "softmax_temperature": {"T": 1.0, "dim": -1},
    }


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("name", softmax_ce.__all__)
def test_no_function_changes_its_input_forward_or_backward(
    name: str, dtype: torch.dtype, requires_grad: bool, device: str
) -> None:
    function: Callable[..., Tensor] = getattr(softmax_ce, name)
    logits = torch.randn(3, 4, device=device).to(dtype).requires_grad_(requires_grad)
    targets = torch.tensor([0, 2, 3], device=device)
    arguments = (logits, targets) if name in TAKES_TARGETS else (logits,) * _logits_of(function)
    before = [argument.detach().clone() for argument in arguments]
    result = function(*arguments)
    if requires_grad:
        weights = torch.ones_like(result)
        torch.autograd.grad(result, logits, weights)
        assert torch.equal(weights, torch.ones_like(result))
    for argument, copy in zip(arguments, before, strict=True):
        assert torch.equal(argument, copy)


def _logits_of(function: Callable[..., Tensor]) -> int:
    """How many tensors it needs."""
    parameters = inspect.signature(function).parameters.values()
    return sum(parameter.default is parameter.empty for parameter in parameters)
