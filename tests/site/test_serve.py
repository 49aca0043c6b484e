"""`mkdocs serve` shows a changed figure on save, without a restart, and builds once for it."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

PAGE = "# A page\n\n![Six panels of bars, whatever they show.](figure:temperature.panels)\n"


def wait_for(condition: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_saved_figure_module_is_served_after_one_build(project: Path) -> None:
    (project / "docs" / "index.md").write_text(PAGE)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    log = project / "serve.log"

    def served() -> str:
        try:
            return str(urlopen(f"http://{address}/", timeout=5).read(), "utf-8")
        except OSError:
            return ""

    with (
        log.open("w") as stream,
        subprocess.Popen(
            [sys.executable, "-m", "mkdocs", "serve", "--dev-addr", address],
            cwd=project,
            env=os.environ | {"PYTHONPATH": str(project)},
            stderr=stream,
        ) as server,
    ):
        try:
            wait_for(lambda: "<svg role" in served())
            module = project / "softmax_ce" / "figures" / "temperature.py"
            source = module.read_text()
            assert "probability" in source
            module.write_text(source.replace("probability", "likelihood"))
            wait_for(lambda: "likelihood" in served())
            time.sleep(3)  # a loop would build again by now
        finally:
            server.terminate()
    builds = len(re.findall("Building documentation", log.read_text()))
    assert builds == 2, log.read_text()
