"""Fish Audio's official client against the stand-in: what it can do there, the stand-in is faithful enough for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from fishaudio import AsyncFishAudio, FishAudio
from fishaudio.exceptions import (
    APIError,
    AuthenticationError,
    NotFoundError,
    RateLimitError,
    ServerError,
    WebSocketError,
)
from fishaudio.exceptions import (
    PermissionError as ForbiddenError,
)
from fishaudio.types import FlushEvent, ReferenceAudio, TTSConfig
from httpx_ws import WebSocketUpgradeError

from playground.services.fish import FishService, account_id
from playground.services.service import Fault
from tests.unit.playground.services.fishing import COVER, WAV

T = TypeVar("T")
LINE = "Hello there, this is a line."


async def official(fish: FishService, act: Callable[[FishAudio], T], *, key: str = "good-key") -> T:
    """Act with the client that waits, on a thread."""

    def work() -> T:
        with FishAudio(api_key=key, base_url=fish.url) as client:
            return act(client)

    return await asyncio.to_thread(work)


@asynccontextmanager
async def official_async(fish: FishService, *, key: str = "good-key") -> AsyncIterator[AsyncFishAudio]:
    async with AsyncFishAudio(api_key=key, base_url=fish.url) as client:
        yield client


def make(client: FishAudio, title: str = "Aki") -> str:
    return client.voices.create(title=title, voices=[WAV]).id


async def test_voice_is_created_with_every_field(fish: FishService) -> None:
    voice = await official(
        fish,
        lambda client: client.voices.create(
            title="Aki",
            voices=[WAV, WAV],
            texts=["One.", "Two."],
            tags=["warm", "low"],
            description="A voice",
            cover_image=COVER,
            visibility="public",
            enhance_audio_quality=False,
        ),
    )

    assert (voice.title, voice.description, voice.tags) == ("Aki", "A voice", ["warm", "low"])
    assert (voice.state, voice.visibility, voice.languages) == ("trained", "public", ["en"])
    assert voice.author.id == account_id("good-key")
    assert voice.created_at.tzinfo is not None


async def test_voices_are_listed_by_every_filter(fish: FishService) -> None:
    def act(client: FishAudio) -> list[list[str]]:
        for title in ("One", "Two"):
            make(client, title)
        client.voices.create(title="Три", voices=[WAV], tags=["a", "b"])
        pages = [
            client.voices.list(self_only=True, sort_by="created_at", page_size=2),
            client.voices.list(self_only=True, sort_by="created_at", page_size=2, page_number=2),
            client.voices.list(self_only=True, title="tw"),
            client.voices.list(self_only=True, tags=["a", "b"]),
            client.voices.list(self_only=True, language="en", title_language=["ru"]),
            client.voices.list(author_id="nobody"),
        ]
        return [[voice.title for voice in page.items] for page in pages]

    assert await official(fish, act) == [["Три", "Two"], ["One"], ["Two"], ["Три"], ["Три"], []]


async def test_voice_is_read_changed_and_deleted(fish: FishService) -> None:
    def act(client: FishAudio) -> tuple[str, str, list[str]]:
        voice_id = make(client)
        client.voices.update(
            voice_id, title="Bea", description="new", tags=["x"], cover_image=COVER, visibility="unlist"
        )
        voice = client.voices.get(voice_id)
        client.voices.delete(voice_id)
        with pytest.raises(NotFoundError):
            client.voices.get(voice_id)
        return voice.title, voice.visibility, voice.tags

    assert await official(fish, act) == ("Bea", "unlist", ["x"])


async def test_text_is_converted_and_streamed_with_a_voice_and_with_references(fish: FishService) -> None:
    def act(client: FishAudio) -> list[bytes]:
        voice_id = make(client)
        reference = ReferenceAudio(audio=WAV, text="Hm.")
        return [
            client.tts.convert(text=LINE, reference_id=voice_id),
            b"".join(client.tts.stream(text=LINE, reference_id=voice_id, format="opus", speed=1.5, latency="normal")),
            client.tts.convert(text=LINE, references=[reference], format="wav", model="s1"),
            client.tts.convert(text=LINE, config=TTSConfig(format="pcm", sample_rate=16_000)),
        ]

    mp3, opus, wav, pcm = await official(fish, act)

    assert (mp3[:3], opus[:4], wav[:4]) == (b"ID3", b"OggS", b"RIFF")
    assert len(pcm) == pytest.approx(0.06 * len(LINE) * 32_000, rel=0.02)
    assert [line["model"] for line in fish.spoken] == ["s2-pro", "s2-pro", "s1", "s2-pro"]
    assert (fish.spoken[1]["speed"], fish.spoken[2]["references"]) == (1.5, (WAV,))


async def test_text_is_spoken_over_a_websocket(fish: FishService) -> None:
    def words() -> Iterator[str | FlushEvent]:
        yield "Hello, "
        yield "there."
        yield FlushEvent()
        yield "And again."

    def act(client: FishAudio) -> bytes:
        reference = ReferenceAudio(audio=WAV, text="Hm.")
        return b"".join(client.tts.stream_websocket(words(), references=[reference], format="opus", speed=0.8))

    data = await official(fish, act)

    assert data.startswith(b"OggS")
    assert [(line["text"], line["speed"]) for line in fish.spoken] == [("Hello, there.", 0.8), ("And again.", 0.8)]


async def test_client_that_does_not_wait_speaks_over_http_and_over_a_websocket(fish: FishService) -> None:
    async def words() -> AsyncIterator[str]:
        yield "Hello, "
        yield "there."

    async with official_async(fish) as client:
        whole = await client.tts.convert(text=LINE, format="opus")
        live = [chunk async for chunk in client.tts.stream_websocket(words(), format="opus")]

    assert whole.startswith(b"OggS")
    assert b"".join(live).startswith(b"OggS")


async def test_websocket_that_finishes_with_error_or_breaks_off_is_an_error(fish: FishService) -> None:
    def act(client: FishAudio) -> None:
        with pytest.raises(WebSocketError):
            list(client.tts.stream_websocket(iter([LINE])))

    fish.live_finish = "error"
    await official(fish, act)
    fish.live_finish, fish.live_cut_after = "stop", 1
    await official(fish, act)

    assert len(fish.spoken) == 2


@pytest.mark.parametrize(("key", "status"), [("bad-key", 401), ("poor-key", 402)])
async def test_websocket_is_refused_at_the_handshake(fish: FishService, key: str, status: int) -> None:
    def act(client: FishAudio) -> int:
        with pytest.raises(WebSocketUpgradeError) as refused:
            list(client.tts.stream_websocket(iter([LINE])))
        return refused.value.response.status_code

    assert await official(fish, act, key=key) == status


async def test_recording_is_written_down(fish: FishService) -> None:
    fish.transcript = "One. Two."

    plain, timed = await official(
        fish,
        lambda client: (
            client.asr.transcribe(audio=WAV, language="en", include_timestamps=False),
            client.asr.transcribe(audio=WAV),
        ),
    )

    assert (plain.text, plain.segments) == ("One. Two.", [])
    assert [segment.text for segment in timed.segments] == ["One.", "Two."]
    assert timed.duration == pytest.approx(2.0, abs=0.05)


async def test_account_tells_credit_and_package(fish: FishService) -> None:
    credit, package = await official(
        fish,
        lambda client: (client.account.get_credits(check_free_credit=True), client.account.get_package()),
    )

    assert (credit.credit, credit.user_id) == (10, account_id("good-key"))
    assert credit.has_free_credit is False
    assert package.balance == package.total


async def test_refusals_become_the_errors_of_the_official_client(fish: FishService) -> None:
    fish.keys["other-key"] = 1.0
    voice_id = await official(fish, make)
    cases: list[tuple[str, Callable[[FishAudio], object], type[APIError], int, str]] = [
        ("bad-key", lambda client: client.tts.convert(text=LINE), AuthenticationError, 401, "Invalid Token"),
        ("bad-key", lambda client: client.voices.list(self_only=True), AuthenticationError, 401, "No permission"),
        ("poor-key", lambda client: client.tts.convert(text=LINE), APIError, 402, "Insufficient API credit"),
        ("other-key", lambda client: client.voices.get(voice_id), ForbiddenError, 403, "Forbidden"),
        ("good-key", lambda client: client.voices.get("0" * 32), NotFoundError, 404, "Model not found"),
        (
            "good-key",
            lambda client: client.tts.convert(text=LINE, reference_id="0" * 32),
            APIError,
            400,
            "Reference not found",
        ),
        ("good-key", lambda client: client.asr.transcribe(audio=b"none"), APIError, 400, "Invalid audio input"),
    ]

    for key, act, error, status, words in cases:
        with pytest.raises(error) as caught:
            await official(fish, act, key=key)
        assert (caught.value.status, words in caught.value.message) == (status, True)


async def test_busy_and_broken_service_become_the_errors_of_the_official_client(fish: FishService) -> None:
    fish.concurrency = 0
    with pytest.raises(RateLimitError, match="concurrency limit"):
        await official(fish, make)
    fish.concurrency = 5
    fish.fail("POST /model", Fault(status=503, body={"message": "Failed to preprocess audio: no available server"}))

    with pytest.raises(ServerError, match="no available server"):
        await official(fish, make)


async def test_bare_array_is_what_the_official_client_stumbles_over(fish: FishService) -> None:
    with pytest.raises(AttributeError):
        await official(fish, lambda client: client.voices.list(page_size=101))
