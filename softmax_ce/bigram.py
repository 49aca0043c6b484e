"""A language model of names: from each character to the next, by counting and by the gradient.

The chapter: Language model.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from softmax_ce.gradient import cross_entropy_softmax_gradient
from softmax_ce.loss import cross_entropy
from softmax_ce.temperature import softmax_temperature

END = "\n"  # stands before and behind each name, and within none: a name is a line
MOST_CHARACTERS = 200
LONGEST_SAMPLE = 100


@dataclass(frozen=True)
class Bigram:
    """Logits for the next character, a row for each character; and the counts that they learn.

    Attributes:
        alphabet: the characters in the order of rows and columns, the end of a name first.
        counts: shape `(V, V)`, how often the second character follows the first.
        logits: shape `(V, V)`.
        steps: how many steps of gradient descent made them.
    """

    alphabet: str
    counts: Tensor
    logits: Tensor
    steps: int = 0

    @property
    def loss(self) -> float:
        """The mean loss of a character under the logits, in nats."""
        before, after = self.counts.nonzero(as_tuple=True)
        losses = cross_entropy(self.logits[before], after, reduction="none")
        return float((self.counts[before, after] * losses).sum() / self.counts.sum())

    @property
    def count_loss(self) -> float:
        """The mean loss under the relative counts: no logits have a smaller one."""
        shares = self.counts / self.counts.sum(1, keepdim=True)
        of_rows = torch.special.entr(shares).sum(1)
        return float(of_rows @ self.counts.sum(1) / self.counts.sum())

    def samples(self, number: int, T: float = 1.0, seed: int = 0) -> Iterator[str]:
        """Names that the model makes at temperature `T`, a hundred characters long at most."""
        generator = torch.Generator().manual_seed(seed)
        probs = softmax_temperature(self.logits, T)
        for _ in range(number):
            name, row = "", 0
            while len(name) < LONGEST_SAMPLE:
                row = int(torch.multinomial(probs[row], 1, generator=generator))
                if row == 0:
                    break
                name += self.alphabet[row]
            yield name


def census_first_names() -> list[str]:
    """The first names of the United States census, in 1990, in small letters, each once, sorted.

    Raises:
        ImportError: the package `names`, which holds them, is not installed.
    """
    try:
        import names
    except ImportError:
        raise ImportError("the census names are missing: pip install names") from None
    files = (Path(names.FILES[f"first:{group}"]) for group in ("female", "male"))
    rows = (row for file in files for row in file.read_text(encoding="utf-8").splitlines())
    return sorted({row.split()[0].lower() for row in rows})


def read_names(path: str | Path) -> list[str]:
    """The lines of a text file, without blanks around them; lines without a name are left out.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not UTF-8 text, or holds no name.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text: byte {error.start} cannot be read. Save it as UTF-8."
        ) from None
    names = [line.strip() for line in text.split(END) if line.strip()]
    if not names:
        raise ValueError(f"{path} holds no names; expected one a line")
    return names


def count_bigrams(names: Iterable[str]) -> Bigram:
    r"""How often each character follows each other one, with logits of 0: nothing learned yet.

    Args:
        names: at least one; none empty, none with a line end in it.

    Raises:
        ValueError: there are no names, a name is empty or holds a line end, or there are more
            different characters than an alphabet has.

    Examples:
        >>> from softmax_ce.bigram import count_bigrams
        >>> count_bigrams(["anna", "ann"]).counts
        tensor([[0., 2., 0.],
                [1., 0., 2.],
                [1., 1., 2.]], dtype=torch.float64)
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for name in names:
        if not name or END in name:
            raise ValueError(f"a name is a line that is not empty; got {name!r}")
        pairs.update(pairwise(f"{END}{name}{END}"))
    if not pairs:
        raise ValueError("there are no names to count; expected at least one")
    alphabet = END + "".join(sorted({first for first, _ in pairs} - {END}))
    if len(alphabet) > MOST_CHARACTERS:
        raise ValueError(
            f"the names are written in {len(alphabet) - 1:,} different characters; expected an "
            f"alphabet, of fewer than {MOST_CHARACTERS}. Is this a list of names, one a line?"
        )
    place = {character: index for index, character in enumerate(alphabet)}
    counts = torch.zeros(len(alphabet), len(alphabet), dtype=torch.float64)
    for (first, second), count in pairs.items():
        counts[place[first], place[second]] = count
    return Bigram(alphabet, counts, torch.zeros_like(counts))


def train_bigram(
    names: Iterable[str] | str | Path,
    *,
    tolerance: float = 1e-3,
    most_steps: int = 20_000,
    report: Callable[[int, float], None] | None = None,
) -> Bigram:
    r"""Logits learned by gradient descent on the loss, until it is as good as the count table's.

    $$-\frac{\partial}{\partial z_j} \sum_i q_i \log p_i = p_j - q_j$$

    where $q$ are the shares of the characters that follow. Each row is a problem of its own: its
    loss is the mean over these, its gradient the mean of `cross_entropy_softmax_gradient`; autograd
    has no part in it. A step of 2 makes no loss larger, since softmax is ½-Lipschitz (the chapter
    Geometry).

    Args:
        names: the names, or the path of a text file that has one a line.
        tolerance: how far above the count table's loss to stop, in nats.
        most_steps: when to stop in any case.
        report: is called now and then with the number of steps and the loss.

    Returns:
        The trained model; its `steps` and `loss` say how far it came.

    Raises:
        ValueError, FileNotFoundError: as `count_bigrams` and `read_names` say.
    """
    model = count_bigrams(read_names(names) if isinstance(names, str | Path) else names)
    before, after = model.counts.nonzero(as_tuple=True)
    # Equal pairs have equal gradients: each is computed once, and weighs as its share of the row.
    shares = model.counts[before, after] / model.counts.sum(1)[before]
    goal, steps = model.count_loss + tolerance, 0
    while steps < most_steps and model.loss > goal:
        for _ in range(20):
            dlogits = cross_entropy_softmax_gradient(model.logits[before], after, reduction="sum")
            model.logits.index_add_(0, before, shares.unsqueeze(-1) * dlogits, alpha=-2)
        steps += 20
        if report:
            report(steps, model.loss)
    return Bigram(model.alphabet, model.counts, model.logits, steps)
