from pathlib import Path

import numpy as np

from bot.providers.local.espeak import Espeak
from bot.providers.local.phones import PHONES, phones_of
from bot.providers.local.reference import CORPUS, REFERENCE, Reference, made_of


def test_shipped_reference_belongs_to_this_source_voice() -> None:
    with np.load(REFERENCE) as file:
        assert str(file["made_of"]) == made_of()


def test_reference_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    fresh = Reference.read(Espeak())

    fresh.save(tmp_path / "reference.npz")
    back = Reference.load(tmp_path / "reference.npz")

    assert np.abs(back.source.track.cepstra - fresh.source.track.cepstra).mean() < 0.05
    assert (back.source.labels == fresh.source.labels).all()


def test_corpus_has_every_phone() -> None:
    assert set(np.unique(Reference.load().source.labels)) == set(range(len(PHONES)))
    assert len(CORPUS) == 8


def test_mnemonics_are_spelled_in_phones_and_unknown_ones_are_silence() -> None:
    assert [PHONES[phone] for phone in phones_of("'aI3")] == ["A", "I", "3"]
    assert [PHONES[phone] for phone in phones_of("(de)")] == ["SIL"]
    assert [PHONES[phone] for phone in phones_of("_:")] == ["SIL"]
