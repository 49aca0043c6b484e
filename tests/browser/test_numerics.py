"""The mathematics of the interactive pictures, in the browser: torch's, to the last digits.

A result is within 4 ulp of the truth, which mpmath computes from the definition with so many bits
that nothing cancels. The truth of what? Every form here, torch's too, rounds z − max z (and its
quotient by T) to float64 before anything else; an exponent of −700 is thereby off by up to 2^-44,
and its exponential by up to 512 ulp, in torch as in the browser. So the truth is that of the
rounded differences. torch itself cannot be the reference: its loss of [40, 0] is 0. It is the
reference of where nan and inf stand.

Rows have up to 8 classes: each sum rounds at most 7 times.
"""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import pytest
import torch
import torch.nn.functional as F
from mpmath import mp, mpf
from playwright.sync_api import Browser
from torch import Tensor, inf, nan

import softmax_ce

MODULE = Path(__file__).parents[2] / "docs/assets/explorables/numerics.js"
ADDRESS = "http://127.0.0.1/numerics.js"
F64 = torch.float64
TINY = 2.0**-1074
ULPS = 4
SHORT = ("float16", "bfloat16")
DTYPES = {name: getattr(torch, name) for name in (*SHORT, "float32", "float64")}
IN_TORCH: dict[str, Callable[[Tensor], Tensor]] = {
    "softmax_stable": lambda rows: rows.softmax(-1),
    "log_softmax": lambda rows: rows.log_softmax(-1),
    "logsumexp": lambda rows: rows.logsumexp(-1),
    "softmax_naive": softmax_ce.softmax_naive,
    "entropy": softmax_ce.entropy,
}

# Bits survive as hex. A row of numbers, and one more argument or more, for each call.
CALL = """async ([name, hex, width, rest]) => {
    const { [name]: called } = await import(location.href)
    const bytes = Uint8Array.from(hex.match(/../g), byte => parseInt(byte, 16))
    const numbers = new Float64Array(bytes.buffer)
    const results = []
    for (let i = 0; i * width < numbers.length; i++) {
        const row = width === 1 ? numbers[i] : numbers.subarray(i * width, (i + 1) * width)
        const result = called(row, ...(rest[i] ?? rest[0]))
        for (const number of Array.isArray(result) ? result : [result]) results.push(number)
    }
    const out = new Uint8Array(Float64Array.from(results).buffer)
    return Array.from(out, byte => byte.toString(16).padStart(2, "0")).join("")
}"""

Numerics = Callable[..., Tensor]


@pytest.fixture(scope="module")
def js(browser: Browser) -> Iterator[Numerics]:
    """Call a function of the module for each row, or for each number, in the browser."""
    page = browser.new_page()
    page.route(ADDRESS, lambda route: route.fulfill(path=MODULE, content_type="text/javascript"))
    page.goto(ADDRESS)

    def js(name: str, rows: Tensor, rest: list[Any] | None = None) -> Tensor:
        assert rows.dtype == F64
        width = rows.shape[1] if rows.ndim == 2 else 1
        hexed = rows.contiguous().numpy().tobytes().hex()
        out = bytes.fromhex(page.evaluate(CALL, [name, hexed, width, rest or [[]]]))
        results = torch.frombuffer(bytearray(out), dtype=F64)
        return results.view(rows.shape) if results.numel() == rows.numel() else results

    yield js
    page.close()


# Inputs


