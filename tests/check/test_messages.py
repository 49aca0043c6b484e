"""What a learner reads: a small input, both answers, an idea, and a place in the book."""

import re
import time
import unicodedata
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from softmax_ce import check
from softmax_ce.check import lessons, trial
from softmax_ce.check.idea import Lesson
from softmax_ce.check.ladder import LADDER
from softmax_ce.check.message import title
from softmax_ce.check.shrink import shrink, size

DOCS = Path(__file__).parents[2] / "docs"
LESSONS = {name: lesson for name, lesson in vars(lessons).items() if isinstance(lesson, Lesson)}
PLACES = {(lesson.page, lesson.heading, lesson.anchor) for lesson in LESSONS.values()} | {
    rung.place for rung in LADDER.values()
}


def naive(logits: Tensor) -> Tensor:
    exps = logits.exp()
    return exps / exps.sum()


def test_a_failure_shows_input_answers_idea_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    check.softmax_stable(naive)
    assert capsys.readouterr().out.splitlines() == [
        "softmax_stable: not right yet",
        "  softmax_stable(torch.tensor([100.0, 0.0]))",
        "  came      [nan, 0]",
        "  expected  [1, 3.78351e-44]",
        "  The exponential of a large logit is inf, and no error is raised: subtract the largest",
        "  logit first.",
        "  Read Stability, “Derivation: the shift changes nothing” "
        "(stability.md#derivation-the-shift-changes-nothing)",
    ]


def test_passing_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    check.softmax_stable(lambda logits: torch.softmax(logits, -1))
    assert re.fullmatch(r"softmax_stable: right, on \d+ inputs\n", capsys.readouterr().out)


def test_every_rung_has_a_public_function_that_prints(capsys: pytest.CaptureFixture[str]) -> None:
    for name in LADDER:
        getattr(check, name)(lambda *_: None)
        out = capsys.readouterr().out
        assert out.startswith(f"{name}: not right yet\n  {name}(")
        assert re.search(r"\n  came      (dlogprobs: )?None\n", out)
        assert "\n  It returns None: end it with `return` and the answer.\n" in out


def test_answers_that_look_alike_get_more_digits() -> None:
    text = check.verdict(
        "softmax_naive", lambda z: torch.softmax(z.float(), 0).to(z.dtype)
    ).text.splitlines()
    came, expected = (line.split("  ")[-1] for line in text[2:4])
    assert came != expected


def test_the_input_of_a_message_can_be_pasted_and_fails() -> None:
    def minus_the_mean(logits: Tensor) -> Tensor:
        return naive(logits - logits.mean())

    _, call, *_ = check.verdict("softmax_stable", minus_the_mean).text.splitlines()
    answer = eval(call, {"torch": torch, "softmax_stable": minus_the_mean})
    assert not answer.isfinite().all()


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (3, "A function is asked for; 3 is none"),
        (lambda: 0, "It raises TypeError."),
        (lambda z: z.tolist(), "A torch.Tensor is asked for; this is list"),
        (lambda z: z.softmax(0).numpy(), "this is ndarray of NumPy: torch.from_numpy(it) is a"),
        (lambda z: z.softmax(0)[None], "is asked for; (1, "),
        (lambda z: z.softmax(0).double(), "float32 came in and float64 came out"),
        (lambda z: 1 / 0, "It raises ZeroDivisionError, at `(lambda z: 1"),
        (lambda z: exit(), "It raises SystemExit"),
        (lambda z: NotImplemented, "A torch.Tensor is asked for; this is NotImplementedType"),
    ],
)
def test_other_accidents_are_told_as_kindly(function: object, says: str) -> None:
    text = check.verdict("softmax_naive", function).text  # type: ignore[arg-type]
    assert says in " ".join(text.split())


def test_a_loop_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SECONDS", 0.2)

    def forever(logits: Tensor) -> Tensor:
        while True:
            try:
                logits = logits + 1
            except Exception:
                continue

    start = time.monotonic()
    verdict = check.verdict("softmax_stable", forever)
    assert verdict.key == "too-long"
    assert "It does not end: no result after 0.2 seconds" in verdict.text
    assert time.monotonic() - start < 5


def test_the_limit_leaves_no_alarm_behind() -> None:
    with trial.limit(0.05):
        pass
    time.sleep(0.1)


