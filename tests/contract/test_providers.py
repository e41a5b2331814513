"""What every provider does alike, against its far end on loopback; new ones join by `playground.stand_ins`."""

import asyncio
import atexit
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, get_args

import pytest

from bot.audio import Packer
from bot.errors import ProviderError, ProviderFault
from bot.models import Sample
from bot.providers import create_providers
from bot.providers.base import CloneRequest, SpeechRequest, VoiceEdit, VoiceProvider, VoiceQuery
from bot.providers.imitation import ImitationProvider
from bot.providers.local.espeak import Espeak
from bot.providers.local.resample import resample
from bot.providers.patience import Patience
from bot.settings import ProviderName
from bot.web import Web
from playground.isolation import IsolatedSettings
from playground.services.service import Service
from playground.stand_ins import open_stand_in
from tests.ports import free_port
from tests.unit.providers.sound import sample_of

TEXT = "The first sentence is short. The second one is a little longer than that."
COVER = Path(__file__).parents[2].joinpath("docs", "demo.png").read_bytes()
VOICE_ID = "0123456789abcdef0123456789abcdef"
WAYS: tuple[tuple[ProviderName, dict[str, str]], ...] = (
    *((name, {}) for name in get_args(ProviderName)),
    ("fish", {"transport": "websocket"}),
    ("fish", {"format": "mp3", "model": "s1"}),
    ("fish", {"format": "wav", "model": "s2-pro"}),
    ("fish", {"format": "pcm", "transport": "websocket"}),
    ("novita", {"route": "s2_pro", "format": "opus"}),
    ("acedata", {"mode": "async"}),
    ("acedata", {"mode": "callback"}),
    ("acedata", {"mode": "legacy", "voices": "list"}),
    ("fish-speech", {"format": "mp3", "answers": "json"}),
    ("openai", {"format": "mp3"}),
    ("openai", {"format": "pcm"}),
)


HASTY = Patience(base=0.001, cap=0.002, poll=0.01)


@dataclass(frozen=True)
class Site:
    """A provider that is open, and its far end, if that is not itself."""

    provider: VoiceProvider
    service: Service | None
    folder: Path

    @property
    def can(self) -> Any:
        return self.provider.capabilities

    async def voice(self, sample: Sample) -> str:
        """Give the id of a voice that speaks."""
        if not self.can.clones:
            return self.provider.ready_made[0].id
        if isinstance(self.provider, ImitationProvider):
            shutil.copytree(await asyncio.to_thread(_imitated, sample), self.folder, dirs_exist_ok=True)
            return VOICE_ID
        return (await self.provider.create(clone_request(sample))).id

    async def speak(self, request: SpeechRequest) -> float:
        """Speak, pack what comes, and give its length in seconds."""
        async with self.provider.synthesize(request) as stream:
            packer = Packer(stream.encoding, stream.rate)
            packets = [packet async for chunk in stream.chunks for packet in packer.feed(chunk)] + packer.finish()
        return len(packets) * 0.02


@cache
def _imitated(sample: Sample) -> Path:
    """Have the engine learn a voice once for all who only need one, and give the folder it is kept in."""
    folder = Path(mkdtemp(prefix="mynah-imitated-"))
    atexit.register(shutil.rmtree, folder)

    async def make() -> None:
        async with open_site("imitation", folder) as site:
            await site.provider.create(clone_request(sample))

    asyncio.run(make())
    return folder


@asynccontextmanager
async def open_site(name: ProviderName, folder: Path, **chosen: str) -> AsyncIterator[Site]:
    """Open a provider, its far end, and the web server at which that may ring and fetch."""
    port = free_port()
    web = Web(port, "127.0.0.1", public_url=f"http://127.0.0.1:{port}", healthy=lambda: True)
    async with AsyncExitStack() as stack:
        stand_in = await stack.enter_async_context(open_stand_in(name, **chosen))
        doorstep = await stack.enter_async_context(web)
        given = {"public_url": "https://mynah.example", "web_port": port, **stand_in.settings}
        settings = IsolatedSettings(data_dir=folder, **given)
        provider = create_providers(settings, doorstep=doorstep, downloads=stand_in.downloads, patience=HASTY)[name]
        yield Site(await stack.enter_async_context(provider), stand_in.service, folder)


@pytest.fixture(params=WAYS, ids=lambda way: "-".join((way[0], *way[1].values())))
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    name, chosen = request.param
    async with open_site(name, tmp_path, **chosen) as opened:
        yield opened


@pytest.fixture(scope="module")
def sample() -> Sample:
    said = Espeak().say("The cat sat by the fire and listened to the wind in the old trees. " * 3, "en-us+f4")
    heard = sample_of(resample(said.samples, said.rate, 48_000))
    return replace(heard, transcript="The cat sat by the fire and listened to the wind in the old trees.")


def clone_request(sample: Sample, voice_id: str = VOICE_ID) -> CloneRequest:
    return CloneRequest(
        voice_id=voice_id, title="Aki", samples=(sample,), description="warm", tags=("a", "b"), visibility="private"
    )


