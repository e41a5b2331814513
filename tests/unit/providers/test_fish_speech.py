"""Fish Speech's dialect against its stand-in server, through real sockets; and its questions as values."""

import asyncio
import io
import json
import logging
import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import numpy as np
import ormsgpack
import pytest

from bot import audio
from bot.errors import ProviderError
from bot.models import PACKET_SECONDS, Sample
from bot.providers.base import CloneRequest, SpeechRequest, VoiceEdit, VoiceQuery
from bot.providers.faults import Account, Refusal, understand
from bot.providers.fish_speech import FishSpeechProvider
from bot.providers.fish_speech._questions import read_refusal, speech_question
from bot.providers.fish_speech._reference import join, make_id, read_voice, read_voice_id
from bot.providers.patience import Patience
from bot.settings import FishSpeechSettings
from playground.services.fish_speech import FishSpeechService
from playground.services.service import Fault
from playground.services.sound import babble, encode
from tests.unit.providers.sound import REPORT, heard, to_wav

VOICE_ID = "0123456789abcdef0123456789abcdef"
AKI = f"Aki-{VOICE_ID}"
TEXT = "The first sentence is short. The second one is a little longer than that."
QUICK = Patience(base=0.001, cap=0.002, connect=5.0, first_byte=5.0, between=5.0, create=5.0)
ACCOUNT = Account(label="Fish Speech", key_setting="FISHSPEECH_API_KEY")


def sample(*, level: float = 0.25, transcript: str = "The cat sat by the fire.", seconds: float = 10.0) -> Sample:
    return Sample(wav=to_wav(np.full(4800, level)), report=replace(REPORT, seconds=seconds), transcript=transcript)


def clone_request(*samples: Sample, title: str = "Aki", voice_id: str = VOICE_ID) -> CloneRequest:
    return CloneRequest(voice_id=voice_id, title=title, samples=samples or (sample(),), description="warm")


@pytest.fixture
async def service() -> AsyncIterator[FishSpeechService]:
    async with FishSpeechService(api_key="good-key") as opened:
        yield opened


def build(service: FishSpeechService, *, key: str = "good-key", **fields: Any) -> FishSpeechProvider:
    settings = FishSpeechSettings.model_validate({"base_url": service.url, "api_key": key, **fields})
    return FishSpeechProvider(settings, patience=QUICK)


@pytest.fixture(params=["msgpack", "json"])
async def provider(service: FishSpeechService, request: pytest.FixtureRequest) -> AsyncIterator[FishSpeechProvider]:
    async with build(service, answers=request.param) as opened:
        yield opened


async def speak(provider: FishSpeechProvider, request: SpeechRequest) -> float:
    """Speak, make packets of it, and return the seconds they last."""
    async with provider.synthesize(request) as stream:
        packer = audio.Packer(stream.encoding, stream.rate)
        packets = [packet async for chunk in stream.chunks for packet in packer.feed(chunk)]
        return PACKET_SECONDS * len(packets + packer.finish())


def answered(service: FishSpeechService, method: str, path: str) -> Any:
    return service.last(method, path).content()


