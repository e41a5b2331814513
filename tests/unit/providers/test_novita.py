"""The dialect of HighwayAPI, MyRouter and Novita AI against its stand-in, and its questions and refusals as values."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import ormsgpack
import pytest
from pydantic import SecretStr

from bot.audio import Packer
from bot.errors import ProviderError
from bot.models import PACKET_SECONDS, Sample, Visibility
from bot.providers.base import CloneRequest, SpeechRequest, VoiceEdit
from bot.providers.faults import Account, Refusal, understand
from bot.providers.markup import FISH_S1, FISH_S2, PLAIN
from bot.providers.novita import HighwayProvider, MyRouterProvider, NovitaProvider
from bot.providers.novita._refusals import UnreadError, read_refusal
from bot.providers.patience import Patience
from bot.settings import NovitaSettings
from playground.services.novita import NovitaService
from playground.services.service import Fault, Upload
from playground.services.sound import RATE, babble
from tests.unit.providers.sound import REPORT, to_wav

Reseller = HighwayProvider | MyRouterProvider | NovitaProvider

BRANDS: tuple[type[Reseller], ...] = (HighwayProvider, MyRouterProvider, NovitaProvider)
VOICE_ID = "0123456789abcdef0123456789abcdef"
TEXT = "A line that is long enough to last for a few seconds."
SECONDS = len(babble(TEXT)) / RATE
QUICK = Patience(base=0.001, cap=0.002, connect=5.0, first_byte=5.0, between=5.0, create=5.0)
ACCOUNT = Account(label="Novita AI", key_setting="NOVITA_API_KEY")
VOICE, LINE, S2_LINE = "/v4beta/model", "/v4beta/txt2speech", "/v3/fish-audio-s2-pro-text-to-speech"
LINKS = ("https://cdn.example.com/1.wav?sig=1", "https://cdn.example.com/2.wav?sig=2")
"""One for each recording of `CLONE`."""


def sample(*, level: float = 0.25, transcript: str = "") -> Sample:
    return Sample(wav=to_wav(np.full(48_000, level)), report=REPORT, transcript=transcript)


SAMPLES = (sample(transcript="The cat sat by the fire."), sample(level=0.5, transcript="Nobody else was there."))
CLONE = CloneRequest(
    voice_id=VOICE_ID, title="Aki", samples=SAMPLES, links=LINKS, description="A warm voice.", tags=("warm", "low")
)


FIELDS = {
    "type": "tts",
    "title": "Aki",
    "train_mode": "fast",
    "visibility": "private",
    "description": f"A warm voice. (mynah:{VOICE_ID})",
    "enhance_audio_quality": True,
    "tags": ["warm", "low"],
    "texts": ["The cat sat by the fire.", "Nobody else was there."],
}
"""Of `CLONE`, but for its recordings."""


def reason(status: int, name: str, message: str = "no") -> Fault:
    """Refuse as they do."""
    return Fault(status=status, body={"code": status, "reason": name, "message": message, "metadata": {}})


def understood(status: int, body: str | dict[str, Any] | list[Any]) -> ProviderError:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return understand(Refusal(status=status, body=raw), ACCOUNT, read_refusal)


@pytest.fixture
async def service() -> AsyncIterator[NovitaService]:
    async with NovitaService() as opened:
        yield opened


@asynccontextmanager
async def opened(
    service: NovitaService, brand: type[Reseller] = NovitaProvider, *, key: str = "good-key", **fields: Any
) -> AsyncIterator[Reseller]:
    settings = NovitaSettings(base_url=service.url, api_key=SecretStr(key), **fields)
    async with brand(settings, patience=QUICK) as provider:
        yield provider


@pytest.fixture
async def provider(service: NovitaService) -> AsyncIterator[Reseller]:
    async with opened(service) as made:
        yield made


async def seconds(provider: Reseller, request: SpeechRequest) -> float:
    """Speak a line, pack it as the rules do, and measure it."""
    packets: list[bytes] = []
    async with provider.synthesize(request) as stream:
        packer = Packer(stream.encoding, stream.rate)
        async for chunk in stream.chunks:
            packets += await asyncio.to_thread(packer.feed, chunk)
        packets += await asyncio.to_thread(packer.finish)
    return len(packets) * PACKET_SECONDS


async def listen(provider: Reseller, request: SpeechRequest, heard: bytearray) -> None:
    """Speak a line, and keep what comes even where it breaks off."""
    async with provider.synthesize(request) as stream:
        async for chunk in stream.chunks:
            heard += chunk


@pytest.fixture
async def line(provider: Reseller) -> SpeechRequest:
    """Give a line of a voice that was made."""
    return SpeechRequest(text=TEXT, remote_id=(await provider.create(CLONE)).id)


def test_each_brand_has_its_own_name_and_key() -> None:
    assert [(brand.name, brand.label, brand.account.key_setting) for brand in BRANDS] == [
        ("highwayapi", "HighwayAPI", "HIGHWAYAPI_API_KEY"),
        ("myrouter", "MyRouter", "MYROUTER_API_KEY"),
        ("novita", "Novita AI", "NOVITA_API_KEY"),
    ]


@pytest.mark.parametrize("brand", BRANDS)
async def test_each_brand_clones_and_speaks(service: NovitaService, brand: type[Reseller]) -> None:
    async with opened(service, brand) as provider:
        voice = await provider.create(CLONE)
        assert await seconds(provider, SpeechRequest(text=TEXT, remote_id=voice.id)) == pytest.approx(SECONDS, abs=0.15)


async def test_a_voice_comes_back_as_it_was_asked_for(service: NovitaService, provider: Reseller) -> None:
    voice = await provider.create(CLONE)
    assert set(service.voices) == {voice.id}
    assert (voice.title, voice.description, voice.tags) == ("Aki", "A warm voice.", ("warm", "low"))
    assert (voice.visibility, voice.state) == ("private", "trained")


async def test_multipart_carries_each_recording_and_what_is_said_in_it(
    service: NovitaService, provider: Reseller
) -> None:
    await provider.create(CLONE)
    asked = service.last("POST", VOICE)
    assert asked.form is not None
    form = dict(asked.form)
    assert form.pop("voices") == [
        Upload(SAMPLES[0].wav, "sample-1.wav", "audio/wav"),
        Upload(SAMPLES[1].wav, "sample-2.wav", "audio/wav"),
    ]
    words = {**FIELDS, "enhance_audio_quality": "true"}
    assert form == {name: value if isinstance(value, list) else [value] for name, value in words.items()}
    assert "content-length" in asked.headers


async def test_base64_carries_each_recording_in_json(service: NovitaService) -> None:
    service.encodings = frozenset({"json_base64"})
    async with opened(service, upload="json_base64") as provider:
        voice = await provider.create(CLONE)
    asked = service.last("POST", VOICE)
    content = asked.content()
    assert asked.media_type == "application/json"
    assert [base64.b64decode(each, validate=True) for each in content.pop("voices")] == [each.wav for each in SAMPLES]
    assert content == FIELDS
    assert service.recordings[voice.id] == tuple(each.wav for each in SAMPLES)


async def test_links_are_carried_in_json(service: NovitaService, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service.encodings = frozenset({"json_url"})
    async with opened(service, upload="json_url") as provider:
        voice = await provider.create(CLONE)
    assert service.last("POST", VOICE).content() == {**FIELDS, "voices": list(LINKS)}
    assert service.recordings[voice.id] == LINKS
    assert LINKS[0] not in caplog.text


@pytest.mark.parametrize("upload", ["multipart", "json_base64", "json_url"])
async def test_an_encoding_that_is_not_taken_is_named_by_its_setting(service: NovitaService, upload: Any) -> None:
    service.encodings = frozenset({"multipart", "json_base64", "json_url"}) - {upload}
    async with opened(service, upload=upload) as provider:
        with pytest.raises(ProviderError, match="NOVITA_UPLOAD") as caught:
            await provider.create(CLONE)
    assert caught.value.kind == "invalid"
    assert service.count("POST", VOICE) == 1
    assert not service.voices


@pytest.mark.parametrize("upload", ["multipart", "json_base64", "json_url"])
@pytest.mark.parametrize("visibility", ["private", "unlist"])
async def test_who_sees_a_voice_is_always_said_and_read_back(
    service: NovitaService, upload: Any, visibility: Visibility
) -> None:
    service.encodings = frozenset({upload})
    async with opened(service, upload=upload) as provider:
        voice = await provider.create(replace(CLONE, visibility=visibility))
        assert service.voices[voice.id]["visibility"] == voice.visibility == visibility
        service.forced_visibility = "public"
        assert (await provider.create(CLONE)).visibility == "public"


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("state", ["created", "training", "trained", "failed"])
async def test_a_voice_may_come_with_200_or_201_in_any_state(
    service: NovitaService, provider: Reseller, status: Any, state: Any
) -> None:
    service.create_status, service.made_state = status, state
    assert (await provider.create(CLONE)).state == state


async def test_what_would_be_empty_is_left_out(service: NovitaService) -> None:
    half = replace(CLONE, samples=(SAMPLES[0], sample()), tags=())
    async with opened(service, enhance=False) as provider:
        await provider.create(half)
    form = service.last("POST", VOICE).form
    assert form is not None
    assert not {"tags", "texts"} & set(form)
    assert form["enhance_audio_quality"] == ["false"]


async def test_samples_of_many_megabytes_are_taken(service: NovitaService, provider: Reseller) -> None:
    long = Sample(wav=to_wav(np.zeros(48_000 * 60)), report=REPORT)
    assert (await provider.create(replace(CLONE, samples=(long,)))).state == "trained"


async def test_links_are_not_sent_where_there_is_none_for_each_recording(service: NovitaService) -> None:
    async with opened(service, upload="json_url") as provider:
        for links in ((), LINKS[:1]):
            with pytest.raises(ProviderError, match="NOVITA_UPLOAD") as caught:
                await provider.create(replace(CLONE, links=links))
            assert caught.value.kind == "invalid"
    assert not service.asked


async def test_a_voice_without_a_recording_is_not_asked_for(service: NovitaService, provider: Reseller) -> None:
    with pytest.raises(ProviderError, match="needs a recording"):
        await provider.create(replace(CLONE, samples=()))
    assert not service.asked


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_create_that_met_an_error_is_sent_once_and_its_outcome_unknown(
    service: NovitaService, provider: Reseller, status: int
) -> None:
    service.fail(f"POST {VOICE}", Fault(status=status, body="upstream", works_first=True))
    with pytest.raises(ProviderError, match="did not say whether the voice was made") as caught:
        await provider.create(CLONE)
    assert caught.value.kind == "unknown_outcome"
    assert service.count("POST", VOICE) == 1
    assert len(service.voices) == 1


@pytest.mark.parametrize("fault", [reason(500, "TASK_FAILED"), reason(503, "SERVICE_NOT_AVAILABLE"), Fault(drops=True)])
async def test_a_create_whose_answer_is_lost_is_sent_once(
    service: NovitaService, provider: Reseller, fault: Fault
) -> None:
    service.fail(f"POST {VOICE}", fault)
    with pytest.raises(ProviderError) as caught:
        await provider.create(CLONE)
    assert caught.value.kind == "unknown_outcome"
    assert service.count("POST", VOICE) == 1


@pytest.mark.parametrize("body", ["<html>", {"code": 0}, {"_id": ""}, []])
async def test_an_answer_to_a_create_that_makes_no_sense_leaves_its_outcome_unknown(
    service: NovitaService, provider: Reseller, body: Any
) -> None:
    service.fail(f"POST {VOICE}", Fault(status=200, body=body))
    with pytest.raises(ProviderError) as caught:
        await provider.create(CLONE)
    assert caught.value.kind == "unknown_outcome"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (reason(429, "RATE_LIMIT_EXCEEDED"), "rate_limited"),
        (reason(400, "BILLING_BALANCE_NOT_ENOUGH"), "no_credit"),
        (reason(400, "INVALID_AUDIO_FILE"), "invalid"),
    ],
)
async def test_a_create_that_was_refused_is_not_sent_again(
    service: NovitaService, provider: Reseller, fault: Fault, kind: str
) -> None:
    service.fail(f"POST {VOICE}", fault)
    with pytest.raises(ProviderError) as caught:
        await provider.create(CLONE)
    assert caught.value.kind == kind
    assert service.count("POST", VOICE) == 1
    assert not service.voices


async def test_it_says_that_it_can_neither_show_change_nor_delete_a_voice(
    service: NovitaService, provider: Reseller
) -> None:
    with pytest.raises(ProviderError, match="Novita AI cannot be asked about a voice") as getting:
        await provider.get("voice")
    with pytest.raises(ProviderError, match="cannot be asked which voices") as finding:
        await provider.find(VOICE_ID)
    with pytest.raises(ProviderError, match="cannot change a voice") as updating:
        await provider.update("voice", VoiceEdit(title="Mia"))
    with pytest.raises(ProviderError, match="Novita AI cannot delete voices: it stays") as deleting:
        await provider.delete("voice")
    assert {each.value.kind for each in (getting, finding, updating, deleting)} == {"invalid"}
    can = provider.capabilities
    assert (can.clones, can.instant, can.deletes, can.edits, can.finds) == (True, True, False, False, False)
    assert can.visibilities == ("private",)
    assert not service.asked


@pytest.mark.parametrize("route", ["txt2speech", "s2_pro"])
@pytest.mark.parametrize("form", ["opus", "mp3", "wav", "pcm"])
async def test_a_line_is_heard_whole_in_each_format_on_each_route(
    service: NovitaService, route: str, form: str
) -> None:
    async with opened(service, route=route, format=form) as provider:
        voice = await provider.create(CLONE)
        assert await seconds(provider, SpeechRequest(text=TEXT, remote_id=voice.id)) == pytest.approx(SECONDS, abs=0.15)


async def test_the_model_is_named_in_the_header_of_each_line(service: NovitaService) -> None:
    service.models = frozenset({"s1", "s1-next"})
    async with opened(service, model="s1-next") as provider:
        voice = await provider.create(CLONE)
        await seconds(provider, SpeechRequest(text=TEXT, remote_id=voice.id))
        await seconds(provider, SpeechRequest(text=TEXT, samples=SAMPLES))
        await provider.check()
    assert [asked.headers["model"] for asked in service.asked if asked.path == LINE] == ["s1-next"] * 3
    assert [spoken["model"] for spoken in service.spoken] == ["s1-next"] * 2


async def test_a_model_that_is_not_there_is_named_by_its_setting(service: NovitaService) -> None:
    async with opened(service, HighwayProvider, model="s9") as provider:
        with pytest.raises(ProviderError, match="HIGHWAYAPI_MODEL"):
            await seconds(provider, SpeechRequest(text=TEXT, samples=SAMPLES))
        with pytest.raises(ProviderError, match="HIGHWAYAPI_MODEL"):
            await provider.check()


async def test_a_brand_without_the_s2_route_says_which_setting_to_change(service: NovitaService) -> None:
    service.s2_route = False
    async with opened(service, MyRouterProvider, route="s2_pro") as provider:
        with pytest.raises(ProviderError, match="MYROUTER_ROUTE"):
            await seconds(provider, SpeechRequest(text=TEXT, samples=SAMPLES))
        with pytest.raises(ProviderError, match="MYROUTER_ROUTE"):
            await provider.check()


async def test_a_line_says_what_the_older_route_knows(
    service: NovitaService, provider: Reseller, line: SpeechRequest
) -> None:
    assert await seconds(provider, replace(line, speed=2.0)) == pytest.approx(SECONDS / 2, abs=0.15)
    asked = service.last("POST", LINE)
    assert asked.media_type == "application/json"
    assert asked.content() == {
        "text": TEXT,
        "reference_id": line.remote_id,
        "format": "mp3",
        "sample_rate": 44_100,
        "latency": "balanced",
        "prosody": {"speed": 2.0},
    }


@pytest.mark.parametrize(("latency", "older"), [("low", "balanced"), ("normal", "normal"), ("balanced", "balanced")])
async def test_the_older_route_is_not_asked_for_a_latency_it_does_not_know(
    service: NovitaService, latency: str, older: str
) -> None:
    for route, path, sent in (("txt2speech", LINE, older), ("s2_pro", S2_LINE, latency)):
        async with opened(service, route=route, latency=latency, format="opus") as provider:
            voice = await provider.create(CLONE)
            await seconds(provider, SpeechRequest(text=TEXT, remote_id=voice.id))
        content = service.last("POST", path).content()
        assert (content["latency"], content["sample_rate"]) == (sent, 48_000)
        assert "prosody" not in content


async def test_recordings_go_with_a_line_as_bytes_on_the_older_route(
    service: NovitaService, provider: Reseller
) -> None:
    assert await seconds(provider, SpeechRequest(text=TEXT, samples=SAMPLES)) > 1
    asked = service.last("POST", LINE)
    content = ormsgpack.unpackb(asked.body)
    assert asked.media_type == "application/msgpack"
    assert asked.headers["model"] == "s1"
    assert content["references"] == [{"audio": each.wav, "text": each.transcript} for each in SAMPLES]
    assert "reference_id" not in content
    assert not service.voices


async def test_recordings_go_with_a_line_as_base64_on_the_s2_route(service: NovitaService) -> None:
    async with opened(service, route="s2_pro") as provider:
        assert await seconds(provider, SpeechRequest(text=TEXT, samples=SAMPLES)) > 1
    content = service.last("POST", S2_LINE).content()
    assert [base64.b64decode(each["audio"], validate=True) for each in content["references"]] == [
        each.wav for each in SAMPLES
    ]
    assert [each["text"] for each in content["references"]] == [each.transcript for each in SAMPLES]


async def test_a_line_without_a_voice_is_not_sent(service: NovitaService, provider: Reseller) -> None:
    with pytest.raises(ProviderError, match="needs a voice") as caught:
        await seconds(provider, SpeechRequest(text=TEXT))
    assert caught.value.kind == "invalid"
    assert not service.asked


async def test_sound_arrives_while_the_rest_is_still_being_made(
    service: NovitaService, provider: Reseller, line: SpeechRequest
) -> None:
    service.gate = asyncio.Event()
    async with provider.synthesize(line) as stream:
        first = await anext(stream.chunks)
        service.gate.set()
        rest = [chunk async for chunk in stream.chunks]
    assert first
    assert rest


async def test_a_voice_that_is_gone_is_not_found(service: NovitaService, provider: Reseller) -> None:
    with pytest.raises(ProviderError, match="clone it again") as caught:
        await seconds(provider, SpeechRequest(text=TEXT, remote_id="f" * 32))
    assert caught.value.kind == "not_found"


@pytest.mark.parametrize(
    "faults",
    [
        [reason(429, "RATE_LIMIT_EXCEEDED")],
        [reason(429, "TOKEN_LIMIT_EXCEEDED"), reason(503, "SERVICE_NOT_AVAILABLE")],
        [Fault(status=503, body="busy"), reason(500, "TASK_FAILED")],
    ],
)
async def test_a_line_is_asked_for_again_until_it_is_spoken(
    service: NovitaService, provider: Reseller, line: SpeechRequest, faults: list[Fault]
) -> None:
    service.fail(f"POST {LINE}", *faults)
    assert await seconds(provider, line) == pytest.approx(SECONDS, abs=0.15)
    assert service.count("POST", LINE) == 1 + len(faults)


async def test_a_line_whose_answer_was_lost_is_not_paid_for_again(
    service: NovitaService, provider: Reseller, line: SpeechRequest
) -> None:
    service.fail(f"POST {LINE}", Fault(drops=True))
    with pytest.raises(ProviderError) as caught:
        await seconds(provider, line)
    assert caught.value.kind == "network"
    assert service.count("POST", LINE) == 1


async def test_a_check_may_be_asked_twice(service: NovitaService, provider: Reseller) -> None:
    service.fail(f"POST {LINE}", Fault(drops=True))
    assert "key accepted" in str(await provider.check())


@pytest.mark.parametrize(("upload", "needs"), [("multipart", False), ("json_base64", False), ("json_url", True)])
async def test_links_are_needed_where_recordings_are_sent_as_links(
    service: NovitaService, upload: str, needs: bool
) -> None:
    async with opened(service, upload=upload) as provider:
        assert provider.capabilities.needs_links is needs
    assert NovitaProvider.capabilities.needs_links is False


async def test_a_refusal_under_200_is_understood_by_its_reason(
    service: NovitaService, provider: Reseller, line: SpeechRequest
) -> None:
    service.fail(f"POST {LINE}", reason(200, "NOT_ENOUGH_BALANCE"))
    with pytest.raises(ProviderError) as caught:
        await seconds(provider, line)
    assert caught.value.kind == "no_credit"


async def test_a_line_that_breaks_off_is_not_said_again(
    service: NovitaService, provider: Reseller, line: SpeechRequest
) -> None:
    service.fail(f"POST {LINE}", Fault(body=b"ID3" + bytes(60_000), cuts_after=30_000, content_type="audio/mpeg"))
    heard = bytearray()
    with pytest.raises(ProviderError, match="broke off"):
        await listen(provider, line, heard)
    assert len(heard) == 30_000
    assert service.count("POST", LINE) == 1


async def test_an_empty_account_neither_clones_nor_speaks(service: NovitaService) -> None:
    async with opened(service, key="poor-key") as provider:
        with pytest.raises(ProviderError, match="credit") as speaking:
            await seconds(provider, SpeechRequest(text=TEXT, samples=SAMPLES))
        with pytest.raises(ProviderError, match="credit") as checking:
            await provider.check()
    assert {speaking.value.kind, checking.value.kind} == {"no_credit"}


async def test_a_bad_key_is_named_by_its_setting_and_shown_nowhere(
    service: NovitaService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with opened(service, MyRouterProvider, key="sk-secret-1234") as provider:
        with pytest.raises(ProviderError, match="MYROUTER_API_KEY") as speaking:
            await seconds(provider, SpeechRequest(text=TEXT, remote_id="voice"))
        with pytest.raises(ProviderError, match="MYROUTER_API_KEY") as creating:
            await provider.create(CLONE)
        with pytest.raises(ProviderError, match="MYROUTER_API_KEY") as checking:
            await provider.check()
        errors = [each.value for each in (speaking, creating, checking)]
        shown = "".join(map(repr, (provider, vars(provider), *errors, *map(str, errors)))) + caplog.text
    assert {error.kind for error in errors} == {"auth"}
    assert "secret" not in shown
    assert TEXT not in shown


async def test_nothing_that_was_sent_is_logged(
    service: NovitaService, provider: Reseller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    voice = await provider.create(CLONE)
    service.fail(f"POST {LINE}", reason(429, "RATE_LIMIT_EXCEEDED", message=TEXT))
    await seconds(provider, SpeechRequest(text=TEXT, remote_id=voice.id))
    await provider.check()
    for secret in ("good-key", TEXT, LINKS[0], "The cat sat"):
        assert secret not in caplog.text


@pytest.mark.parametrize(("route", "path"), [("txt2speech", LINE), ("s2_pro", S2_LINE)])
async def test_check_shows_the_key_on_the_route_that_is_set_and_says_nothing(
    service: NovitaService, route: str, path: str
) -> None:
    async with opened(service, route=route) as provider:
        assert str(await provider.check()) == "key accepted, 5 at once"
    assert [(asked.path, asked.content()) for asked in service.asked] == [(path, {})]
    assert service.keys["good-key"] == 10.0


@pytest.mark.parametrize("fault", [reason(400, "INVALID_REQUEST_BODY"), Fault(status=422, body=[]), Fault(status=200)])
async def test_check_takes_any_word_about_the_body_for_a_good_key(
    service: NovitaService, provider: Reseller, fault: Fault
) -> None:
    service.fail(f"POST {LINE}", fault)
    assert (await provider.check()).summary == "key accepted"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (reason(403, "INVALID_API_KEY"), "auth"),
        (reason(403, "NOT_ENOUGH_BALANCE"), "no_credit"),
        (reason(404, "MODEL_NOT_FOUND"), "not_found"),
        (Fault(status=404, body="404 page not found"), "not_found"),
    ],
)
async def test_check_raises_what_speaking_would_meet(
    service: NovitaService, provider: Reseller, fault: Fault, kind: str
) -> None:
    service.fail(f"POST {LINE}", fault)
    with pytest.raises(ProviderError) as caught:
        await provider.check()
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("route", "model", "markup"),
    [("txt2speech", "s1", FISH_S1), ("txt2speech", "speech-1.6", PLAIN), ("s2_pro", "s1", FISH_S2)],
)
def test_tags_are_written_as_the_model_of_the_route_takes_them(route: Any, model: str, markup: object) -> None:
    settings = NovitaSettings(base_url="https://api.novita.ai", route=route, model=model)
    assert NovitaProvider(settings).markup is markup


@pytest.mark.parametrize(
    ("status", "name", "kind", "says"),
    [
        (401, "FAILED_TO_AUTH", "auth", "NOVITA_API_KEY"),
        (403, "INVALID_API_KEY", "auth", "NOVITA_API_KEY"),
        (400, "MISSING_API_KEY", "auth", "NOVITA_API_KEY"),
        (403, "ACCESS_DENY", "auth", "verified"),
        (403, "NOT_ENOUGH_BALANCE", "no_credit", "Nothing was charged"),
        (400, "BILLING_BALANCE_NOT_ENOUGH", "no_credit", "Nothing was charged"),
        (404, "MODEL_NOT_FOUND", "not_found", "NOVITA_MODEL"),
        (404, "API_NOT_FOUND", "not_found", "NOVITA_ROUTE and NOVITA_BASE_URL"),
        (400, "INVALID_REQUEST_BODY", "invalid", "HTTP 400"),
        (400, "INVALID_AUDIO_FILE", "invalid", "10 seconds"),
        (429, "RATE_LIMIT_EXCEEDED", "rate_limited", "busy"),
        (429, "TOKEN_LIMIT_EXCEEDED", "rate_limited", "busy"),
        (503, "SERVICE_NOT_AVAILABLE", "server", "try again"),
        (500, "TASK_FAILED", "server", "try again"),
        (418, "SOMETHING_NEW", "invalid", "HTTP 418"),
    ],
)
def test_each_reason_means_what_it_says(status: int, name: str, kind: str, says: str) -> None:
    error = understood(status, {"code": status, "reason": name, "message": "no", "metadata": {}})
    assert error.kind == kind
    assert says in str(error)


def test_a_reason_tells_more_than_the_words_beside_it() -> None:
    error = understood(404, {"code": 404, "reason": "MODEL_NOT_FOUND", "message": "model not found", "metadata": {}})
    assert "NOVITA_MODEL" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (400, {"message": "Reference not found", "status": 400}, "not_found", "clone it again"),
        (404, {"message": "Model not found", "status": 404, "reason": None}, "not_found", "clone it again"),
        (400, "reference_id must be 1..=128 chars of [A-Za-z0-9_-]", "not_found", "clone it again"),
        (400, {"reason": "INVALID_REQUEST_BODY", "message": "Reference not found"}, "not_found", "clone it again"),
        (400, {"message": "Reference Audio is not valid, please check", "status": 400}, "invalid", "10 seconds"),
        (400, {"message": "Reference audio too long", "status": 400}, "invalid", "less than six minutes"),
        (400, {"message": "speed must be in [0.5, 2.0]", "status": 400}, "invalid", "0.5 to 2"),
        (400, {"message": "Invalid sample rate 9 for format audio/mpeg"}, "invalid", "NOVITA_FORMAT"),
        (400, "Failed to parse json request body: unknown variant `aac`", "invalid", "NOVITA_FORMAT"),
        (429, "exceeded your current concurrency limit", "rate_limited", "busy"),
        (401, {"message": "Invalid Token", "status": 401}, "auth", "NOVITA_API_KEY"),
        (402, {"message": "Insufficient API credit.", "status": 402}, "no_credit", "Nothing was charged"),
        (413, "Payload too large", "too_large", "more than"),
        (422, [{"loc": ["body", "type"], "type": "missing", "msg": "Field required"}], "invalid", "HTTP 422"),
        (503, {"message": "Failed to preprocess audio: no available server", "status": 503}, "server", "HTTP 503"),
        (500, "reference not found", "server", "HTTP 500"),
        (404, "404 page not found", "not_found", "NOVITA_BASE_URL"),
    ],
)
def test_what_stands_behind_them_is_understood_too(status: int, body: Any, kind: str, says: str) -> None:
    error = understood(status, body)
    assert error.kind == kind
    assert says in str(error)


@pytest.mark.parametrize(
    ("status", "body"), [(400, {"reason": "INVALID_REQUEST_BODY"}), (415, "Unsupported Media Type")]
)
def test_a_body_that_was_not_read_is_told_from_one_that_was(status: int, body: Any) -> None:
    assert isinstance(understood(status, body), UnreadError)
    assert not isinstance(understood(422, []), UnreadError)
