"""The command `softmax-ce`."""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code."""
    parser = argparse.ArgumentParser(prog="softmax-ce", description="The book, by command.")
    commands = parser.add_subparsers(required=True, metavar="command")
    verify = commands.add_parser(
        "verify",
        help="run everything that the pages claim",
        description="Run everything that the pages claim; exit with 1 if something does not hold.",
    )
    verify.add_argument(
        "paths",
        nargs="*",
        type=Path,
        help="pages and folders (README.md, docs, and the package's docstrings)",
    )
    verify.add_argument(
        "--accept", action="store_true", help="write the outputs that changed, and show the diff"
    )
    verify.add_argument(
        "--fresh", action="store_true", help="run also what held before and has not changed since"
    )
    verify.set_defaults(run=_verify)
    bigram = commands.add_parser(
        "bigram",
        help="train a language model of names by the gradient of the loss",
        description="Train a language model of names by the gradient of the loss, and use it.",
    )
    bigram.add_argument(
        "names", nargs="?", type=Path, help="a text file, one name a line (census first names)"
    )
    bigram.add_argument("--samples", type=int, default=10, metavar="N", help="how many (10)")
    bigram.add_argument("-T", type=float, default=1.0, help="their temperature (1)")
    bigram.add_argument("--seed", type=int, default=0, help="another seed, other samples (0)")
    bigram.set_defaults(run=_bigram)
    new = commands.add_parser(
        "new",
        help="write a file of functions to fill in",
        description="Write a file of functions to fill in; a file that exists is left as it is.",
    )
    new.add_argument("file", type=Path, help="the file to write, such as my_solutions.py")
    new.set_defaults(run=_new)
    check = commands.add_parser(
        "check",
        help="check the functions that you wrote",
        description="Check the functions that you wrote; exit with 0 if all of them are right.",
    )
    check.add_argument("file", type=Path, help="your file, such as my_solutions.py")
    check.add_argument("--rung", metavar="NAME", help="one function alone")
    check.set_defaults(run=_check)
    chosen = parser.parse_args(arguments)
    code: int = chosen.run(chosen)
    return code


def _verify(chosen: argparse.Namespace) -> int:
    # Not above: every process that runs a block imports this file once more.
    try:
        from softmax_ce.verify import book
    except ImportError as error:
        return _failed(f'{error}; install what verify needs: pip install -e ".[verify]"')
    try:
        paths = chosen.paths or book.whole()
        return 1 if book.verify(paths, accept=chosen.accept, fresh=chosen.fresh) else 0
    except FileNotFoundError as error:
        return _failed(f"{error}; name the pages, or go to the folder of the project")


def _bigram(chosen: argparse.Namespace) -> int:
    from softmax_ce.bigram import census_first_names, train_bigram

    if not 0 < chosen.T < math.inf:
        return _failed(f"a temperature is a positive number; got -T {chosen.T:g}")
    try:
        names = chosen.names or census_first_names()
        model = train_bigram(names, report=_report if sys.stderr.isatty() else None)
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
        return _failed(f"{why}; expected a text file of names, one a line")
    except (ImportError, ValueError) as error:
        return _failed(str(error))
    bits, perplexity = model.loss / math.log(2), math.exp(model.loss)
    print(
        f"characters   {model.counts.sum():,.0f}, ends of names included, of {len(model.alphabet)}"
    )
    print(f"equal logits {math.log(len(model.alphabet)):.6f} nats a character")
    print(f"count table  {model.count_loss:.6f}")
    print(f"trained      {model.loss:.6f}, {bits:.4f} bits, perplexity {perplexity:.3f}")
    print(f"steps        {model.steps:,}")
    print(*model.samples(chosen.samples, chosen.T, chosen.seed), sep="\n")
    return 0


def _new(chosen: argparse.Namespace) -> int:
    from softmax_ce.check import file

    try:
        file.new(chosen.file)
    except FileExistsError:
        return _failed(f"{chosen.file} exists, and is left as it is; choose another name")
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}")
    print(f"{chosen.file} is written; next: softmax-ce check {chosen.file}")
    return 0


def _check(chosen: argparse.Namespace) -> int:
    from softmax_ce.check import file
    from softmax_ce.check.ladder import LADDER

    if chosen.rung not in (None, *LADDER):
        return _failed(f"there is no rung {chosen.rung}; the rungs are {', '.join(LADDER)}")
    try:
        return 0 if file.check(chosen.file, chosen.rung) else 1
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
        return _failed(f"{why}; write one with: softmax-ce new {chosen.file}")
    except ValueError as error:
        return _failed(str(error))


def _report(steps: int, loss: float) -> None:
    print(f"{steps:,} steps: {loss:.6f} nats", end="\r", file=sys.stderr, flush=True)


def _failed(message: str) -> int:
    print(f"softmax-ce: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