async def test_voice_is_made_from_recording_and_words_and_read_back(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    voice = await provider.create(clone_request(sample(level=0.25), sample(level=0.5, transcript="It is late.")))

    assert (voice.id, voice.title, voice.state, voice.visibility) == (AKI, "Aki", "trained", "private")
    assert service.voices[AKI]["text"] == "The cat sat by the fire. It is late."
    assert service.voices[AKI]["audio"].startswith(b"RIFF")
    assert len(service.voices[AKI]["audio"]) == 44 + 2 * 9600
    assert await provider.get(AKI) == voice
    assert await provider.find(VOICE_ID) == voice


async def test_create_made_twice_makes_one_voice(provider: FishSpeechProvider, service: FishSpeechService) -> None:
    first = await provider.create(clone_request())
    second = await provider.create(clone_request(title="Bo"))

    assert first == second
    assert list(service.voices) == [AKI]


async def test_reference_that_is_there_already_under_our_id_is_ours(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    service.voices[AKI] = {"text": "x", "audio": b"RIFF", "filename": None}
    nobody = {"success": True, "message": "Found 0 reference voices", "reference_ids": []}
    service.fail("GET /v1/references/list", Fault(status=200, body=nobody))

    voice = await provider.create(clone_request())

    assert voice.id == AKI
    assert service.count("POST", "/v1/references/add") == 1


async def test_id_that_is_taken_by_nothing_that_can_speak_is_a_refusal(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    service.folders.add(AKI)

    with pytest.raises(ProviderError, match="choose another name") as caught:
        await provider.create(clone_request())

    assert caught.value.kind == "invalid"


async def test_create_without_words_is_refused_before_anything_is_sent(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    with pytest.raises(ProviderError, match="transcript"):
        await provider.create(clone_request(sample(transcript="")))

    assert service.count("POST", "/v1/references/add") == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500, body={"statusCode": 500, "message": "x", "error": "y"}, works_first=True),
        Fault(drops=True, works_first=True),
    ],
)
async def test_create_whose_answer_is_lost_is_sent_once_and_found_afterwards(
    provider: FishSpeechProvider, service: FishSpeechService, fault: Fault
) -> None:
    service.fail("POST /v1/references/add", fault)

    with pytest.raises(ProviderError) as caught:
        await provider.create(clone_request())

    found = await provider.find(VOICE_ID)
    assert caught.value.kind == "unknown_outcome"
    assert service.count("POST", "/v1/references/add") == 1
    assert found is not None
    assert found.id == AKI


async def test_create_that_says_it_failed_made_nothing(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    service.fail("POST /v1/references/add", Fault(status=200, body={"success": False, "message": "no"}))

    with pytest.raises(ProviderError) as caught:
        await provider.create(clone_request())

    assert caught.value.kind == "server"


@pytest.mark.parametrize("body", ["<html>hello</html>", ["a list"], ""])
async def test_create_whose_answer_makes_no_sense_may_have_made_a_voice(
    provider: FishSpeechProvider, service: FishSpeechService, body: Any
) -> None:
    service.fail("POST /v1/references/add", Fault(status=200, body=body, works_first=True))

    with pytest.raises(ProviderError) as caught:
        await provider.create(clone_request())

    assert caught.value.kind == "unknown_outcome"
    assert await provider.find(VOICE_ID) is not None


async def test_voice_that_was_never_made_is_not_found(provider: FishSpeechProvider) -> None:
    assert await provider.find(VOICE_ID) is None
    with pytest.raises(ProviderError) as caught:
        await provider.get(AKI)
    assert caught.value.kind == "not_found"


async def test_rename_gives_the_voice_another_id_that_ours_still_finds(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    await provider.create(clone_request())

    renamed = await provider.update(AKI, VoiceEdit(title="Bo Sun", description="cold", tags=("x",)))

    assert (renamed.id, renamed.title) == (f"Bo Sun-{VOICE_ID}", "Bo Sun")
    assert list(service.voices) == [renamed.id]
    assert await provider.find(VOICE_ID) == renamed


@pytest.mark.parametrize("edit", [VoiceEdit(description="cold"), VoiceEdit(title="Aki!")])
async def test_edit_that_changes_no_id_asks_for_nothing(
    provider: FishSpeechProvider, service: FishSpeechService, edit: VoiceEdit
) -> None:
    voice = await provider.create(clone_request())

    assert await provider.update(AKI, edit) == voice
    assert service.count("POST", "/v1/references/update") == 0


async def test_rename_whose_answer_was_lost_is_not_taken_for_a_failure(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    await provider.create(clone_request())
    service.fail("POST /v1/references/update", Fault(drops=True, works_first=True))

    renamed = await provider.update(AKI, VoiceEdit(title="Bo"))

    assert renamed.id == f"Bo-{VOICE_ID}"
    assert service.count("POST", "/v1/references/update") == 2


async def test_rename_to_an_id_that_is_taken_fails_and_changes_nothing(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    await provider.create(clone_request())
    service.voices[f"Bo-{VOICE_ID}"] = {"text": "x", "audio": b"RIFF", "filename": None}

    with pytest.raises(ProviderError) as caught:
        await provider.update(AKI, VoiceEdit(title="Bo"))

    assert caught.value.kind == "invalid"
    assert AKI in service.voices


async def test_voice_that_is_not_there_cannot_be_renamed(provider: FishSpeechProvider) -> None:
    with pytest.raises(ProviderError) as caught:
        await provider.update(AKI, VoiceEdit(title="Bo"))

    assert caught.value.kind == "not_found"


async def test_deleted_voice_is_gone_and_deleting_it_again_is_fine(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    await provider.create(clone_request())

    await provider.delete(AKI)
    await provider.delete(AKI)

    assert service.voices == {}


async def test_delete_that_fails_otherwise_is_told(provider: FishSpeechProvider, service: FishSpeechService) -> None:
    refused = {"success": False, "message": "Reference ID cannot be empty", "reference_id": ""}
    service.fail("DELETE /v1/references/delete", Fault(status=400, body=refused))

    with pytest.raises(ProviderError) as caught:
        await provider.delete(AKI)

    assert caught.value.kind == "invalid"


async def test_list_gives_pages_by_title_and_follows_the_title(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    for name in ("narrator", f"Bo-{VOICE_ID}", f"aki-{'f' * 32}"):
        service.voices[name] = {"text": "x", "audio": b"RIFF", "filename": None}

    first = await provider.list(VoiceQuery(size=2))
    second = await provider.list(VoiceQuery(size=2, page=2))
    titled = await provider.list(VoiceQuery(title="AK"))

    assert [voice.title for voice in first.voices] == ["aki", "Bo"]
    assert (first.total, first.more) == (3, True)
    assert [voice.title for voice in second.voices] == ["narrator"]
    assert second.more is False
    assert [voice.title for voice in titled.voices] == ["aki"]


@pytest.mark.parametrize("form", ["wav", "mp3"])
async def test_line_is_spoken_in_its_voice(service: FishSpeechService, form: str) -> None:
    async with build(service, format=form) as provider:
        await provider.create(clone_request())

        seconds = await speak(provider, SpeechRequest(text=TEXT, remote_id=AKI))

    assert seconds == pytest.approx(0.06 * len(TEXT), abs=0.2)
    assert service.spoke_by_default == []
    assert answered(service, "POST", "/v1/tts")["use_memory_cache"] == "on"
    assert "model" not in service.last("POST", "/v1/tts").headers


async def test_wav_is_heard_while_it_is_made(service: FishSpeechService) -> None:
    service.gate = asyncio.Event()
    async with build(service) as provider:
        await provider.create(clone_request())
        async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=AKI)) as stream:
            assert stream.encoding == "wav"
            first = await anext(stream.chunks)
            service.gate.set()
            rest = b"".join([chunk async for chunk in stream.chunks])

    assert len(first) <= service.portion
    assert len(rest) > len(first)


async def test_line_is_spoken_once_from_a_recording_that_is_not_kept(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    seconds = await speak(provider, SpeechRequest(text=TEXT, samples=(sample(),)))

    assert seconds == pytest.approx(0.06 * len(TEXT), abs=0.2)
    assert service.voices == {}
    assert service.spoke_by_default == []
    assert service.last("POST", "/v1/tts").media_type == "application/msgpack"


async def test_unknown_voice_is_found_out_before_the_server_speaks_in_another(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    with pytest.raises(ProviderError, match="no such voice") as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=AKI))

    assert caught.value.kind == "not_found"
    assert service.count("POST", "/v1/tts") == 0
    assert service.folders == set()


async def test_server_is_given_one_line_at_a_time_and_answers_other_questions_meanwhile(
    service: FishSpeechService,
) -> None:
    service.gate = asyncio.Event()
    async with build(service) as provider:
        await provider.create(clone_request())
        async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=AKI)) as first:
            await anext(first.chunks)
            second = asyncio.create_task(speak(provider, SpeechRequest(text=TEXT, remote_id=AKI)))
            for _ in range(5):
                assert await provider.find(VOICE_ID) is not None
            assert service.count("POST", "/v1/tts") == 1
            service.gate.set()
        await second

    assert service.count("POST", "/v1/tts") == 2
    assert service.most_sounds == 1


async def test_leaving_early_leaves_the_server_usable(service: FishSpeechService) -> None:
    async with build(service) as provider:
        await provider.create(clone_request())
        async with provider.synthesize(SpeechRequest(text=TEXT * 20, remote_id=AKI)) as stream:
            await anext(stream.chunks)

        assert await speak(provider, SpeechRequest(text="Again.", remote_id=AKI)) > 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429, body={"statusCode": 429, "message": "x", "error": "y"}, headers={"Retry-After": "0"}),
        Fault(status=500, body={"statusCode": 500, "message": "Failed to generate speech", "error": "y"}),
    ],
)
async def test_line_is_asked_for_again_where_that_may_help(
    provider: FishSpeechProvider, service: FishSpeechService, fault: Fault
) -> None:
    await provider.create(clone_request())
    service.fail("POST /v1/tts", fault)

    assert await speak(provider, SpeechRequest(text=TEXT, remote_id=AKI)) > 1
    assert service.count("POST", "/v1/tts") == 2


