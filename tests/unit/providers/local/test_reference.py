from pathlib import Path

import numpy as np
import pytest

from bot.providers.local.espeak import Espeak
from bot.providers.local.phones import PHONES, phones_of
from bot.providers.local.reference import CORPUS, Reference, made_of, shipped
from bot.providers.local.source import HIGH, LOW, SourceVoice, choose_source

BOTH = pytest.mark.parametrize("voice", [LOW, HIGH], ids=["low", "high"])


@BOTH
def test_shipped_reference_belongs_to_its_source_voice(voice: SourceVoice) -> None:
    with np.load(shipped(voice)) as file:
        assert str(file["made_of"]) == made_of(voice)


@BOTH
def test_shipped_reference_has_every_phone(voice: SourceVoice) -> None:
    assert set(np.unique(Reference.load(voice).source.labels)) == set(range(len(PHONES)))


def test_reference_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    fresh = Reference.read(Espeak(), LOW, CORPUS[:2])

    fresh.save(tmp_path / "reference.npz")
    back = Reference.load(LOW, tmp_path / "reference.npz")

    assert np.abs(back.source.track.cepstra - fresh.source.track.cepstra).mean() < 0.05
    assert (back.source.labels == fresh.source.labels).all()


def test_source_voice_follows_the_pitch_of_the_speaker() -> None:
    assert choose_source(np.log(110)) is LOW
    assert choose_source(np.log(210)) is HIGH


def test_mnemonics_are_spelled_in_phones_and_unknown_ones_are_silence() -> None:
    assert [PHONES[phone] for phone in phones_of("'aI3")] == ["A", "I", "3"]
    assert [PHONES[phone] for phone in phones_of("(de)")] == ["SIL"]
    assert [PHONES[phone] for phone in phones_of("_:")] == ["SIL"]
