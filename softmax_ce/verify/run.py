"""Runs a program as a reader would who copied it: alone, in a fresh process."""

import contextlib
import io
import multiprocessing
import traceback
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

# A server that has done nothing but load torch is forked for each program: fresh, and fast.
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_processes: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
_processes.set_forkserver_preload(["torch"])


class Ran(NamedTuple):
    """What a program wrote to its two streams, and how it failed, if it did."""

    output: str
    errors: str
    failure: str


def run(code: str, file: str = "block", line: int = 0) -> Ran:
    """Run the program that stands in `file` from the line after `line` on."""
    receiver, sender = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_run, args=("\n" * line + code, file, sender))
    process.start()
    sender.close()
    try:
        ran: Ran = receiver.recv()
    except EOFError:
        process.join()
        ran = Ran("", "", f"the process ended with exit code {process.exitcode}")
    process.join()
    return ran


def _run(code: str, file: str, sender: Connection) -> None:
    output, errors, failure = io.StringIO(), io.StringIO(), ""
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            exec(compile(code, file, "exec"), {"__name__": "__main__"})
        except BaseException:  # also SystemExit: a block that ends its process is not a block
            failure = traceback.format_exc()
    sender.send(Ran(output.getvalue(), errors.getvalue(), failure))