@pytest.mark.parametrize("fault", [Fault(drops=True), Fault(status=200, body="<html>down</html>")])
async def test_line_that_may_have_been_made_is_not_asked_for_again(
    provider: FishSpeechProvider, service: FishSpeechService, fault: Fault
) -> None:
    await provider.create(clone_request())
    service.fail("POST /v1/tts", fault)

    with pytest.raises(ProviderError):
        await speak(provider, SpeechRequest(text=TEXT, remote_id=AKI))

    assert service.count("POST", "/v1/tts") == 1


async def test_line_gives_its_place_back_when_all_has_arrived_heard_or_not(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    await provider.create(clone_request())
    line = SpeechRequest(text=TEXT, remote_id=AKI)

    async with asyncio.timeout(30), provider.synthesize(line) as unheard:
        assert await speak(provider, line) > 1
        assert b"".join([chunk async for chunk in unheard.chunks]).startswith(b"RIFF")


async def test_text_that_is_too_long_for_the_server_is_told_so(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    await provider.create(clone_request())
    service.max_text_length = 10

    with pytest.raises(ProviderError, match="fewer words") as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=AKI))

    assert caught.value.kind == "too_large"
    assert service.count("POST", "/v1/tts") == 1


async def test_sound_that_breaks_off_is_told_and_not_asked_for_again(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    await provider.create(clone_request())
    second = encode(babble(TEXT), "wav")[:88_244]
    service.fail("POST /v1/tts", Fault(body=second * 2, cuts_after=len(second)))

    with pytest.raises(ProviderError, match="broke off") as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=AKI))

    assert caught.value.kind == "network"
    assert service.count("POST", "/v1/tts") == 1


