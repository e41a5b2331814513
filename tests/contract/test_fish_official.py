"""What our Fish Audio provider says on the wire, field by field beside what the official client says for the same."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ormsgpack
import pytest
from fishaudio import FishAudio
from fishaudio.types import ReferenceAudio, TTSConfig
from jsonschema import ValidationError

from bot.providers.base import SpeechRequest, VoiceEdit, VoiceQuery
from bot.providers.fish import FishProvider
from playground.services.fish import FishService
from playground.services.service import Asked, Upload
from tests.contract.conftest import make
from tests.contract.schemas import check, form_values, needs_openapi, request_schema
from tests.unit.providers.fish_house import KEY, OURS, clone_request, fish, sample
from tests.unit.providers.sound import speak

COVER = b"\xff\xd8\xff\xe0 a picture"
LINE = "The first sentence is short. The second one is longer."
TRANSPORT = {"host", "accept", "accept-encoding", "connection", "content-length", "sec-websocket-key"}
"""Headers that speak of the connection."""

CREATE_DIFFERS = {
    "description": "ours ends with the mark that a lost voice is found again by",
    "generate_sample": "ours says no; theirs cannot say, and no is the default",
    "voices": "ours names each recording a wav; theirs calls it `upload`, of no kind, and lets the service look",
    "cover_image": "ours names the picture a jpeg; theirs as above",
}
SPEECH_DIFFERS = {
    "chunk_length": "theirs says 200; ours leaves the service's own 300",
    "opus_bitrate": "theirs says 32, which the schema does not allow any more; ours leaves it to the service",
    "prosody": "ours has loudness evened out in so many words; theirs cannot say, and that is the default",
    "references": "theirs sends an empty list beside a voice; ours sends recordings only in place of one",
}
SPEECH_DEFAULTS = {
    "mp3_bitrate", "normalize", "top_p", "temperature", "max_new_tokens", "repetition_penalty", "min_chunk_length",
    "condition_on_previous_chunks", "early_stop_threshold",
}  # fmt: skip
"""What theirs says although it is the service's default, and ours does not."""


async def official(service: FishService, act: Callable[[FishAudio], object]) -> None:
    def work() -> None:
        with FishAudio(api_key=KEY, base_url=service.url) as client:
            act(client)

    await asyncio.to_thread(work)