def test_a_right_loop_over_numbers_passes_with_a_warning() -> None:
    def loop(logits: Tensor) -> Tensor:
        flat = logits.reshape(-1, logits.shape[-1])
        out = torch.empty_like(flat)
        for n in range(flat.shape[0]):
            top = max(flat[n])
            total = sum((z - top).exp() for z in flat[n])
            for i in range(flat.shape[1]):
                out[n, i] = (flat[n, i] - top).exp() / total
        return out.view(logits.shape)

    verdict = check.verdict("softmax_batched", loop)
    assert verdict.right
    assert verdict.slow
    assert re.search(r"\n  but slow, [\d,]+ times torch: a Python loop\?", verdict.text)


def test_a_gradient_that_is_off_is_shown() -> None:
    def detached(logits: Tensor, targets: Tensor) -> Tensor:
        shifted = logits - logits.amax(-1, keepdim=True)
        log_probs = shifted - shifted.exp().sum(-1, keepdim=True).log().detach()
        return -log_probs[torch.arange(len(targets)), targets].mean()

    verdict = check.verdict("cross_entropy", detached)
    assert verdict.key == "detached"
    assert "  gradient of cross_entropy(torch.tensor([[" in verdict.text


def test_ignore_index_is_shown_by_its_name_and_an_example_that_counts_is_left() -> None:
    def negative(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
        return cross_entropy(logits[targets >= 0], targets[targets >= 0])

    text = check.verdict("cross_entropy", negative).text
    assert re.search(
        r"\n  cross_entropy\(torch.*, torch.*\[.*[1-9].*\]\), ignore_index=0\)\n", text
    )
    assert "nan" not in text


def test_where_an_exception_is_the_answer_it_is_what_is_expected() -> None:
    def of_any_sign(logits: Tensor, T: float) -> Tensor:
        assert T
        return torch.softmax(logits.double() / T, -1).to(logits.dtype)

    text = check.verdict("softmax_temperature", of_any_sign).text
    assert "\n  softmax_temperature(torch.tensor([0.0, 0.0]), -1.0)\n" in text
    assert "\n  expected  a ValueError\n" in text


def test_what_it_prints_is_shown_once() -> None:
    def talks(logits: Tensor) -> Tensor:
        print("shape", tuple(logits.shape))
        return logits

    text = check.verdict("softmax_naive", talks).text
    assert text.count("printed") == 1
    assert "  printed   shape (2,)\n" in text


def test_an_example_that_counts_is_left() -> None:
    def sums_all(logits: Tensor, targets: Tensor) -> Tensor:
        losses = -torch.log_softmax(logits, -1)[range(len(targets)), targets.clamp(min=0)]
        return losses.sum() / (targets >= 0).sum()

    verdict = check.verdict("cross_entropy", sums_all)
    assert verdict.key == "ignored-numerator"
    assert "nan" not in verdict.text


def test_nothing_is_smaller_than_what_shrinking_finds() -> None:
    logits = torch.tensor([[3.17, 1000.3, -4.0], [0.5, 2.0, 7.25]])
    targets = torch.tensor([1, 2])

    def fails(arguments: tuple[Tensor, ...]) -> bool:
        return bool(arguments[0].exp().isinf().any())

    small = shrink((logits, targets), fails)
    assert fails(small)
    assert small[0].shape == (1, 2)
    assert size(small) < size((logits, targets))
    assert int(small[1]) in (0, 1)
    assert set(small[0].flatten().tolist()) == {0.0, 100.0}


def test_keys_are_unique() -> None:
    keys = [lesson.key for lesson in LESSONS.values()]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("place", sorted(PLACES), ids=lambda place: f"{place[0]}#{place[2]}")
def test_the_book_has_every_place(place: tuple[str, str, str]) -> None:
    page, heading, anchor = place
    lines = (DOCS / page).read_text().splitlines()
    explicit = f" {heading} {{#{anchor}}}"
    headings = [line.lstrip("#") for line in lines if line.startswith("#")]
    assert explicit in headings or (f" {heading}" in headings and slug(heading) == anchor)


@pytest.mark.parametrize("page", sorted({place[0] for place in PLACES}))
def test_a_page_is_called_as_the_book_calls_it(page: str) -> None:
    assert f"\n# {title(page)}\n" in (DOCS / page).read_text()


def slug(heading: str) -> str:
    """The anchor that Python-Markdown gives a heading."""
    ascii_only = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^\w\s-]", "", ascii_only).strip().lower()
    return re.sub(r"[-\s]+", "-", kept)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_a_lesson_is_a_sentence(lesson: Lesson) -> None:
    assert lesson.sentence.endswith(".")
    assert re.fullmatch(r"[a-z0-9]+(_?[a-z0-9]+|-[a-z0-9]+)*", lesson.key)