def finite_rows(V: int) -> Tensor:
    """Some 1,500 rows of V logits, of which one at least is not −inf."""
    random = torch.Generator().manual_seed(V)

    def normal(N: int, *scales: float) -> Tensor:
        each = torch.tensor(scales, dtype=F64).repeat_interleave(N).unsqueeze(1)
        return each * torch.randn(N * len(scales), V, generator=random, dtype=F64)

    spread = normal(120, 1e-9, 1e-3, 1, 10, 100, 300, 1e4)
    ties = normal(150, 1, 20).round()
    huge = 1e4 * torch.randint(-1, 2, (100, V), generator=random).to(F64)
    masked = normal(100, 1, 100)
    drawn = torch.rand(masked.shape, generator=random) < 0.4
    drawn.scatter_(1, torch.randint(V, (len(masked), 1), generator=random), False)
    masked[drawn] = -inf
    # One logit by far the largest: the loss, and the entropy, from e^-1 down to the underflow.
    lone = torch.linspace(-760, -1, 200, dtype=F64).unsqueeze(1) + normal(200, 1e-2)
    lone[:, 0] = 0
    # Terms that a sum of 1 absorbs: each is a little less than half an ulp of 1.
    absorbed = torch.full((1, V), math.log(0.9 * 2.0**-53), dtype=F64)
    absorbed[:, 0] = 0
    return torch.cat([spread, ties, huge, masked, lone, absorbed, absorbed.flip(1)])


def odd_rows(V: int) -> Tensor:
    """All rows of V logits that are −inf, −1e4, 0, 1e4, inf or nan."""
    kinds = torch.tensor([-inf, -1e4, 0, 1e4, inf, nan], dtype=F64)
    return torch.cartesian_prod(*[kinds] * V).view(-1, V)


ROWS = {V: finite_rows(V) for V in range(2, 9)}


def drawn_targets(rows: Tensor) -> Tensor:
    random = torch.Generator().manual_seed(1)
    lone = rows.argmax(1)
    other = torch.randint(rows.shape[1], (len(rows),), generator=random)
    return lone.where(torch.rand(len(rows), generator=random) < 0.5, other)


def drawn_temperatures(rows: Tensor) -> Tensor:
    random = torch.Generator().manual_seed(2)
    T = 10 ** (12 * torch.rand(len(rows), generator=random, dtype=F64) - 6)
    T[:40] = torch.tensor([1e-6, 1e-2, 1, 1e6], dtype=F64).repeat(10)
    return T


def test_there_are_ten_thousand_rows() -> None:
    assert sum(map(len, ROWS.values())) >= 10_000


# The truth


class Truth:
    """A row's softmax and what follows from it, by the definitions, given the differences."""

    def __init__(self, shifted: list[float]) -> None:
        # 1 - p is to keep its digits down to 2^-1074; below, it is 0 in float64.
        deepest = max(-s for s in shifted if s > -800)
        with mp.workprec(120 + int(deepest / math.log(2))):
            exps = [mpmath.exp(s) for s in shifted]
            total = mpmath.fsum(exps)
            self.log_total = mpmath.log(total)
            self.probs = [e / total for e in exps]
            self.log_probs = [mpf(s) - self.log_total for s in shifted]
            self.minus_one = [p - 1 for p in self.probs]
            pairs = zip(self.probs, self.log_probs, strict=True)
            self.entropy = -mpmath.fsum(p * log_p for p, log_p in pairs if p)

    def variance(self, row: list[float]) -> mpf:
        with mp.workprec(120):
            pairs = list(zip(self.probs, row, strict=True))
            mean = mpmath.fsum(p * z for p, z in pairs)
            return mpmath.fsum(p * (z - mean) ** 2 for p, z in pairs)

    def gradient(self, y: int) -> list[mpf]:
        return [*self.probs[:y], self.minus_one[y], *self.probs[y + 1 :]]


class Distance:
    """The largest distance from the truth, in ulps of it, and the input that it belongs to."""

    def __init__(self, name: str, ulps: float = ULPS) -> None:
        self.name, self.ulps, self.largest, self.where = name, ulps, 0.0, ""

    def add(self, got: list[float], truth: list[mpf], *called: Any, floor: float = 0) -> None:
        """Take one result, whose errors below `floor` are none."""
        for i, (number, exact) in enumerate(zip(got, truth, strict=True)):
            nearest = float(exact)
            if number == nearest:
                continue
            ulps = inf
            if math.isfinite(number - nearest):
                # Two small differences: the first is exact, the second has what float64 has not.
                error = abs(mpf(number - nearest) - (exact - nearest))
                ulps = float(max(error - floor, 0) / math.ulp(nearest))
            if ulps > self.largest:
                self.largest = ulps
                arguments = ", ".join(map(repr, called))
                self.where = f"{self.name}({arguments})[{i}] is {number!r}, not {nearest!r}"

    def check(self) -> None:
        print(f"{self.name}: at most {self.largest:.2f} ulp, {self.where}")  # shown by pytest -s
        assert self.largest <= self.ulps, f"{self.largest:.1f} ulp: {self.where}"


