"""The figures of the chapter Language model: how it learns, and what stands behind what."""

from functools import cache

from matplotlib.figure import Figure

from softmax_ce.bigram import Bigram, census_first_names, count_bigrams, train_bigram
from softmax_ce.figures.look import FIRST, MUTED, SECOND
from softmax_ce.figures.style import label, note, number, panels, power_of_ten, styled, ticks

STEPS = 2000
MARKED = (20, 100, 1000)
MARKED_PAIRS = ("qu", "ha", "xi")  # beside these is room
LEAST = 0.02  # a smaller share would be a speck


@styled
def training() -> Figure:
    """The loss above the count table's against the steps, and the line that it tends to."""
    figure, axes = panels(height=3.2)
    steps, above = _excess()
    distance = _distance(_counted())
    axes.loglog(steps, above, color=FIRST)
    axes.loglog(steps, [distance / step for step in steps], "--", color=SECOND, lw=1.5)
    for step, excess in zip(steps, above, strict=True):
        if step in MARKED:
            axes.loglog(step, excess, "o", color=FIRST, ms=7)
            note(axes, number(excess, ".3g"), (step, excess), (7, 6))
    below = {"ha": "right", "va": "top"}
    note(axes, f"{distance:.2f} over the steps", (200, distance / 200), (-4, -4), **below)
    label(axes, x="steps", y="loss above the count table's, in nats")
    powers = [1, 2, 3]
    ticks(axes.xaxis, [10**power for power in powers], [f"{10**power:,}" for power in powers])
    ticks(axes.yaxis, [10.0**-power for power in powers], [power_of_ten(-p) for p in powers])
    axes.set_xlim(15, 3000)
    axes.set_ylim(4e-4, 0.2)
    axes.grid()
    return figure


@styled
def bigrams() -> Figure:
    """The count table: squares whose areas are the shares of the second character."""
    figure, axes = panels(height=5.6)
    model = _counted()
    shares = model.counts / model.counts.sum(1, keepdim=True)
    rows, columns = (shares >= LEAST).nonzero(as_tuple=True)
    areas = 150 * shares[rows, columns]
    axes.scatter(columns, rows, s=areas, marker="s", color=FIRST, lw=0)
    for pair in MARKED_PAIRS:
        row, column = map(model.alphabet.index, pair)
        share = number(shares[row, column].item(), ".2f")
        note(axes, share, (column, row), (8, 0), va="center", fontsize=11)
    names = ["·", *model.alphabet[1:]]
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0, labelcolor=MUTED, labeltop=True, labelbottom=False)
    axes.set_xlim(-1, len(names))
    axes.set_ylim(len(names), -1)
    axes.set_aspect("equal")
    axes.spines[:].set_visible(False)
    axes.set_xlabel("the character after; a dot is the end of a name")
    axes.set_ylabel("the character before")
    return figure


@cache
def _counted() -> Bigram:
    return count_bigrams(census_first_names())


@cache
def _excess() -> tuple[list[int], list[float]]:
    """After which numbers of steps the loss is how far above the count table's."""
    reported: list[tuple[int, float]] = []
    train_bigram(
        census_first_names(),
        tolerance=0,
        most_steps=STEPS,
        report=lambda step, loss: reported.append((step, loss - _counted().count_loss)),
    )
    kept = [row for row in reported if row[0] <= 200 or row[0] % 100 == 0]
    return [step for step, _ in kept], [excess for _, excess in kept]


def _distance(model: Bigram) -> float:
    """What the distance to the count table tends to, times the steps."""
    seen = (model.counts > 0).sum(1)
    unseen = len(model.counts) - seen
    of_rows = seen * unseen / (2 * len(model.counts))
    return float(of_rows.double() @ model.counts.sum(1) / model.counts.sum())