async def test_text_without_words_is_refused_before_it_is_sent(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    with pytest.raises(ProviderError, match="write some words") as caught:
        await speak(provider, SpeechRequest(text="🎉🎉", remote_id=AKI))

    assert caught.value.kind == "invalid"
    assert service.asked == []


async def test_check_counts_voices(provider: FishSpeechProvider) -> None:
    before = str(await provider.check())
    await provider.create(clone_request())

    assert before == "answers, 0 voices, 1 at once"
    assert str(await provider.check()) == "answers, 1 voice, 1 at once"


async def test_check_names_the_setting_of_a_wrong_key(service: FishSpeechService) -> None:
    async with build(service, key="bad-key") as provider:
        with pytest.raises(ProviderError, match="FISHSPEECH_API_KEY") as caught:
            await provider.check()

    assert caught.value.kind == "auth"


async def test_server_without_a_key_is_asked_without_one() -> None:
    async with FishSpeechService() as service:
        settings = FishSpeechSettings.model_validate({"base_url": service.url})
        async with FishSpeechProvider(settings, patience=QUICK) as provider:
            await provider.check()

        assert "authorization" not in service.asked[-1].headers


@pytest.mark.parametrize("body", ["<html>hello</html>", {"success": False, "message": "x"}, {"success": True}, [1]])
async def test_list_that_makes_no_sense_is_the_servers_fault(
    provider: FishSpeechProvider, service: FishSpeechService, body: Any
) -> None:
    service.fail("GET /v1/references/list", Fault(status=200, body=body))

    with pytest.raises(ProviderError) as caught:
        await provider.check()

    assert caught.value.kind == "server"


async def test_answers_are_asked_for_as_set(service: FishSpeechService) -> None:
    for form in ("msgpack", "json"):
        async with build(service, answers=form) as provider:
            await provider.check()
        assert service.last("GET", "/v1/references/list").headers["accept"] == f"application/{form}"


async def test_key_and_words_are_in_no_repr_error_or_log(
    service: FishSpeechService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.keys = {}
    service.keys["another-key"] = 1.0
    async with build(service) as provider:
        with pytest.raises(ProviderError) as caught:
            await provider.create(clone_request())
        shown = repr(provider) + repr(vars(provider)) + repr(caught.value) + repr(caught.value.__cause__)

    assert "good-key" not in shown + caplog.text
    assert "fire" not in shown + caplog.text


def test_provider_says_what_it_can_do() -> None:
    able = FishSpeechProvider.capabilities

    assert (able.clones, able.instant, able.deletes, able.edits, able.finds) == (True,) * 5
    assert able.needs_transcripts
    assert able.idempotent_create
    assert able.visibilities == ("private",)
    assert FishSpeechProvider(FishSpeechSettings(base_url="http://127.0.0.1:1")).markup.takes("laughing")


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Aki", "Aki"),
        ("  Aki   Sun ", "Aki Sun"),
        ("Zoë's vo/ice", "Zoe s vo ice"),
        ("あき", "voice"),
        ("a_b-c", "a_b-c"),
        ("x" * 500, "x" * 200),
    ],
)
def test_id_says_the_title_within_the_rule_and_is_read_back(title: str, slug: str) -> None:
    made = make_id(title, VOICE_ID)

    assert made == f"{slug}-{VOICE_ID}"
    assert len(made) <= 255
    assert read_voice_id(made) == VOICE_ID
    assert read_voice(made).title == slug