@pytest.fixture(scope="module")
def truths() -> dict[int, list[Truth]]:
    return {V: [Truth(s) for s in differences(rows).tolist()] for V, rows in ROWS.items()}


def differences(rows: Tensor) -> Tensor:
    return rows - rows.amax(1, keepdim=True)


# Within 4 ulp of it


@pytest.mark.parametrize("name", ["softmax_stable", "log_softmax", "entropy"])
def test_what_needs_no_target_is_within_4_ulp(
    name: str, js: Numerics, truths: dict[int, list[Truth]]
) -> None:
    distance = Distance(name)
    for V, rows in ROWS.items():
        results = js(name, rows).view(len(rows), -1).tolist()
        for row, truth, got in zip(rows.tolist(), truths[V], results, strict=True):
            if name == "entropy":
                # A p below 2^-1022 has its digits no more, and is multiplied by up to 746.
                distance.add(got, [truth.entropy], row, floor=V * 746 * TINY)
            else:
                exact = truth.probs if name == "softmax_stable" else truth.log_probs
                distance.add(got, exact, row)
    distance.check()


def test_the_loss_and_its_gradient_are_within_4_ulp(
    js: Numerics, truths: dict[int, list[Truth]]
) -> None:
    loss, gradient = Distance("cross_entropy"), Distance("cross_entropy_softmax_gradient")
    for V, rows in ROWS.items():
        targets = drawn_targets(rows).tolist()
        calls = [[y] for y in targets]
        losses = js(loss.name, rows, calls).tolist()
        gradients = js(gradient.name, rows, calls).tolist()
        for i, (row, y) in enumerate(zip(rows.tolist(), targets, strict=True)):
            loss.add([losses[i]], [-truths[V][i].log_probs[y]], row, y)
            gradient.add(gradients[i], truths[V][i].gradient(y), row, y)
    loss.check()
    gradient.check()


def test_a_step_and_the_threshold_of_risers_are_within_8_ulp_of_their_larger_term(
    js: Numerics, truths: dict[int, list[Truth]]
) -> None:
    # z and eta g, or p_y (1 − p_y) and the other p², may cancel; two factors are within 4 ulp each.
    for V in (2, 3, 8):
        finite = ROWS[V].isfinite().all(1)
        rows, targets = ROWS[V][finite], drawn_targets(ROWS[V])[finite].tolist()
        etas = [10 ** (i % 7 - 3) for i in range(len(rows))]
        steps = js("gradient_step", rows, list(map(list, zip(targets, etas, strict=True)))).tolist()
        thresholds = js("riser_threshold", rows, [[y] for y in targets]).tolist()
        kept = [truth for truth, is_finite in zip(truths[V], finite, strict=True) if is_finite]
        inputs = zip(rows.tolist(), targets, etas, kept, steps, thresholds, strict=True)
        for row, y, eta, truth, step, threshold in inputs:
            with mp.workprec(120):
                g = truth.gradient(y)
                for z, slope, got in zip(row, g, step, strict=True):
                    larger = max(abs(z), abs(float(eta * slope)))
                    error = abs(mpf(got) - (z - eta * slope))
                    bound = 2 * ULPS * math.ulp(larger) + eta * TINY  # of a g below 2^-1022
                    assert error <= bound, f"a step of {row}, {y}, {eta}"
                terms = [p * slope for p, slope in zip(truth.probs, g, strict=True)]
                larger = max(abs(float(terms[y])), float(mpmath.fsum(map(abs, terms)) / 2))
                error = abs(mpf(threshold) - mpmath.fsum(terms))
                assert error <= 2 * ULPS * math.ulp(larger), f"riser_threshold({row}, {y})"


