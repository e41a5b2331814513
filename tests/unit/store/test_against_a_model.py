"""The store does what a dictionary of voices would do, whatever the order of calls."""

import asyncio
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from bot.errors import VoiceError
from bot.models import KeptSample, Voice, VoicePage, VoiceState, name_key
from bot.store import Store
from tests.unit.store.examples import ALICE, BOB, KEY, MORNING, file_url, make_voice

STATES: tuple[VoiceState, ...] = ("training", "trained")
owners = st.sampled_from([ALICE, BOB])
# few letters, so that names meet; among them what LIKE, case folding and NFKC make special
names = st.one_of(
    st.text("aAbß%_/\\ ﬁ", min_size=1, max_size=4),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8),
)
samples = st.lists(
    st.builds(KeptSample, opus=st.binary(max_size=40), transcript=st.text("aé ", max_size=5)), max_size=2
)


def _rank(key: str, needle: str) -> tuple[int, str]:
    if key.startswith(needle):
        return 0, key
    return (1 if f" {needle}" in key else 2), key


class StoreAgainstModel(RuleBasedStateMachine):
    """Owns an event loop, a store in a folder of its own, and the dictionaries it is compared with."""

    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.store = Store(file_url(Path(self.folder.name)), key=KEY)
        self.runner.run(self.store.__aenter__())
        self.voices: dict[str, Voice] = {}
        self.samples: dict[str, tuple[KeptSample, ...]] = {}
        self.chosen: dict[int, str] = {}

    def teardown(self) -> None:
        self.runner.run(self.store.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()

    def owned(self, owner_id: int) -> list[Voice]:
        mine = [voice for voice in self.voices.values() if voice.owner_id == owner_id]
        return sorted(mine, key=lambda voice: name_key(voice.name))

    def is_taken(self, voice: Voice) -> bool:
        others = (other for other in self.owned(voice.owner_id) if other.id != voice.id)
        return name_key(voice.name) in {name_key(other.name) for other in others}

    def default(self, owner_id: int) -> Voice | None:
        mine = self.owned(owner_id)
        if owner_id in self.chosen:
            return self.voices[self.chosen[owner_id]]
        return mine[0] if len(mine) == 1 else None

    @rule(target=ids, owner_id=owners, name=names, kept=samples)
    def add(self, owner_id: int, name: str, kept: list[KeptSample]) -> object:
        voice = make_voice(name, owner_id=owner_id)
        try:
            self.runner.run(self.store.add(voice, kept))
        except VoiceError:
            assert self.is_taken(voice)
            return multiple()
        assert not self.is_taken(voice)
        self.voices[voice.id] = voice
        self.samples[voice.id] = tuple(kept)
        return voice.id

    @rule(voice_id=ids, name=names, state=st.sampled_from(STATES))
    def save(self, voice_id: str, name: str, state: VoiceState) -> None:
        before = self.voices.get(voice_id, make_voice(id=voice_id))
        after = replace(before, name=name, state=state, tags=(name,))
        try:
            self.runner.run(self.store.save(after))
        except VoiceError:
            assert voice_id not in self.voices or self.is_taken(after)
        else:
            assert not self.is_taken(after)
            self.voices[voice_id] = after

    @rule(voice_id=ids, owner_id=owners)
    def delete(self, voice_id: str, owner_id: int) -> None:
        voice = self.voices.get(voice_id)
        there = voice is not None and voice.owner_id == owner_id
        assert self.runner.run(self.store.delete(voice_id, owner_id=owner_id)) is there
        if there:
            del self.voices[voice_id], self.samples[voice_id]
            self.chosen = {owner: chosen for owner, chosen in self.chosen.items() if chosen != voice_id}

    @rule(voice_id=ids, owner_id=owners)
    def set_default(self, voice_id: str, owner_id: int) -> None:
        voice = self.voices.get(voice_id)
        try:
            self.runner.run(self.store.set_default(voice_id, owner_id=owner_id))
        except VoiceError:
            assert voice is None or voice.owner_id != owner_id
        else:
            self.chosen[owner_id] = voice_id

    @rule(voice_id=ids, days=st.integers(0, 9))
    def count_use(self, voice_id: str, days: int) -> None:
        at = MORNING + timedelta(days=days)
        self.runner.run(self.store.count_use(voice_id, at=at))
        if voice := self.voices.get(voice_id):
            self.voices[voice_id] = replace(voice, use_count=voice.use_count + 1, last_used_at=at)

    @rule(owner_id=owners, text=st.one_of(names, st.just("")), limit=st.integers(1, 5))
    def search(self, owner_id: int, text: str, limit: int) -> None:
        needle = name_key(text)
        matching = [voice for voice in self.owned(owner_id) if needle in name_key(voice.name)]
        expected = sorted(matching, key=lambda voice: _rank(name_key(voice.name), needle))[:limit]
        assert list(self.runner.run(self.store.search(text, owner_id=owner_id, limit=limit))) == expected

    @rule(owner_id=owners, name=names)
    def by_name(self, owner_id: int, name: str) -> None:
        found = [voice for voice in self.owned(owner_id) if name_key(voice.name) == name_key(name)]
        assert self.runner.run(self.store.by_name(name, owner_id=owner_id)) == (found[0] if found else None)

    @rule(voice_id=ids)
    def read(self, voice_id: str) -> None:
        for owner_id in (ALICE, BOB):
            voice = self.voices.get(voice_id)
            mine = voice is not None and voice.owner_id == owner_id
            assert self.runner.run(self.store.get(voice_id, owner_id=owner_id)) == (voice if mine else None)
            expected = self.samples[voice_id] if mine else ()
            assert self.runner.run(self.store.samples(voice_id, owner_id=owner_id)) == expected

    @invariant()
    def pages_show_everything(self) -> None:
        for owner_id in (ALICE, BOB):
            mine, default = self.owned(owner_id), self.default(owner_id)
            expected = VoicePage(voices=tuple(mine), total=len(mine), default_id=default.id if default else None)
            assert self.runner.run(self.store.page(owner_id=owner_id, offset=0, limit=1000)) == expected
            assert self.runner.run(self.store.default(owner_id)) == default


TestStoreAgainstModel = StoreAgainstModel.TestCase
TestStoreAgainstModel.settings = settings(
    max_examples=10, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
