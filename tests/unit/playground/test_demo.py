"""What the demonstration answers to a wrong word on its command line."""

import sys
from pathlib import Path

import pytest

from playground import demo


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["--provider", "nonsense"], "nonsense is no voice service: give one of imitation, fish, "),
        (["--sample", "nothing.wav"], "nothing.wav is not a file: give the path of a recording."),
    ],
)
def test_a_wrong_word_is_told_in_one_sentence_and_nothing_is_made(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["demo", *typed])

    assert demo.main() == 2

    told = capsys.readouterr().err
    assert told.startswith(sentence)
    assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())