def test_softmax_at_temperatures_from_1e_minus_6_to_1e6_is_within_4_ulp(js: Numerics) -> None:
    distance = Distance("softmax_temperature")
    for V in (2, 3, 8):
        rows = ROWS[V]
        T = drawn_temperatures(rows)
        results = js(distance.name, rows, [[t] for t in T.tolist()]).tolist()
        quotients = (differences(rows) / T.unsqueeze(1)).tolist()
        for row, t, q, got in zip(rows.tolist(), T.tolist(), quotients, results, strict=True):
            distance.add(got, Truth(q).probs, row, t)
    distance.check()


def test_the_variance_and_the_slope_of_the_entropy_are_within_8_ulp(js: Numerics) -> None:
    # Two probabilities are multiplied, each within 4 ulp; the rest is little beside them.
    slope, variance = Distance("entropy_slope", ulps=8), Distance("variance", ulps=8)
    for V in (2, 3, 8):
        rows = ROWS[V][ROWS[V].isfinite().all(1)]  # of −inf the variance is nan, in torch too
        T = drawn_temperatures(rows)
        calls = [[t] for t in T.tolist()]
        results = zip(js(variance.name, rows, calls), js(slope.name, rows, calls), strict=True)
        quotients = (differences(rows) / T.unsqueeze(1)).tolist()
        inputs = zip(rows.tolist(), T.tolist(), quotients, results, strict=True)
        for row, t, q, (of_logits, of_entropy) in inputs:
            exact = Truth(q).variance(row)
            # What is below 2^-1022, a p or a term of a pair, has its digits no more.
            floor = V**2 * (1 + (max(row) - min(row)) ** 2) * TINY
            variance.add([of_logits.item()], [exact], row, t, floor=floor)
            with mp.workprec(120):
                exact /= mpf(t) ** 3
            slope.add([of_entropy.item()], [exact], row, t, floor=floor / t**3)
    variance.check()
    slope.check()


def test_logsumexp_is_within_4_ulp_of_its_larger_term(
    js: Numerics, truths: dict[int, list[Truth]]
) -> None:
    # The top and the logarithm of the sum may cancel: LSE(-log 2, -log 2) is 0.
    for V, rows in ROWS.items():
        tops = rows.amax(1).tolist()
        results = js("logsumexp", rows).tolist()
        for row, top, truth, got in zip(rows.tolist(), tops, truths[V], results, strict=True):
            larger = max(abs(top), float(truth.log_total))
            with mp.workprec(120):
                error = abs(mpf(got) - top - truth.log_total)
            assert error <= ULPS * math.ulp(larger), f"logsumexp({row}) is {got!r}"


def test_naive_softmax_is_within_4_ulp_while_exponentials_are_normal_numbers(js: Numerics) -> None:
    distance = Distance("softmax_naive")
    for rows in (ROWS[2], ROWS[8]):
        rows = rows[(rows.abs() < 700).all(1)]
        for row, got in zip(rows.tolist(), js(distance.name, rows).tolist(), strict=True):
            with mp.workprec(120):
                exps = [mpmath.exp(z) for z in row]
                truth = [e / mpmath.fsum(exps) for e in exps]
            distance.add(got, truth, row)
    distance.check()


def test_the_textbook_loss_is_minus_the_logarithm_of_p(js: Numerics) -> None:
    distance = Distance("cross_entropy_manual")
    for rows in (ROWS[2], ROWS[8]):
        targets = drawn_targets(rows)
        probs = js("softmax_stable", rows).gather(1, targets.unsqueeze(1)).squeeze(1).tolist()
        results = js(distance.name, rows, [[y] for y in targets.tolist()]).tolist()
        for row, y, p, got in zip(rows.tolist(), targets.tolist(), probs, results, strict=True):
            with mp.workprec(120):
                distance.add([got], [-mpmath.log(p)], row, y)
    distance.check()


