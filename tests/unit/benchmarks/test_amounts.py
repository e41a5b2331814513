"""What is typed for a benchmark, and cannot be, is refused in a sentence before anything is opened."""

import sys
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    ("module", "typed", "refusal"),
    [
        ("benchmarks.voice.__main__", ("--channels", "0"), "argument --channels: give 1 or more, not 0"),
        ("benchmarks.voice.__main__", ("--seconds", "-1"), "argument --seconds: give 0 or more, not -1"),
        ("benchmarks.voice.__main__", ("--seconds", "0"), "argument --seconds: give more than 0"),
        ("benchmarks.voice.__main__", ("--seconds", "nan"), "argument --seconds: give 0 or more, not nan"),
        ("benchmarks.voice.latency", ("--rounds", "1"), "argument --rounds: give 2 or more, not 1"),
        ("benchmarks.voice.soak", ("--hours", "soon"), "argument --hours: 'soon' is no number"),
    ],
)
def test_an_amount_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    module: str,
    typed: tuple[str, ...],
    refusal: str,
) -> None:
    monkeypatch.setattr(sys, "argv", [module, *typed])

    with pytest.raises(SystemExit) as ended:
        import_module(module).main()

    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert refusal in said.err