def files(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


@asynccontextmanager
async def refused(*kinds: ProviderFault) -> AsyncIterator[None]:
    """Expect a refusal of one of these kinds, in a sentence or two for a member."""
    with pytest.raises(ProviderError) as caught:
        yield
    assert caught.value.kind in kinds
    assert 20 < len(str(caught.value)) < 250
    assert str(caught.value).endswith(".")


async def test_a_provider_says_who_it_is_and_that_it_works(site: Site) -> None:
    health = await site.provider.check()

    assert site.provider.name
    assert site.provider.label
    assert "\n" not in str(health)
    assert bool(health.concurrency) == site.can.online


async def test_a_made_voice_carries_what_was_asked_and_is_seen_by_nobody_else(site: Site, sample: Sample) -> None:
    if not site.can.clones:
        async with refused("invalid"):
            await site.provider.create(clone_request(sample))
        return

    voice = await site.provider.create(clone_request(sample))

    assert (voice.title, voice.visibility, voice.state) == ("Aki", "private", "trained")
    if site.can.finds:
        assert (await site.provider.get(voice.id)).id == voice.id
        assert await site.provider.find(VOICE_ID) == await site.provider.get(voice.id)


async def test_a_voice_that_was_never_made_is_not_found(site: Site) -> None:
    if not site.can.finds:
        async with refused("invalid", "not_found"):
            await site.provider.get("f" * 32)
        return

    assert await site.provider.find("f" * 32) is None
    async with refused("not_found"):
        await site.provider.get("f" * 32)


async def test_an_unknown_voice_does_not_speak(site: Site) -> None:
    async with refused("not_found"):
        await site.speak(SpeechRequest(text=TEXT, remote_id="f" * 32))

    assert site.service is None or site.service.open_sounds == 0


async def test_creating_twice_makes_one_voice_where_it_is_promised_and_two_elsewhere(
    site: Site, sample: Sample
) -> None:
    if not site.can.clones:
        return

    first = await site.provider.create(clone_request(sample))
    second = await site.provider.create(clone_request(sample))

    assert (second.id == first.id) == site.can.idempotent_create


async def test_a_change_changes_what_is_given(site: Site, sample: Sample) -> None:
    voice_id = await site.voice(sample)
    if not site.can.edits:
        async with refused("invalid"):
            await site.provider.update(voice_id, VoiceEdit(title="Bo"))
        return

    edited = await site.provider.update(voice_id, VoiceEdit(title="Bo"))

    assert (edited.title, edited.visibility) == ("Bo", "private")
    assert await site.provider.get(edited.id) == edited
    for visibility in site.can.visibilities:
        shown = await site.provider.update(edited.id, VoiceEdit(visibility=visibility, cover=COVER))
        assert shown.visibility == visibility


async def test_a_deleted_voice_is_gone_and_deleting_it_again_is_fine(site: Site, sample: Sample) -> None:
    voice_id = await site.voice(sample)
    if not site.can.deletes:
        async with refused("invalid"):
            await site.provider.delete(voice_id)
        return

    await site.provider.delete(voice_id)
    await site.provider.delete(voice_id)

    assert await site.provider.find(VOICE_ID) is None
    async with refused("not_found"):
        await site.speak(SpeechRequest(text=TEXT, remote_id=voice_id))


async def test_a_list_shows_what_was_made_where_one_is_kept(site: Site, sample: Sample) -> None:
    if type(site.provider).list is VoiceProvider.list:
        async with refused("invalid"):
            await site.provider.list(VoiceQuery())
        return
    voice_id = await site.voice(sample)

    page = await site.provider.list(VoiceQuery(size=1))

    assert ([voice.id for voice in page.voices], page.total, page.more) == ([voice_id], 1, False)


async def test_speech_is_sound_of_some_length_from_its_first_chunk(site: Site, sample: Sample) -> None:
    voice_id = await site.voice(sample)

    short = await site.speak(SpeechRequest(text="One short line.", remote_id=voice_id))
    long = await site.speak(SpeechRequest(text=TEXT, remote_id=voice_id))

    assert 0.5 < short < 3
    assert long > 1.8 * short


async def test_speed_changes_the_length_where_it_can_be_asked(site: Site, sample: Sample) -> None:
    if site.can.speeds is None:
        return
    voice_id = await site.voice(sample)

    usual = await site.speak(SpeechRequest(text=TEXT, remote_id=voice_id))
    fastest = site.can.speeds[1]
    fast = await site.speak(SpeechRequest(text=TEXT, remote_id=voice_id, speed=fastest))

    assert fast == pytest.approx(usual / fastest, rel=0.1)


async def test_speaking_from_a_recording_keeps_nothing(site: Site, sample: Sample, tmp_path: Path) -> None:
    if not site.can.instant:
        return

    assert await site.speak(SpeechRequest(text=TEXT, samples=(sample,))) > 1

    assert files(tmp_path) == []
    assert not site.service or not site.service.voices


async def test_leaving_early_leaves_the_provider_usable(site: Site, sample: Sample) -> None:
    voice_id = await site.voice(sample)
    async with site.provider.synthesize(SpeechRequest(text=TEXT * 4, remote_id=voice_id)) as stream:
        await anext(stream.chunks)

    assert await site.speak(SpeechRequest(text="Once again.", remote_id=voice_id)) > 0.3


KEYED = tuple(name for name in get_args(ProviderName) if name not in {"imitation", "fish-speech"})


@pytest.mark.parametrize("name", KEYED)
async def test_a_bad_key_is_told_by_the_free_check_and_names_its_setting(
    name: ProviderName, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="bot")
    async with open_site(name, tmp_path, api_key="bad-secret-key") as site:
        with pytest.raises(ProviderError, match=f"{name.upper()}_API_KEY") as caught:
            await site.provider.check()

    assert caught.value.kind == "auth"
    assert "bad-secret-key" not in caplog.text + repr(caught.value) + repr(site.provider) + repr(vars(site.provider))


@pytest.mark.parametrize("name", KEYED)
async def test_an_empty_account_is_no_credit_and_is_asked_once(
    name: ProviderName, tmp_path: Path, sample: Sample
) -> None:
    async with open_site(name, tmp_path, api_key="poor-key") as site:
        ready = [voice.id for voice in site.provider.ready_made]
        async with refused("no_credit"):
            await site.speak(SpeechRequest(text=TEXT, remote_id=ready[0] if ready else "f" * 32))

        assert site.service is not None
        assert len(site.service.asked) == 1