def test_torch_is_no_reference_where_digits_cancel(js: Numerics) -> None:
    logits, y = torch.tensor([[40.0, 0.0]], dtype=F64), torch.tensor([0])
    assert F.cross_entropy(logits, y) == F.log_softmax(logits, -1)[0, 0] == 0
    assert softmax_ce.entropy(logits) < 0.99 * js("entropy", logits)
    ours = softmax_ce.cross_entropy(logits, y).item()
    got = js("cross_entropy", logits, [[0]]).item()
    assert math.isclose(got, ours, rel_tol=ULPS * torch.finfo(F64).eps)


def test_a_certain_prediction_has_a_loss_and_an_entropy_of_0_not_minus_0(js: Numerics) -> None:
    for row in ([0.0, -1e4], [0.0, -inf]):
        logits = torch.tensor([row], dtype=F64)
        for name, rest in (("cross_entropy", [[0]]), ("entropy", [[]])):
            assert math.copysign(1, js(name, logits, rest).item()) == 1, f"{name}({row}) is -0"


# nan and inf where torch has them


@pytest.mark.parametrize("V", range(2, 9))
def test_nan_and_inf_stand_where_torch_has_them(V: int, js: Numerics) -> None:
    rows = torch.cat([ROWS[V], odd_rows(V)]) if V < 5 else ROWS[V]
    shown = rows.tolist()
    for name in ("softmax_stable", "log_softmax", "logsumexp", "softmax_naive", "entropy"):
        same_kind(name, shown, js(name, rows), IN_TORCH[name](rows))

    T = drawn_temperatures(rows)
    called, rest = list(zip(shown, T.tolist(), strict=True)), [[t] for t in T.tolist()]
    expected = (differences(rows) / T.unsqueeze(1)).softmax(-1)
    same_kind("softmax_temperature", called, js("softmax_temperature", rows, rest), expected)

    for y in (0, V - 1):
        called = [(row, y) for row in shown]
        logits, targets = rows.clone().requires_grad_(), torch.full((len(rows),), y)
        losses = F.cross_entropy(logits, targets, reduction="none")
        expected_of = {
            "cross_entropy": losses.detach(),
            "cross_entropy_manual": softmax_ce.cross_entropy_manual(rows, targets),
            "cross_entropy_softmax_gradient": torch.autograd.grad(losses.sum(), logits)[0],
        }
        for name, of_torch in expected_of.items():
            same_kind(name, called, js(name, rows, [[y]]), of_torch)


def same_kind(
    name: str, called: list[Any], got: Tensor, expected: Tensor, zeros: bool = False
) -> None:
    """Both are nan, or inf, or −inf, or finite, in each place; and 0, if zeros count."""
    same = (got.isnan() & expected.isnan()) | (got == expected)
    same |= got.isfinite() & expected.isfinite() & (not zeros or (got != 0) & (expected != 0))
    for i in (~same).view(len(called), -1).any(1).nonzero().flatten().tolist():
        pytest.fail(f"{name}{called[i]} is {got[i].tolist()}, but {expected[i].tolist()} in torch")


# Rounding


@pytest.mark.parametrize("dtype", SHORT)
def test_numbers_of_16_bits_their_midpoints_and_both_sides_of_these(
    dtype: str, js: Numerics
) -> None:
    every = torch.arange(-(2**15), 2**15).to(torch.int16).view(DTYPES[dtype]).to(F64)
    same_bits(dtype, every, js("round", every, [[dtype]]), every)

    upward = every[every.isfinite()].sort().values  # −0 and 0 have the midpoint 0
    low, high = upward[:-1], upward[1:]
    middle = (low + high) / 2
    for numbers, expected in (
        (middle.nextafter(low), low),
        (middle, middle.to(DTYPES[dtype]).to(F64)),  # which float32 holds: rounded once
        (middle.nextafter(high), high),
    ):
        got = js("round", numbers, [[dtype]])
        same_bits(dtype, numbers, got, expected.abs().copysign(numbers))  # a −0 is a −0


@pytest.mark.parametrize("dtype", DTYPES)
def test_doubles_of_every_size_are_rounded_once(dtype: str, js: Numerics) -> None:
    numbers = doubles()
    if dtype in SHORT:
        exact = [rounded(number, dtype) for number in numbers.tolist()]
        expected = torch.tensor(exact, dtype=F64)
    else:
        expected = numbers.to(DTYPES[dtype]).to(F64)
    same_bits(dtype, numbers, js("round", numbers, [[dtype]]), expected)


