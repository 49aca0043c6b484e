"""Runs a program as a reader would who copied it: alone, in a fresh process."""

import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from threading import Lock
from typing import IO, Any, NamedTuple, TextIO

# Programs run side by side: a thread that waits for work shall leave its core to the others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# A server that has done nothing but load libraries is forked for each program: fresh, and fast.
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
PROCESSES: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
PROCESSES.set_forkserver_preload(["torch", "matplotlib.pyplot"])
_fresh: Connection | None = None
_one_by_one = Lock()

LIMIT = 60  # seconds: the longest program of the book takes two


class Ran(NamedTuple):
    """What a program wrote to its two streams, and how it failed, if it did."""

    output: str
    errors: str
    failure: str


def run(code: str, file: str = "block", line: int = 0, limit: int = LIMIT) -> Ran:
    """Run the program that stands in `file` from the line after `line` on, so many seconds long."""
    try:
        ran: Ran = call(_run, "\n" * line + code, file, limit)
    except ChildProcessError as error:
        ran = Ran("", "", str(error))
    return ran


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns in a fresh process."""
    if _fresh:
        return _forked(_fresh, function, *arguments)
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_send, args=(sender, function, arguments))
    process.start()
    sender.close()
    try:
        returned = receiver.recv()
    except EOFError:
        process.join()
        raise _died(process.exitcode) from None
    process.join()
    return returned


def keep_fresh() -> None:
    """Keep this process as it is now, for `call` to fork: cheaper than a server of its own."""
    global _fresh
    ours, theirs = PROCESSES.Pipe()
    if os.fork():
        theirs.close()
        _fresh = ours
        return
    ours.close()
    try:
        while request := theirs.recv_bytes():
            if child := os.fork():
                theirs.send(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            else:
                function, arguments = pickle.loads(request)
                theirs.send((function(*arguments),))
                break
    except EOFError:
        pass  # no one is left who asks
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _forked(fresh: Connection, function: Callable[..., Any], *arguments: Any) -> Any:
    returned = ()
    with _one_by_one:
        fresh.send_bytes(pickle.dumps((function, arguments)))
        while not isinstance(received := fresh.recv(), int):
            returned = received
    if not returned:
        raise _died(received)
    return returned[0]


def _died(exit_code: int | None) -> ChildProcessError:
    if exit_code == -signal.SIGALRM:
        return ChildProcessError("the program had not ended when its time was up: does it loop?")
    return ChildProcessError(f"the process ended with exit code {exit_code}")


def start_server() -> None:
    """Load torch for the processes to come."""
    if _FORKS:
        forkserver.ensure_running()


def _send(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    sender.send(function(*arguments))


def _run(code: str, file: str, limit: int) -> Ran:
    signal.alarm(limit)
    if torch := sys.modules.get("torch"):
        torch.seed()  # a seed of its own, as in a fresh process: the server has drawn one for all
    failure = ""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        streams = _stream(1, output), _stream(2, errors)
        sys.stdout, sys.stderr = streams
        try:
            exec(compile(code, file, "exec"), {"__name__": "__main__"})
        except BaseException as error:  # also SystemExit: a block that ends its process is no block
            trace = error.__traceback__
            error = error.with_traceback(trace.tb_next if trace else None)  # less this function
            failure = "".join(traceback.format_exception(error))
        for stream in streams:
            stream.flush()
        return Ran(_read(output), _read(errors), failure)


def _stream(number: int, file: IO[bytes]) -> TextIO:
    """A stream of the process which goes to the file, also what is written past Python."""
    os.dup2(file.fileno(), number)
    return open(number, "w", buffering=1, encoding="utf-8", newline="\n", closefd=False)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
