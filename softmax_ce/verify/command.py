"""The command `softmax-ce`."""

import argparse
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


def _failed(message: str) -> int:
    print(f"softmax-ce: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