@pytest.mark.parametrize("dtype", SHORT)
def test_torch_rounds_a_double_to_16_bits_twice_but_a_float32_once(
    dtype: str, js: Numerics
) -> None:
    # Just above a midpoint: float32 has the midpoint for it, which then goes to the even side.
    eps = torch.finfo(DTYPES[dtype]).eps
    number = torch.tensor([1 + eps / 2 + 2.0**-40], dtype=F64)
    assert number.to(DTYPES[dtype]) == 1
    assert js("round", number, [[dtype]]) == rounded(number.item(), dtype) == 1 + eps
    singles = doubles().float()
    expected = singles.to(DTYPES[dtype]).to(F64)
    same_bits(dtype, singles, js("round", singles.to(F64), [[dtype]]), expected)


def doubles() -> Tensor:
    """Of every size, more of them in the range of 16 bits; ties of float32; ends and specials."""
    random = torch.Generator().manual_seed(3)
    ranges = [(-1074, 1023), (-152, -120), (-28, 18)]
    size = torch.cat([torch.linspace(*ends, 3000, dtype=F64) for ends in ranges])
    drawn = torch.randn(len(size), generator=random, dtype=F64) * 2**size
    singles = drawn.float()
    ties = (singles.to(F64) + singles.nextafter(torch.tensor(0.0)).to(F64)) / 2
    special = [0.0, inf, nan, 2.0**-1074]
    for info in map(torch.finfo, DTYPES.values()):
        for end in (info.max, info.max * (1 + info.eps / 4), info.smallest_normal):
            special += [end, math.nextafter(end, 0), math.nextafter(end, inf)]
    ends = torch.tensor(special, dtype=F64)
    return torch.cat([drawn, ties, ends, -ends])


def rounded(number: Fraction | float, dtype: str) -> float:
    """To nearest, ties to even, in exact arithmetic."""
    if isinstance(number, float) and not math.isfinite(number):
        return number
    info = torch.finfo(DTYPES[dtype])
    size, eps = abs(Fraction(number)), Fraction(info.eps)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    spacing = max(Fraction(2) ** (exponent - 1), Fraction(info.smallest_normal)) * eps
    if size >= 2 / eps * spacing:
        spacing *= 2
    nearest = round(size / spacing) * spacing
    return math.copysign(nearest if nearest <= info.max else inf, number)


def same_bits(called: str, inputs: Tensor, got: Tensor, expected: Tensor) -> None:
    same = (got.view(torch.int64) == expected.view(torch.int64)) | (got.isnan() & expected.isnan())
    for i in (~same).view(len(inputs), -1).any(1).nonzero().flatten().tolist():
        numbers = inputs[i].tolist(), got[i].tolist(), expected[i].tolist()
        pytest.fail("{!r} in {} is {!r}, not {!r}".format(numbers[0], called, *numbers[1:]))


# The ruler: each form with every operation rounded


@pytest.mark.parametrize("dtype", [*SHORT, "float32"])
@pytest.mark.parametrize("form", ["softmax_naive", "softmax_stable", "log_softmax"])
def test_every_operation_of_a_form_is_rounded(form: str, dtype: str, js: Numerics) -> None:
    # Up to 8: float16 holds 5 times e^8.
    rows = 16 * torch.rand(200, 5, generator=torch.Generator().manual_seed(4), dtype=F64) - 8
    expected = torch.tensor([ruler(form, row, dtype) for row in rows.tolist()], dtype=F64)
    same_bits(f"{form} in {dtype}", rows, js(form, rows, [[dtype]]), expected)


