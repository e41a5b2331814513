"""Tasks of Ace Data Cloud that ring at our door, and what the provider says of itself."""

import asyncio
import logging
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from bot.errors import ProviderError
from bot.providers.acedata import AceDataProvider, Pace
from bot.providers.base import SpeechRequest, VoiceEdit
from bot.providers.downloads import Downloads
from bot.settings import AceDataSettings
from playground.services.acedata import AceDataService, Callbacks
from playground.services.service import Fault
from tests.unit.providers.acedata.house import (
    LASTS,
    LINK,
    RUNNING,
    SOUND,
    STARTED,
    TEXT,
    VOICE,
    WatchedDoor,
    answers,
    build,
    clone_request,
    done,
    speak,
)

DEAF = Pace(first=0.001, most=0.002, fallback=60.0, total=5.0)
"""Asks after nothing that does not ring."""


async def test_ring_is_only_a_hint_and_the_task_is_asked_for_itself(service: AceDataService, door: WatchedDoor) -> None:
    service.fail("POST /fish/tts", *answers(STARTED))
    service.fail("POST /fish/tasks", *answers(RUNNING, done(service.results.lay_out(SOUND))))
    async with build(service, mode="callback", door=door, pace=DEAF) as provider:
        seconds, status = await asyncio.gather(speak(provider), forge_ring(door))

    assert seconds == pytest.approx(LASTS, abs=0.2)
    assert status == 200
    assert service.count("POST", "/fish/tasks") == 2
    assert "async" not in service.last("POST", "/fish/tts").content()


async def forge_ring(door: WatchedDoor) -> int:
    """Ring as anybody could who knows the address and the task, before the task has ended."""
    url = await door.opened.get()
    content = {"task_id": "t1", "audio_url": "https://127.0.0.1/forged.mp3"}
    async with aiohttp.ClientSession() as session, session.post(url, json=content) as response:
        return response.status


@pytest.mark.parametrize("callbacks", ["once", "twice", "early"])
@pytest.mark.parametrize("mode", ["callback", "legacy"])
async def test_task_that_rings_is_not_asked_after_before(
    service: AceDataService, door: WatchedDoor, callbacks: Callbacks, mode: str
) -> None:
    service.callbacks, service.ends_after = callbacks, 1000
    async with build(service, mode=mode, door=door, pace=DEAF) as provider:
        voice = await provider.create(clone_request())
        seconds = await speak(provider, remote_id=voice.id)
    await service.outside.quiet()

    assert seconds == pytest.approx(LASTS, abs=0.2)
    assert service.count("POST", "/fish/tasks") == 1
    assert service.outside.rings[0].status == 200


@pytest.mark.parametrize("callbacks", ["late", "never", "wrong"])
async def test_task_that_does_not_ring_in_time_is_asked_after_and_later_rings_are_refused(
    service: AceDataService, door: WatchedDoor, callbacks: Callbacks
) -> None:
    service.callbacks = callbacks
    async with build(service, mode="callback", door=door) as provider:
        voice = await provider.create(clone_request())
        seconds = await speak(provider, remote_id=voice.id)
    service.late.set()
    await service.outside.quiet()

    assert seconds == pytest.approx(LASTS, abs=0.2)
    assert {ring.status for ring in service.outside.rings} <= {404}
    assert len(service.outside.rings) == (0 if callbacks == "never" else 1)


async def test_voice_can_be_neither_changed_nor_removed_and_that_is_said(
    provider: AceDataProvider, service: AceDataService
) -> None:
    with pytest.raises(ProviderError, match="cannot change") as changing:
        await provider.update(VOICE, VoiceEdit(title="Bo"))
    with pytest.raises(ProviderError, match="cannot remove") as removing:
        await provider.delete(VOICE)

    assert (changing.value.kind, removing.value.kind) == ("invalid", "invalid")
    assert service.asked == []


@pytest.mark.parametrize("request_", [SpeechRequest(text=TEXT), SpeechRequest(text="🎉🎉", remote_id=VOICE)])
async def test_line_without_voice_or_words_is_refused_before_it_is_sent(
    provider: AceDataProvider, service: AceDataService, request_: SpeechRequest
) -> None:
    with pytest.raises(ProviderError) as caught:
        async with provider.synthesize(request_):
            pass

    assert caught.value.kind == "invalid"
    assert service.asked == []


def test_provider_says_what_it_can_do(door: WatchedDoor) -> None:
    settings = AceDataSettings()
    able = AceDataProvider(settings, downloads=Downloads()).capabilities
    reachable = AceDataProvider(settings, downloads=Downloads(), doorstep=door).capabilities
    old = AceDataProvider(AceDataSettings(mode="legacy"), downloads=Downloads()).capabilities

    assert (able.clones, able.finds, able.needs_links) == (True, True, True)
    assert (able.instant, able.deletes, able.edits, able.covers) == (False, False, False, False)
    assert able.visibilities == ("private",)
    assert (able.speeds, old.speeds) == ((0.5, 2.0), None)
    assert reachable.needs_links is False


@pytest.mark.parametrize(
    ("fields", "brackets"), [({"model": "s1"}, "round"), ({"model": "s2-pro"}, "square"), ({"mode": "legacy"}, "none")]
)
def test_tags_are_those_of_the_model(fields: dict[str, Any], brackets: str) -> None:
    provider = AceDataProvider(AceDataSettings.model_validate(fields), downloads=Downloads())

    assert provider.markup.brackets == brackets


async def test_key_links_and_words_are_in_no_repr_error_or_log(
    service: AceDataService, door: WatchedDoor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    link = service.results.lay_out(SOUND)
    service.results.reads = 1
    service.fail("POST /fish/tts", *answers(STARTED, {"audio_url": link}))
    service.fail("POST /fish/tasks", *answers(done(link)))
    service.fail("POST /fish/model", Fault(status=400, body={"status": 400, "message": f'["{LINK}"]'}))
    async with build(service, mode="callback", door=door, voices="string") as provider:
        await speak(provider)
        with pytest.raises(ProviderError) as expired:
            await speak(provider)
        with pytest.raises(ProviderError) as refused:
            await provider.create(clone_request())
        shown = caplog.text + repr(provider) + repr(vars(provider))
    shown += "".join(repr(error) + repr(error.__cause__) for error in (expired.value, refused.value))

    callback = service.last("POST", "/fish/tts").content()["callback_url"].rpartition("/")[2]
    signature = service.results.asked[0].query["signature"][0]
    for secret in (callback, signature, quote(signature, safe=""), "good-key", "SECRET", "first sentence"):
        assert secret not in shown