def test_id_that_is_not_ours_is_its_own_title() -> None:
    assert read_voice_id("narrator") == ""
    assert read_voice("narrator").title == "narrator"
    assert make_id("Bo", "") == "Bo"
    assert read_voice(VOICE_ID).title == VOICE_ID


def test_recordings_become_one_in_order_with_their_words() -> None:
    reference = join((sample(level=0.25, transcript=" One. "), sample(level=0.5, transcript="Two.")))

    with wave.open(io.BytesIO(reference.wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        sound = heard(file.readframes(file.getnframes()))
    assert reference.text == "One. Two."
    assert (len(sound), round(sound[0], 2), round(sound[-1], 2)) == (9600, 0.25, 0.5)


def test_recording_whose_words_are_not_known_is_left_out() -> None:
    reference = join((sample(level=0.25, transcript=" "), sample(level=0.5, transcript="Two.")))

    assert reference.text == "Two."


def test_reference_grows_no_longer_than_the_model_holds() -> None:
    samples = (sample(seconds=80, transcript="One."), sample(seconds=20, transcript="Two."))

    assert join(samples).text == "One."


def test_first_recording_is_taken_however_long_it_is() -> None:
    assert join((sample(seconds=300, transcript="One."),)).text == "One."


def test_reference_without_words_is_refused_with_what_to_do() -> None:
    with pytest.raises(ProviderError, match="with its transcript") as caught:
        join((sample(transcript=""),))

    assert caught.value.kind == "invalid"


@pytest.mark.parametrize("wav", [b"", b"RIFF1234WAVEjunk", to_wav(np.zeros(100), rate=16_000)])
def test_what_is_no_recording_is_refused(wav: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        join((Sample(wav=wav, report=REPORT, transcript="One."),))

    assert caught.value.kind == "invalid"


def test_line_is_streamed_as_wav_with_the_reference_kept_in_memory() -> None:
    question = speech_question(SpeechRequest(text="Hello.", remote_id=AKI, party=7), FishSpeechSettings())

    assert (question.method, question.path, question.party) == ("POST", "/v1/tts", 7)
    assert question.json == {
        "text": "Hello.",
        "format": "wav",
        "streaming": True,
        "use_memory_cache": "on",
        "reference_id": AKI,
    }
    assert "model" not in question.all_headers()


def test_mp3_is_asked_for_whole_because_only_wav_can_be_streamed() -> None:
    question = speech_question(SpeechRequest(text="Hello.", remote_id=AKI), FishSpeechSettings(format="mp3"))

    assert (question.json["format"], question.json["streaming"]) == ("mp3", False)


def test_samples_go_along_as_bytes_in_msgpack() -> None:
    question = speech_question(SpeechRequest(text="Hello.", samples=(sample(),)), FishSpeechSettings())

    assert question.all_headers()["Content-Type"] == "application/msgpack"
    assert question.raw is not None
    content = ormsgpack.unpackb(question.raw)
    assert content["references"] == [{"audio": sample().wav, "text": "The cat sat by the fire."}]
    assert "reference_id" not in content


def test_line_without_any_voice_is_refused() -> None:
    with pytest.raises(ProviderError) as caught:
        speech_question(SpeechRequest(text="Hello."), FishSpeechSettings())

    assert caught.value.kind == "invalid"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            400,
            {"statusCode": 400, "message": "Text is too long, max length is 100", "error": "Bad Request"},
            "too_large",
        ),
        (400, {"statusCode": 400, "message": "Streaming only supports WAV format", "error": "Bad Request"}, "invalid"),
        (401, {"statusCode": 401, "message": "Invalid token", "error": "Unauthorized"}, "auth"),
        (404, {"success": False, "message": "Reference ID 'x' not found", "reference_id": "x"}, "not_found"),
        (409, {"success": False, "message": "Reference ID 'x' already exists", "reference_id": "x"}, "invalid"),
        (415, {"statusCode": 415, "message": "x", "error": "Unsupported Media Type"}, "invalid"),
        (500, {"statusCode": 500, "message": "Failed to generate speech", "error": "x"}, "server"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_refusal_is_understood_in_json_and_msgpack(status: int, body: Any, kind: str, *, packed: bool) -> None:
    written = ormsgpack.packb(body) if packed else json.dumps(body).encode()

    assert understand(Refusal(status=status, body=written), ACCOUNT, read_refusal).kind == kind


def test_server_without_an_address_is_not_built() -> None:
    with pytest.raises(ValueError, match="FISHSPEECH_BASE_URL"):
        FishSpeechProvider(FishSpeechSettings())