def ruler(form: str, logits: list[float], dtype: str) -> list[float]:
    """What the form gives for one row, each operation exact and then rounded."""

    def to(number: Fraction | float | mpf) -> Fraction:
        if isinstance(number, mpf):
            number = Fraction(*mpmath.libmp.to_rational(number._mpf_))
        return Fraction(rounded(number, dtype))

    def exp(z: Fraction) -> Fraction:
        return to(mpmath.exp(mpf(z.numerator) / z.denominator))

    def total(terms: list[Fraction]) -> Fraction:
        sum_ = Fraction(0)
        for term in terms:
            sum_ = Fraction(rounded(sum_ + term, "float32"))
        return to(sum_)

    row = [to(z) for z in logits]
    if form != "softmax_naive":
        row = [to(z - max(row)) for z in row]
    exps = [exp(z) for z in row]
    sum_ = total(exps)
    if form == "log_softmax":
        log_total = to(mpmath.log(mpf(sum_.numerator) / sum_.denominator))
        return [float(to(z - log_total)) for z in row]
    return [float(to(e / sum_)) for e in exps]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_forms_overflow_at_the_logit_where_torch_does(dtype: str, js: Numerics) -> None:
    # Steps of 1/16 from below the end of exp to beyond it; all dtypes hold these but bfloat16.
    end = math.log(torch.finfo(DTYPES[dtype]).max)
    steps = torch.arange(-32, 33, dtype=F64) / 16 + round(end)
    z = steps.to(DTYPES[dtype])
    rows = torch.stack([z, torch.zeros_like(z)], 1)
    for form in ("softmax_naive", "softmax_stable", "log_softmax"):
        got, expected = js(form, rows.to(F64), [[dtype]]), getattr(softmax_ce, form)(rows)
        same_kind(f"{form} in {dtype}", rows.tolist(), got, expected)
    naive = js("softmax_naive", rows.to(F64), [[dtype]])
    assert naive.isnan().any()
    assert not naive.isnan().all()


# The ruler: what it shows is torch's, in each dtype. Rows have up to four classes, in 16 bits up to
# eight: longer ones torch adds in an order of the processor's, but 16 bits in float32.


def ends(dtype: torch.dtype) -> tuple[float, float, float]:
    """The logarithms of the largest number, of the smallest normal one and of half the smallest."""
    info = torch.finfo(dtype)
    least = math.log(info.smallest_normal * info.eps) - math.log(2)
    return math.log(info.max), math.log(info.smallest_normal), least


def ruled_rows(dtype: torch.dtype, V: int) -> Tensor:
    """Some 1,200 rows of every size, and close to where an exponential, a sum or a loss ends."""
    random = torch.Generator().manual_seed(V)
    top, normal, least = ends(dtype)
    eps = torch.finfo(dtype).eps
    drawn = [
        scale * torch.randn(60, V, generator=random, dtype=F64)
        for scale in (1e-2, 1, 5, top / 3, top, 2 * top)
    ]
    for end in (top, top - math.log(V), normal, least):
        level = end * (1 + eps / 2 * torch.arange(-20, 21, dtype=F64).unsqueeze(1))
        for spread in (0, 0.7, 5):
            drawn.append(level - spread * torch.rand(41, V, generator=random, dtype=F64))
    for gap in (math.log(2 / eps), -normal, -least):  # to one class from all others
        for spread in (0, 3):
            lead = gap + torch.linspace(-2, 2, 60, dtype=F64).unsqueeze(1)
            row = -lead - spread * torch.rand(60, V, generator=random, dtype=F64)
            row.scatter_(1, torch.randint(V, (60, 1), generator=random), 0)
            drawn.append(row + torch.randint(-3, 4, (60, 1), generator=random))
    return torch.cat(drawn).to(dtype)


RULED = {
    (name, V): ruled_rows(dtype, V)
    for name, dtype in DTYPES.items()
    for V in ((2, 3, 4, 8) if name in SHORT else (2, 3, 4))
}
ruled = pytest.mark.parametrize(("dtype", "V"), RULED)


def test_the_ruler_has_ten_thousand_rows_too() -> None:
    assert sum(map(len, RULED.values())) >= 10_000


