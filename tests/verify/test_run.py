"""A program runs alone, and everything that it writes is seen."""

from softmax_ce.verify.run import run


def test_what_a_program_prints_is_its_output() -> None:
    assert run("print(1 + 1)") == ("2\n", "", "")


def test_what_is_written_past_python_is_seen_too() -> None:
    code = "import os; print(1); os.write(1, b'2'); os.system('echo 3; echo careful >&2')"
    assert run(code) == ("1\n23\n", "careful\n", "")


def test_a_failure_names_the_file_and_the_line() -> None:
    failure = run("x = 1\n1 / 0", "docs/page.md", line=40).failure
    assert 'File "docs/page.md", line 42' in failure
    assert "ZeroDivisionError" in failure


def test_a_warning_goes_to_the_errors() -> None:
    assert "careful" in run("import warnings; warnings.warn('careful')").errors


def test_a_program_that_exits_or_dies_has_failed() -> None:
    assert "SystemExit" in run("raise SystemExit").failure
    assert "exit code 3" in run("import os; os._exit(3)").failure


def test_a_program_that_does_not_end_has_failed() -> None:
    assert "had not ended when its time was up" in run("while True: pass", limit=1).failure


def test_nothing_leaks_into_the_next_program() -> None:
    run(
        "import torch, softmax_ce\n"
        "torch.set_default_dtype(torch.float64)\n"
        "torch.set_num_threads(1)\n"
        "torch.manual_seed(0)\n"
        "softmax_ce.softmax_stable = softmax_ce.softmax_naive\n"
    )
    look = (
        "import torch, softmax_ce\n"
        "print(torch.get_default_dtype(), softmax_ce.softmax_stable.__name__)\n"
        "print(torch.rand(1).item())"
    )
    dtype, number = run(look).output.splitlines()
    assert dtype == "torch.float32 softmax_stable"
    assert number != run("import torch; torch.manual_seed(0); " + look).output.splitlines()[1]