def differing(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> set[str]:
    """Name the fields that are not the same, or not on both sides."""
    return {name for name in {*ours, *theirs} if name not in ours or name not in theirs or ours[name] != theirs[name]}


def headers_differing(ours: Asked, theirs: Asked) -> set[str]:
    kept = [
        {name: value.partition(";")[0].casefold() for name, value in asked.headers.items() if name not in TRANSPORT}
        for asked in (ours, theirs)
    ]
    return differing(kept[0], kept[1])


def two(service: FishService, method: str, path: str) -> tuple[Asked, Asked]:
    """Give our request and the official client's, which was sent after it."""
    ours, theirs = [asked for asked in service.asked if (asked.method, asked.path) == (method, path)]
    return ours, theirs


async def test_voice_is_created_as_the_official_client_does_it(service: FishService, provider: FishProvider) -> None:
    one, two_ = sample(transcript="One."), sample(2.5, transcript="Two.")
    await provider.create(clone_request(one, two_, visibility="public", cover=COVER))
    await official(
        service,
        lambda client: client.voices.create(
            title="Aki",
            voices=[one.wav, two_.wav],
            texts=["One.", "Two."],
            tags=["a", "b"],
            description="warm",
            cover_image=COVER,
            visibility="public",
        ),
    )

    ours, theirs = two(service, "POST", "/model")

    assert ours.form is not None
    assert theirs.form is not None
    assert differing(ours.form, theirs.form) == set(CREATE_DIFFERS)
    assert differing(form_values(ours), form_values(theirs)) == {"description", "generate_sample"}
    assert [value for value in ours.form["description"] if isinstance(value, str) and OURS in value]
    assert ours.form["generate_sample"] == ["false"]
    assert kinds(ours.form["voices"]) == [("sample-1.wav", "audio/wav"), ("sample-2.wav", "audio/wav")]
    assert kinds(theirs.form["voices"]) == [("upload", "application/octet-stream")] * 2
    assert headers_differing(ours, theirs) == {"user-agent"}


def kinds(values: Iterable[str | Upload]) -> list[tuple[str | None, str | None]]:
    return [(value.filename, value.media_type) for value in values if isinstance(value, Upload)]


@pytest.mark.parametrize("mine", [True, False])
async def test_voices_are_listed_as_the_official_client_does_it(
    service: FishService, provider: FishProvider, mine: bool
) -> None:
    author = {} if mine else {"author_id": "0" * 32}
    await provider.list(
        VoiceQuery(
            mine=mine,
            title="a",
            tags=("warm", "low"),
            author="0" * 32,
            languages=("en", "de"),
            title_language="en",
            sort="created_at",
            page=2,
            size=50,
        )
    )
    await official(
        service,
        lambda client: client.voices.list(
            page_size=50,
            page_number=2,
            title="a",
            tags=["warm", "low"],
            self_only=mine,
            language=["en", "de"],
            title_language="en",
            sort_by="created_at",
            **author,
        ),
    )

    ours, theirs = two(service, "GET", "/model")

    assert differing(ours.query, theirs.query) == set()
    assert headers_differing(ours, theirs) == {"user-agent"}


async def test_voice_is_changed_as_the_official_client_does_it(service: FishService, provider: FishProvider) -> None:
    voice_id = await make(provider)
    edit = VoiceEdit(title="Bea", description="new", tags=("x", "y"), visibility="unlist", cover=COVER)
    await provider.update(voice_id, edit)
    await official(
        service,
        lambda client: client.voices.update(
            voice_id, title="Bea", description="new", tags=["x", "y"], visibility="unlist", cover_image=COVER
        ),
    )

    ours, theirs = two(service, "PATCH", f"/model/{voice_id}")

    assert differing(form_values(ours), form_values(theirs)) == set()
    assert headers_differing(ours, theirs) == {"user-agent"}


async def test_voice_without_a_new_picture_is_changed_in_json_where_the_official_client_sends_a_form(
    service: FishService, provider: FishProvider
) -> None:
    voice_id = await make(provider)
    await provider.update(voice_id, VoiceEdit(title="Bea", tags=("x", "y")))
    await official(service, lambda client: client.voices.update(voice_id, title="Bea", tags=["x", "y"]))

    ours, theirs = two(service, "PATCH", f"/model/{voice_id}")

    assert (ours.media_type, theirs.media_type) == ("application/json", "application/x-www-form-urlencoded")
    assert ours.content() == {"title": "Bea", "tags": ["x", "y"]}
    assert form_values(theirs) == {"title": ["Bea"], "tags": ["x", "y"]}


async def test_line_is_asked_for_as_the_official_client_does_it(service: FishService, provider: FishProvider) -> None:
    voice_id = await make(provider)
    await speak(provider, SpeechRequest(text=LINE, remote_id=voice_id, speed=1.5))
    await official(
        service,
        lambda client: client.tts.convert(
            text=LINE, reference_id=voice_id, speed=1.5, config=TTSConfig(format="opus", sample_rate=48_000)
        ),
    )

    ours, theirs = two(service, "POST", "/v1/tts")
    said, say = ours.content(), theirs.content()

    assert differing(said, say) == set(SPEECH_DIFFERS) | SPEECH_DEFAULTS
    assert SPEECH_DEFAULTS.isdisjoint(said)
    assert (say["chunk_length"], say["opus_bitrate"], say["references"]) == (200, 32, [])
    assert differing(said["prosody"], say["prosody"]) == {"normalize_loudness"}
    # theirs packs everything; ours packs what holds recordings, and is JSON otherwise
    assert headers_differing(ours, theirs) == {"user-agent", "content-type"}


async def test_line_with_recordings_is_packed_as_the_official_client_does_it(
    service: FishService, provider: FishProvider
) -> None:
    recording = sample(transcript="Hm.")
    await speak(provider, SpeechRequest(text=LINE, samples=(recording,)))
    await official(
        service,
        lambda client: client.tts.convert(
            text=LINE,
            references=[ReferenceAudio(audio=recording.wav, text="Hm.")],
            speed=1.0,
            config=TTSConfig(format="opus", sample_rate=48_000),
        ),
    )

    ours, theirs = two(service, "POST", "/v1/tts")

    assert differing(ours.content(), theirs.content()) == (set(SPEECH_DIFFERS) - {"references"}) | SPEECH_DEFAULTS
    assert headers_differing(ours, theirs) == {"user-agent"}


@needs_openapi
async def test_what_the_official_client_says_beside_ours_is_the_service_s_default(service: FishService) -> None:
    await official(service, lambda client: client.tts.convert(text=LINE))
    said = service.last("POST", "/v1/tts").content()

    documented = request_schema("/v1/tts", "post", "application/json")["components"]["schemas"]["TTSRequest"]

    with pytest.raises(ValidationError, match="32 is not one of"):
        check(said, request_schema("/v1/tts", "post", "application/msgpack"))
    for name in SPEECH_DEFAULTS:
        assert (name, said[name]) == (name, documented["properties"][name]["default"])


async def test_live_line_is_said_as_the_official_client_does_it(service: FishService) -> None:
    async with fish(service, model="s2-pro", transport="websocket") as provider:
        voice_id = await make(provider)
        await speak(provider, SpeechRequest(text=LINE, remote_id=voice_id, speed=1.5))
    ours = [event for event in service.heard if event["event"] != "flush"]
    service.heard.clear()
    await official(
        service,
        lambda client: list(
            client.tts.stream_websocket(
                iter(event["text"] for event in ours if event["event"] == "text"),
                reference_id=voice_id,
                speed=1.5,
                config=TTSConfig(format="opus", sample_rate=48_000),
            )
        ),
    )

    theirs = service.heard

    assert ours[1:] == theirs[1:]
    assert differing(ours[0]["request"], theirs[0]["request"]) == set(SPEECH_DIFFERS) | SPEECH_DEFAULTS
    assert headers_differing(*two(service, "GET", "/v1/tts/live")) == {"user-agent"}


async def test_recording_is_sent_in_a_form_where_the_official_client_packs_it(
    service: FishService, provider: FishProvider
) -> None:
    recording = sample()
    await provider.transcribe(recording)
    await official(service, lambda client: client.asr.transcribe(audio=recording.wav, include_timestamps=False))

    ours, theirs = two(service, "POST", "/v1/asr")

    assert form_values(ours) == {"audio": [recording.wav], "ignore_timestamps": ["true"]}
    assert ormsgpack.unpackb(theirs.body) == {"audio": recording.wav, "ignore_timestamps": True}
    assert headers_differing(ours, theirs) == {"user-agent", "content-type"}