def ulps(got: Tensor, expected: Tensor, least: float = 0.0) -> float:
    """How many ulps of its dtype `got` is from what is expected, of `least` where that is less."""
    info = torch.finfo(expected.dtype)
    exact = expected.to(F64)
    size = exact.abs().clamp(min=max(least, info.smallest_normal))
    far = (got - exact).abs() / (2 ** size.log2().floor() * info.eps)
    return far[got.isfinite() & exact.isfinite()].max().item()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_python_float_is_stored_as_torch_stores_it(dtype: str, js: Numerics) -> None:
    eps = torch.finfo(DTYPES[dtype]).eps
    twice = (1 + eps / 2 + 2.0**-40) * 2.0 ** torch.arange(-10, 11, dtype=F64)  # as above
    numbers = torch.cat([doubles(), twice, -twice])
    expected = torch.tensor(numbers.tolist(), dtype=DTYPES[dtype]).to(F64)
    same_bits(f"stored in {dtype}", numbers, js("stored", numbers, [[dtype]]), expected)


@pytest.mark.parametrize("dtype", SHORT)
def test_every_number_of_16_bits_has_torchs_exponential_to_an_ulp(dtype: str, js: Numerics) -> None:
    # torch rounds that of float32, which is rounded itself: once in a while it is the neighbour.
    every = torch.arange(-(2**15), 2**15).to(torch.int16).view(-1, 2).view(DTYPES[dtype])
    got, expected = js("exps", every.to(F64), [[dtype]]), every.exp()
    same_kind("exps", every.tolist(), got, expected.to(F64), zeros=True)
    assert ulps(got, expected) <= 1
    assert ((got != expected) & got.isfinite()).sum() <= 8


@ruled
def test_each_step_of_a_form_is_torchs_in_its_dtype(dtype: str, V: int, js: Numerics) -> None:
    """Each step of torch is taken from the numbers of the browser before it.

    An exponential is within 1 ulp: either is less than 1 off the truth. What follows is the same to
    the bit in 16 bits, where torch has float32 to compute in. Otherwise a sum is within 3 ulp, for
    either has rounded three times by half an ulp; a quotient and a logarithm within 1; and the gap
    minus the logarithm within 2, in ulps of 1 where it is less: so large may the logarithm be.
    """
    rows, exact = RULED[dtype, V], dtype in SHORT
    values = rows.to(F64)

    def call(name: str, *rest: Any, on: Tensor = values) -> Tensor:
        return js(name, on, [[*rest, dtype]])

    exps = call("exps")
    assert ulps(exps, rows.exp()) <= 1
    shifted = call("shift")
    assert torch.equal(shifted, (rows - rows.amax(1, keepdim=True)).to(F64))
    for name, terms in (("softmax_naive", exps), ("softmax_stable", call("exps", on=shifted))):
        sums = call("sum", on=terms)
        in_torch = terms.to(rows.dtype)
        assert ulps(sums, in_torch.sum(1)) <= (0 if exact else 3)
        quotient = in_torch / sums.to(rows.dtype).unsqueeze(1)
        probs = call(name)
        assert ulps(probs, quotient) <= (0 if exact else 1)
    log_probs = shifted.to(rows.dtype) - sums.to(rows.dtype).log().unsqueeze(1)
    assert ulps(call("log_softmax"), log_probs, least=1) <= (0 if exact else 2)
    for y in range(V):
        losses = -probs[:, y].to(rows.dtype).log()
        assert ulps(call("cross_entropy_manual", y), losses) <= (0 if exact else 1)


@ruled
def test_nan_inf_and_0_stand_where_torch_has_them_in_each_dtype(
    dtype: str, V: int, js: Numerics
) -> None:
    rows = RULED[dtype, V]
    values, shown = rows.to(F64), rows.tolist()
    same_kind("exps", shown, js("exps", values, [[dtype]]), rows.exp(), zeros=True)
    for form in ("softmax_naive", "softmax_stable", "log_softmax"):
        expected = getattr(softmax_ce, form)(rows)
        same_kind(form, shown, js(form, values, [[dtype]]), expected, zeros=True)
    for y in range(V):
        got = js("cross_entropy_manual", values, [[y, dtype]])
        expected = softmax_ce.cross_entropy_manual(rows, torch.full((len(rows),), y))
        same_kind("cross_entropy_manual", shown, got, expected, zeros=True)
