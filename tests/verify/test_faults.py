"""The checks are checked: a fault that an author makes is caught, and its file named."""

import subprocess
import sys
from pathlib import Path


def test_faults_of_every_kind_are_caught_by_a_message_that_names_their_file() -> None:
    program = Path(__file__).with_name("faults.py")
    command = [sys.executable, str(program), "--sample"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
