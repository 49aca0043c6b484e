"""A file of solutions: its skeleton, and the check of every rung that stands in it."""

import importlib.util
import sys
import textwrap
import traceback
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from types import FunctionType, ModuleType

from softmax_ce.check import trial
from softmax_ce.check.idea import Rung
from softmax_ce.check.judge import judge
from softmax_ce.check.ladder import LADDER

HEAD = '''\
"""My solutions, from the log-odds to the loss of a vocabulary in shards.

Replace each `raise NotImplementedError` with a function of your own, and check them:

    softmax-ce check {name}
    softmax-ce check {name} --rung {first}
"""

import math

import torch
import torch.nn.functional as F
'''


def new(path: Path) -> None:
    """Write a skeleton; FileExistsError where something stands already."""
    head = HEAD.format(name=path.name, first=next(iter(LADDER)))
    with path.open("x", encoding="utf-8") as file:  # x: never over a file that exists
        file.write("\n\n".join([head, *map(skeleton, LADDER.values())]))


def skeleton(rung: Rung) -> str:
    """The function to write, with its task for a docstring."""
    task = rung.task
    if len(rung.outputs) > 1:
        task += f" Return {', '.join(rung.outputs)}."
    task += f" See {rung.place[0]}."
    start, *more = textwrap.wrap(task, 88)
    docstring = f'"""{start}' + ("\n" + "\n".join(more) + "\n" if more else "") + '"""'
    body = "\n".join(filter(None, [docstring, rung.given.rstrip()]))
    body += "\nraise NotImplementedError\n"
    return f"def {rung.name}({rung.parameters}):\n{textwrap.indent(body, '    ')}"


def check(path: Path, only: str | None = None) -> bool:
    """Check the rungs of a file, a line for each as it comes; whether all are right.

    Raises:
        OSError: the file cannot be read.
        ValueError: it does not run, or has no function with the name of a rung.
    """
    module = load(path)
    rungs = [LADDER[only]] if only else list(found(module))
    if not rungs or not hasattr(module, rungs[0].name):
        raise ValueError(
            f"{path} has no function {only or 'with the name of a rung'}; "
            f"the rungs are {', '.join(LADDER)}"
        )
    verdicts = []
    for place, rung in enumerate(rungs, 1):
        verdict = judge(rung, getattr(module, rung.name))
        first, *more = verdict.text.splitlines()
        mark = "ok" if verdict.right else "--"
        print(f"{place:2}/{len(rungs)} {mark} {first}", flush=True)
        print(*(f"        {line}\n" for line in more), sep="", end="", flush=True)
        verdicts.append(verdict)
    missing = [verdict.rung for verdict in verdicts if not verdict.right]
    count = f"{len(rungs) - len(missing)} of {len(rungs)} right"
    print(f"{count}; next: {missing[0]}" if missing else count)
    misspelt = {} if only else misspelled(module)
    for name, meant in misspelt.items():
        print(f"{name} is no rung, and not checked: is {meant} meant?")
    return not missing and not misspelt


def misspelled(module: ModuleType) -> dict[str, str]:
    """The functions of a file whose names are nearly that of a rung which it has not."""
    waiting = [name for name in LADDER if not hasattr(module, name)]
    names = [name for name, value in vars(module).items() if isinstance(value, FunctionType)]
    near = {name: get_close_matches(name, waiting, 1, 0.9) for name in names}
    return {name: found[0] for name, found in near.items() if found}


def found(module: ModuleType) -> Iterator[Rung]:
    """The rungs in a file, in the order of the ladder; what it imports is not its own."""
    for name, rung in LADDER.items():
        function = getattr(module, name, None)
        home = (getattr(function, "__module__", None) or "").partition(".")[0]
        if function is not None and home not in ("softmax_ce", "torch"):
            yield rung


def load(path: Path) -> ModuleType:
    """Run a file as a module; the files beside it may be imported from it."""
    source = path.read_text(encoding="utf-8")
    spec = importlib.util.spec_from_loader(path.stem, loader=None, origin=str(path))
    if spec is None:
        raise ValueError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        with trial.limit(trial.SECONDS):
            exec(compile(source, str(path), "exec"), vars(module))
    except (Exception, SystemExit, trial.TooLongError) as error:
        raise ValueError(f"{path} does not run:\n{blame(error, path)}") from error
    finally:
        sys.path.pop(0)
    return module


def blame(error: BaseException, path: Path) -> str:
    """The error, with the line of the file that raised it."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    where = f"line {lines[-1]}: " if lines else ""
    return f"  {where}{''.join(traceback.format_exception_only(error)).strip()}"
