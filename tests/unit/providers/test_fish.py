import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import ormsgpack
import pytest

from bot.errors import ProviderError
from bot.providers.base import CloneRequest, SpeechRequest, VoiceEdit, VoiceQuery
from bot.providers.fish import FishProvider
from bot.providers.fish import _questions as questions
from bot.providers.patience import Patience
from bot.settings import FishSettings
from playground.services.fish import FishService, account_id
from playground.services.service import Fault, Upload
from tests.unit.providers.fish_house import (
    HASTY,
    KEY,
    OURS,
    SECONDS,
    TEXT,
    chain,
    clone_request,
    collect,
    fish,
    listen,
    sample,
    speak,
)

JPEG = b"\xff\xd8\xff\xe0 a picture"
MAKE, SAY, HEAR = "POST /model", "POST /v1/tts", "POST /v1/asr"


@pytest.fixture
async def service() -> AsyncIterator[FishService]:
    async with FishService() as opened:
        yield opened


@pytest.fixture
async def provider(service: FishService) -> AsyncIterator[FishProvider]:
    async with fish(service) as opened:
        yield opened


def form_of(service: FishService, method: str = "POST", path: str = "/model") -> dict[str, list[str | Upload]]:
    form = service.last(method, path).form
    assert form is not None
    return dict(form)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def far_end(serve: Serve) -> AsyncIterator[str]:
    """Open a server of bare bytes; leaving waits until each of its connections is served."""
    served = asyncio.Event()
    served.set()
    open_ones = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_ones
        open_ones += 1
        served.clear()
        try:
            await serve(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            open_ones -= 1
            if not open_ones:
                served.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 22) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await served.wait()


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Open a server that reads one request, gives this answer and hangs up."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
        heard.append(head + await reader.readexactly(length))
        writer.write(answer)
        await writer.drain()

    async with far_end(serve) as url:
        yield url, heard


# --- voices -----------------------------------------------------------------------------------------------------------


async def test_create_sends_every_field_as_the_service_names_it(service: FishService, provider: FishProvider) -> None:
    samples = (sample(1, transcript="One."), sample(2, transcript="Two."))

    voice = await provider.create(clone_request(*samples, visibility="unlist", cover=JPEG, party=7))

    form = form_of(service)
    recordings = form.pop("voices")
    assert form.pop("cover_image") == [Upload(JPEG, "cover.jpg", "image/jpeg")]
    assert form == {
        "type": ["tts"],
        "train_mode": ["fast"],
        "title": ["Aki"],
        "visibility": ["unlist"],
        "enhance_audio_quality": ["true"],
        "generate_sample": ["false"],
        "description": [f"warm (mynah:{OURS})"],
        "tags": ["a", "b"],
        "texts": ["One.", "Two."],
    }
    assert recordings == [
        Upload(samples[0].wav, "sample-1.wav", "audio/wav"),
        Upload(samples[1].wav, "sample-2.wav", "audio/wav"),
    ]
    assert (voice.title, voice.description, voice.tags, voice.visibility) == ("Aki", "warm", ("a", "b"), "unlist")
    assert voice.state == "trained"
    assert await provider.get(voice.id) == voice


async def test_create_leaves_out_transcripts_that_are_not_there_for_each_sample(
    service: FishService, provider: FishProvider
) -> None:
    await provider.create(clone_request(sample(1, transcript="One."), sample(1)))

    assert "texts" not in form_of(service)
    assert service.count("POST", "/v1/asr") == 0


async def test_create_sends_private_and_the_enhancement_that_is_set(service: FishService) -> None:
    async with fish(service, enhance=False) as provider:
        await provider.create(clone_request())

    assert form_of(service)["visibility"] == ["private"]
    assert form_of(service)["enhance_audio_quality"] == ["false"]


async def test_uploads_go_out_with_their_length_and_in_one_piece() -> None:
    long = sample(30)
    body = json.dumps({"_id": "a" * 32}).encode()
    answer = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )
    async with answering(answer) as (url, heard):
        settings = FishSettings(base_url=url, api_key=KEY)
        async with FishProvider(settings, patience=HASTY) as provider:
            await provider.create(clone_request(long, cover=JPEG))

    head, _, sent = heard[0].partition(b"\r\n\r\n")
    assert f"content-length: {len(sent)}".encode() in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert b"content-type: multipart/form-data; boundary=" in head.lower()
    assert long.wav in sent


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (CloneRequest(voice_id=OURS, title="Aki", samples=()), "attach one"),
        (clone_request(visibility="public"), "cover"),
    ],
)
async def test_create_that_cannot_be_right_is_not_sent(
    service: FishService, provider: FishProvider, request_: CloneRequest, words: str
) -> None:
    with pytest.raises(ProviderError, match=words) as caught:
        await provider.create(request_)

    assert caught.value.kind == "invalid"
    assert service.asked == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503, body={"message": "Failed to preprocess audio: no available server", "status": 503}),
        Fault(status=500, works_first=True),
        Fault(drops=True, works_first=True),
        Fault(status=201, body={"message": "what"}),
        Fault(status=201, body="<html>", content_type="text/html"),
    ],
)
async def test_create_whose_outcome_is_unknown_is_sent_exactly_once(
    service: FishService, provider: FishProvider, fault: Fault
) -> None:
    service.fail(MAKE, fault)

    with pytest.raises(ProviderError) as caught:
        await provider.create(clone_request())

    assert caught.value.kind == "unknown_outcome"
    assert service.count("POST", "/model") == 1
    found = await provider.find(OURS)
    assert (found is not None) == fault.works_first


async def test_create_is_waited_for_longer_than_other_answers(service: FishService) -> None:
    service.fail(MAKE, Fault(hangs=True))
    patience = Patience(base=0.001, cap=0.002, first_byte=0.01, create=0.5)
    async with fish(service, patience=patience) as provider:
        with pytest.raises(ProviderError) as caught:
            await provider.create(clone_request())

    assert caught.value.kind == "unknown_outcome"
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert service.count("POST", "/model") == 1


async def test_refused_create_was_not_made_and_says_what_is_wrong(service: FishService, provider: FishProvider) -> None:
    service.fail(MAKE, Fault(status=429, body="You have exceeded your current concurrency limit"))

    with pytest.raises(ProviderError) as caught:
        await provider.create(clone_request())

    assert caught.value.kind == "rate_limited"
    assert service.count("POST", "/model") == 1


async def test_missing_transcripts_are_written_first_where_that_is_set(service: FishService) -> None:
    async with fish(service, transcribe=True) as provider:
        await provider.create(clone_request(sample(1.5, transcript="One."), sample(2)))

    assert form_of(service)["texts"] == ["One.", service.transcript]
    assert service.count("POST", "/v1/asr") == 1


@pytest.mark.parametrize("fault", [Fault(status=402), Fault(status=200, body={"text": "  "})])
async def test_failed_transcription_does_not_stop_the_create(service: FishService, fault: Fault) -> None:
    service.fail(HEAR, fault)
    async with fish(service, transcribe=True) as provider:
        voice = await provider.create(clone_request(sample(2), sample(2)))

    assert voice.state == "trained"
    assert "texts" not in form_of(service)
    assert service.count("POST", "/v1/asr") == 1


async def test_voice_in_training_is_told_until_it_is_trained(service: FishService, provider: FishProvider) -> None:
    service.trained_after = 2

    voice = await provider.create(clone_request())

    assert voice.state == "created"
    assert (await provider.get(voice.id)).state == "training"
    assert (await provider.get(voice.id)).state == "trained"


async def test_voice_is_found_by_our_id_behind_a_page_of_newer_ones(
    service: FishService, provider: FishProvider
) -> None:
    voice = await provider.create(clone_request())
    for number in range(101):
        entity = service.publish(f"newer {number}")
        service.owners[entity["_id"]] = KEY

    assert await provider.find(OURS) == voice
    assert service.last("GET", "/model").query["page_number"] == ["2"]
    assert service.last("GET", "/model").query["self"] == ["true"]
    assert service.last("GET", "/model").query["sort_by"] == ["created_at"]


async def test_search_for_a_voice_ends_where_the_list_does(service: FishService, provider: FishProvider) -> None:
    endless = {"items": [{"_id": "a", "title": "x"}], "total": 10_000, "has_more": True}
    service.fail("GET /model", *[Fault(status=200, body=endless)] * 12)

    assert await provider.find(OURS) is None
    assert service.count("GET", "/model") == 10

    service.faults.clear()
    assert await provider.find(OURS) is None
    assert service.count("GET", "/model") == 11


async def test_list_sends_every_filter_and_reads_the_page(service: FishService, provider: FishProvider) -> None:
    for number in range(3):
        service.publish(f"Aki {number}", tags=("a", "b"), languages=("ja",), task_count=number)
    query = VoiceQuery(
        mine=False,
        title="Aki",
        tags=("a", "b"),
        author=account_id("somebody else"),
        languages=("ja", "en"),
        title_language="en",
        sort="task_count",
        page=2,
        size=2,
    )

    page = await provider.list(query)

    assert service.last("GET", "/model").query == {
        "page_size": ["2"],
        "page_number": ["2"],
        "self": ["false"],
        "sort_by": ["task_count"],
        "title": ["Aki"],
        "tag": ["a", "b"],
        "author_id": [account_id("somebody else")],
        "language": ["ja", "en"],
        "title_language": ["en"],
    }
    assert [voice.title for voice in page.voices] == ["Aki 0"]
    assert page.voices[0].train_mode == "full"
    assert (page.total, page.more) == (3, False)


async def test_list_of_mine_leaves_the_author_out_and_asks_for_a_hundred_at_most(
    service: FishService, provider: FishProvider
) -> None:
    await provider.create(clone_request())

    page = await provider.list(VoiceQuery(author="somebody", size=500))

    assert [voice.title for voice in page.voices] == ["Aki"]
    assert "author_id" not in service.last("GET", "/model").query
    assert service.last("GET", "/model").query["page_size"] == ["100"]


@pytest.mark.parametrize(("total", "more"), [(40, True), (20, False)])
async def test_page_that_does_not_say_whether_more_come_is_counted(
    service: FishService, provider: FishProvider, total: int, more: bool
) -> None:
    items = [{"_id": "a", "title": "x"}, "no voice", {"title": "no id"}]
    service.fail("GET /model", Fault(status=200, body={"items": items, "total": total, "has_more": None}))

    page = await provider.list(VoiceQuery(page=2, size=10))

    assert ([voice.id for voice in page.voices], page.total, page.more) == (["a"], total, more)


@pytest.mark.parametrize("body", [{"total": 3}, ["x"], "<html>"])
async def test_page_that_is_none_is_a_fault_of_the_service(
    service: FishService, provider: FishProvider, body: str | list[str] | dict[str, int]
) -> None:
    service.fail("GET /model", Fault(status=200, body=body))

    with pytest.raises(ProviderError) as caught:
        await provider.list(VoiceQuery())

    assert caught.value.kind == "server"


async def test_edit_sends_what_is_given_and_reads_back_what_became_of_it(
    service: FishService, provider: FishProvider
) -> None:
    voice = await provider.create(clone_request())

    edited = await provider.update(voice.id, VoiceEdit(title="Bo", tags=()))

    assert service.last("PATCH", f"/model/{voice.id}").content() == {"title": "Bo", "tags": []}
    assert (edited.title, edited.tags, edited.description) == ("Bo", (), "warm")
    assert edited == await provider.get(voice.id)


async def test_edit_with_a_picture_is_a_form_and_can_make_the_voice_public(
    service: FishService, provider: FishProvider
) -> None:
    voice = await provider.create(clone_request())

    edited = await provider.update(
        voice.id, VoiceEdit(cover=JPEG, visibility="public", description="", tags=("c", "d"))
    )

    assert form_of(service, "PATCH", f"/model/{voice.id}") == {
        "description": [""],
        "visibility": ["public"],
        "tags": ["c", "d"],
        "cover_image": [Upload(JPEG, "cover.jpg", "image/jpeg")],
    }
    assert (edited.visibility, edited.tags) == ("public", ("c", "d"))
    assert edited.cover_image


async def test_edit_takes_all_tags_away_beside_a_picture_too(service: FishService, provider: FishProvider) -> None:
    voice = await provider.create(clone_request())

    edited = await provider.update(voice.id, VoiceEdit(cover=JPEG, tags=()))

    assert edited.tags == ()
    assert edited.cover_image


async def test_edit_of_nothing_only_reads(service: FishService, provider: FishProvider) -> None:
    voice = await provider.create(clone_request())

    assert await provider.update(voice.id, VoiceEdit()) == voice
    assert service.count("PATCH", f"/model/{voice.id}") == 0


async def test_public_without_a_picture_is_refused_with_what_to_add(
    service: FishService, provider: FishProvider
) -> None:
    voice = await provider.create(clone_request())

    with pytest.raises(ProviderError, match="picture") as caught:
        await provider.update(voice.id, VoiceEdit(visibility="public"))

    assert caught.value.kind == "invalid"


@pytest.mark.parametrize("status", [200, 204])
async def test_deleted_voice_is_gone_and_deleting_it_again_is_fine(
    service: FishService, provider: FishProvider, status: int
) -> None:
    service.delete_status = 200 if status == 200 else 204
    voice = await provider.create(clone_request())

    await provider.delete(voice.id)
    await provider.delete(voice.id)
    await provider.delete("no id at all!")

    assert service.voices == {}
    with pytest.raises(ProviderError) as caught:
        await provider.get(voice.id)
    assert caught.value.kind == "not_found"


async def test_delete_that_is_refused_is_told(service: FishService, provider: FishProvider) -> None:
    service.fail("DELETE /model/{id}", Fault(status=401))

    with pytest.raises(ProviderError) as caught:
        await provider.delete("a" * 32)

    assert caught.value.kind == "auth"


@pytest.mark.parametrize("remote_id", ["", "../wallet", "a/b", "ü", "a" * 129])
async def test_what_cannot_be_an_id_is_not_asked_for(
    service: FishService, provider: FishProvider, remote_id: str
) -> None:
    with pytest.raises(ProviderError) as read:
        await provider.get(remote_id)
    with pytest.raises(ProviderError) as edited:
        await provider.update(remote_id, VoiceEdit(title="x"))
    with pytest.raises(ProviderError) as said:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=remote_id))

    assert {read.value.kind, edited.value.kind, said.value.kind} == {"not_found"}
    assert service.asked == []


# --- speech -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "encoding", "rate"),
    [("opus", "ogg", 48_000), ("mp3", "mp3", 44_100), ("wav", "wav", 44_100), ("pcm", "pcm", 44_100)],
)
async def test_line_is_heard_whole_in_each_format(service: FishService, form: str, encoding: str, rate: int) -> None:
    service.portion = 1001
    async with fish(service, format=form) as provider:
        voice = await provider.create(clone_request())
        async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=voice.id)) as stream:
            heard = await listen(stream)

    assert (stream.encoding, stream.rate) == (encoding, rate)
    assert heard == pytest.approx(SECONDS, abs=0.15)


async def test_line_with_a_voice_is_json_and_names_the_model(service: FishService) -> None:
    async with fish(service, model="s1", format="mp3", latency="low") as provider:
        voice = await provider.create(clone_request())
        heard = await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id, speed=2.0))

    asked = service.last("POST", "/v1/tts")
    assert asked.headers["model"] == "s1"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["content-length"] == str(len(asked.body))
    assert asked.content() == {
        "text": TEXT,
        "reference_id": voice.id,
        "format": "mp3",
        "sample_rate": 44_100,
        "latency": "low",
        "prosody": {"speed": 2.0, "volume": 0, "normalize_loudness": True},
    }
    assert heard == pytest.approx(SECONDS / 2, abs=0.15)


async def test_line_with_samples_is_msgpack_and_leaves_no_voice(service: FishService, provider: FishProvider) -> None:
    samples = (sample(20, transcript="One."), sample(1))

    heard = await speak(provider, SpeechRequest(text=TEXT, samples=samples))

    asked = service.last("POST", "/v1/tts")
    assert asked.headers["content-type"] == "application/msgpack"
    assert "transfer-encoding" not in asked.headers
    assert asked.content()["references"] == [
        {"audio": samples[0].wav, "text": "One."},
        {"audio": samples[1].wav, "text": ""},
    ]
    assert "reference_id" not in asked.content()
    assert heard == pytest.approx(SECONDS, abs=0.15)
    assert service.voices == {}


async def test_line_without_any_voice_is_not_sent(service: FishService, provider: FishProvider) -> None:
    with pytest.raises(ProviderError, match="choose one") as caught:
        await speak(provider, SpeechRequest(text=TEXT))

    assert caught.value.kind == "invalid"
    assert service.asked == []


async def test_sound_is_handed_on_before_all_of_it_is_made(service: FishService, provider: FishProvider) -> None:
    service.gate = asyncio.Event()
    voice = await provider.create(clone_request())

    async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=voice.id)) as stream:
        first = await anext(stream.chunks)
        service.gate.set()
        rest = [chunk async for chunk in stream.chunks]

    assert first.startswith(b"OggS")
    assert rest


async def test_leaving_early_frees_the_place(service: FishService, provider: FishProvider) -> None:
    service.gate = asyncio.Event()
    voice = await provider.create(clone_request())
    for _ in range(service.concurrency + 1):
        async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=voice.id)) as stream:
            await anext(stream.chunks)
    service.gate.set()

    assert await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))


async def test_leaving_early_hangs_up() -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nOggSOggS\r\n")
        while await reader.read(1000):
            pass
        gone.set()

    async with far_end(serve) as url:
        settings = FishSettings(base_url=url, api_key=KEY)
        async with FishProvider(settings, patience=HASTY) as provider:
            async with provider.synthesize(SpeechRequest(text=TEXT, remote_id="a" * 32)) as stream:
                first = await anext(stream.chunks)
            await gone.wait()

    assert first == b"OggSOggS"


@pytest.mark.parametrize("form", ["opus", "mp3", "wav", "pcm"])
async def test_sound_that_is_cut_fails_after_what_came_and_is_not_asked_for_again(
    service: FishService, form: str
) -> None:
    async with fish(service, format=form) as provider:
        voice = await provider.create(clone_request())
        request = SpeechRequest(text=TEXT, remote_id=voice.id)
        whole, _ = await collect(provider, request)
        service.fail(SAY, Fault(cuts_after=5000, body=whole, content_type="audio/x"))
        got, error = await collect(provider, request)

    assert error is not None
    assert error.kind == "network"
    assert "broke off" in str(error)
    assert got == whole[:5000]
    assert service.count("POST", "/v1/tts") == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429, body="You have exceeded your current concurrency limit"),
        Fault(status=429, headers={"Retry-After": "0"}),
        Fault(status=500),
    ],
)
async def test_line_that_was_refused_for_now_is_asked_for_again(
    service: FishService, provider: FishProvider, fault: Fault
) -> None:
    voice = await provider.create(clone_request())
    service.fail(SAY, fault)

    heard = await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))

    assert heard == pytest.approx(SECONDS, abs=0.15)
    assert service.count("POST", "/v1/tts") == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(drops=True),
        Fault(status=200, body="<html>", content_type="text/html"),
        Fault(status=200, body={"message": "sorry"}, content_type="audio/opus"),
        Fault(status=200, body=b"", content_type="audio/opus"),
        Fault(status=200, body=b"\x00\x01garbage", content_type="audio/opus"),
        Fault(status=302, headers={"Location": "http://127.0.0.1:1/v1/tts"}),
        Fault(cuts_after=2, body=b"OggS", content_type="audio/opus"),
    ],
)
async def test_line_that_may_have_been_made_is_not_paid_for_again(
    service: FishService, provider: FishProvider, fault: Fault
) -> None:
    voice = await provider.create(clone_request())
    service.fail(SAY, fault)

    with pytest.raises(ProviderError) as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))

    assert caught.value.kind in {"network", "server"}
    assert service.count("POST", "/v1/tts") == 1


async def test_service_that_stays_broken_is_given_up(service: FishService, provider: FishProvider) -> None:
    voice = await provider.create(clone_request())
    service.fail(SAY, *[Fault(status=500)] * 9)

    with pytest.raises(ProviderError, match="try again in a few minutes") as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))

    assert caught.value.kind == "server"
    assert service.count("POST", "/v1/tts") == HASTY.attempts


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"])
async def test_first_sound_that_does_not_come_says_so_and_not_that_it_broke_off(head: bytes) -> None:
    attempts = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        writer.write(head)
        while await reader.read(1000):
            pass

    async with far_end(serve) as url:
        settings = FishSettings(base_url=url, api_key=KEY)
        patience = Patience(base=0.001, cap=0.002, first_byte=0.05, attempts=2)
        async with FishProvider(settings, patience=patience) as provider:
            got, error = await collect(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))

    assert error is not None
    assert (got, error.kind, attempts) == (b"", "network", 1)
    assert "did not answer in time" in str(error)


async def test_sound_without_end_is_ended(service: FishService) -> None:
    portion = b"\1\2" * 4_000_000
    service.fail(SAY, Fault(endless=True, body=portion, content_type="audio/pcm"))
    async with fish(service, format="pcm") as provider:
        got, error = await collect(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))

    assert "without end" in str(error)
    assert 100_000_000 < len(got) <= 128_000_000


async def test_quiet_sound_that_begins_like_a_bracket_is_sound(service: FishService) -> None:
    sound = b"\x3c\x00\x5b\xff" * 8000
    service.fail(SAY, Fault(status=200, body=sound, content_type="audio/pcm"))
    async with fish(service, format="pcm") as provider:
        got, error = await collect(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))

    assert (got, error) == (sound, None)


async def test_concurrency_that_the_service_tells_is_followed(service: FishService, provider: FishProvider) -> None:
    service.concurrency = 2
    voice = await provider.create(clone_request())

    said = [speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id, party=party)) for party in range(6)]
    heard = await asyncio.gather(*said)

    assert all(heard)
    assert service.most_at_once == 2


# --- refusals ---------------------------------------------------------------------------------------------------------


def told(status: int, message: str) -> Fault:
    return Fault(status=status, body={"message": message, "status": status})


RECORDING = [{"loc": ["body", "voices"], "type": "missing", "msg": "Field required", "in": "body"}]
LITERAL = [{"loc": ["body", "train_mode"], "type": "literal_error", "msg": "Input should be 'fast'", "in": "body"}]


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (told(401, "Invalid Token"), "auth", "FISH_API_KEY"),
        (Fault(status=401, body="No permission -- see authorization schemes"), "auth", "FISH_API_KEY"),
        (Fault(status=400, headers={"X-Fish-Error-Code": "invalid_api_key"}), "auth", "FISH_API_KEY"),
        (Fault(status=403, headers={"x-fish-error-code": "insufficient_balance"}), "no_credit", "API credit"),
        (told(402, "Insufficient API credit."), "no_credit", "API credit"),
        (told(403, "Forbidden"), "auth", "does not let"),
        (told(404, "Model not found"), "not_found", "no such voice"),
        (told(400, "Reference not found"), "not_found", "no such voice"),
        (told(400, "reference_id must be 1..=128 chars of [A-Za-z0-9_-]"), "not_found", "no such voice"),
        (told(400, "reference_id[0] must be 1..=128 chars of [A-Za-z0-9_-]"), "not_found", "no such voice"),
        (told(400, "Reference Audio is not valid, please check your reference audio"), "invalid", "not valid"),
        (told(400, "Reference audio too long"), "invalid", "too long"),
        (told(400, "Invalid audio input: failed to detect a supported audio format: x"), "invalid", "cannot read"),
        (told(400, "speed must be in [0.5, 2.0]"), "invalid", r"0\.5 to 2"),
        (told(400, "Invalid sample rate 7 for format audio/mpeg. Supported 44100"), "invalid", "FISH_FORMAT"),
        (Fault(status=400, body="Failed to parse json request body: unknown variant `aac`"), "invalid", "FISH_FORMAT"),
        (
            Fault(status=400, body="Failed to parse json request body: missing field `text`"),
            "invalid",
            "nothing to say",
        ),
        (Fault(status=400, body="Failed to parse msgpack request body: invalid type"), "invalid", "HTTP 400"),
        (Fault(status=413, body="Payload too large"), "too_large", "more than"),
        (Fault(status=422, body=RECORDING), "invalid", "recording"),
        (Fault(status=422, body=LITERAL), "invalid", "HTTP 422"),
        (Fault(status=422, body=["x", {"loc": "y"}]), "invalid", "HTTP 422"),
    ],
)
async def test_each_refusal_has_its_kind_and_a_sentence_that_says_what_to_do(
    service: FishService, provider: FishProvider, fault: Fault, kind: str, words: str
) -> None:
    service.fail(SAY, fault)

    with pytest.raises(ProviderError, match=words) as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))

    assert caught.value.kind == kind
    assert service.count("POST", "/v1/tts") == 1


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Failed to preprocess audio: no available server", "recordings"),
        ("Failed to transcribe audio: x", "write down"),
    ],
)
async def test_service_that_is_down_says_what_for(
    service: FishService, provider: FishProvider, message: str, words: str
) -> None:
    service.fail(HEAR, *[told(503, message)] * 9)

    with pytest.raises(ProviderError, match=words) as caught:
        await provider.transcribe(sample())

    assert caught.value.kind == "server"
    assert service.count("POST", "/v1/asr") == HASTY.attempts


@pytest.mark.parametrize(("key", "kind"), [("bad-key", "auth"), ("poor-key", "no_credit")])
async def test_account_that_may_not_speak_is_told_why(service: FishService, key: str, kind: str) -> None:
    async with fish(service, key=key) as provider:
        with pytest.raises(ProviderError) as said:
            await speak(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))
        with pytest.raises(ProviderError) as checked:
            await provider.check()

    assert (said.value.kind, checked.value.kind) == (kind, kind)
    assert service.count("POST", "/v1/tts") == 1


async def test_answer_nested_without_end_is_a_fault_of_the_service(
    service: FishService, provider: FishProvider
) -> None:
    service.fail("GET /model/{id}", Fault(status=200, body=b"[" * 200_000))

    with pytest.raises(ProviderError) as caught:
        await provider.get("a" * 32)

    assert caught.value.kind == "server"


async def test_service_that_cannot_be_reached_is_a_fault_of_the_network() -> None:
    settings = FishSettings(base_url="http://nowhere.invalid", api_key=KEY)
    async with FishProvider(settings, patience=HASTY) as provider:
        with pytest.raises(ProviderError, match="cannot be reached") as said:
            await speak(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))
        with pytest.raises(ProviderError) as made:
            await provider.create(clone_request())

    assert (said.value.kind, made.value.kind) == ("network", "network")


# --- the rest ---------------------------------------------------------------------------------------------------------


async def test_recording_is_written_down(service: FishService, provider: FishProvider) -> None:
    recording = sample(1.5)

    assert await provider.transcribe(recording) == service.transcript
    assert form_of(service, path="/v1/asr") == {
        "audio": [Upload(recording.wav, "sample-1.wav", "audio/wav")],
        "ignore_timestamps": ["true"],
    }


@pytest.mark.parametrize(("seconds", "kind"), [(0.9, "invalid"), (209.0, "too_large")])
async def test_recording_that_will_not_be_taken_is_not_sent(
    service: FishService, provider: FishProvider, seconds: float, kind: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        await provider.transcribe(sample(seconds, silent=True))

    assert caught.value.kind == kind
    assert service.asked == []


@pytest.mark.parametrize("body", [{"duration": 1.0}, ["x"]])
async def test_transcript_without_words_is_a_fault_of_the_service(
    service: FishService, provider: FishProvider, body: dict[str, float] | list[str]
) -> None:
    service.fail(HEAR, Fault(status=200, body=body))

    with pytest.raises(ProviderError) as caught:
        await provider.transcribe(sample())

    assert caught.value.kind == "server"


async def test_check_tells_credit_and_concurrency_and_costs_nothing(
    service: FishService, provider: FishProvider
) -> None:
    service.concurrency = 15

    health = await provider.check()

    assert (health.summary, health.credit, health.concurrency) == ("key accepted", "$10.00", 15)
    assert [asked.path for asked in service.asked] == ["/wallet/self/api-credit"]


@pytest.mark.parametrize("body", [{}, {"credit": "much"}, {"credit": "NaN"}])
async def test_wallet_that_says_nothing_of_credit_is_no_fault(
    service: FishService, provider: FishProvider, body: dict[str, str]
) -> None:
    service.fail("GET /wallet/{user_id}/api-credit", Fault(status=200, body=body))

    assert (await provider.check()).credit == ""


async def test_wallet_that_is_none_is_a_fault(service: FishService, provider: FishProvider) -> None:
    service.fail("GET /wallet/{user_id}/api-credit", Fault(status=200, body="<html>"))

    with pytest.raises(ProviderError) as caught:
        await provider.check()

    assert caught.value.kind == "server"


async def test_free_model_and_free_credit_need_nothing_in_the_wallet(service: FishService) -> None:
    async with fish(service, key="poor-key", model="s2.1-pro-free") as provider:
        assert (await provider.check()).credit == "$0.00"
    service.fail(
        "GET /wallet/{user_id}/api-credit", Fault(status=200, body={"credit": "0.000000", "has_free_credit": True})
    )
    async with fish(service, key="poor-key") as provider:
        assert (await provider.check()).credit == "$0.00"


@pytest.mark.parametrize(("model", "brackets"), [("s1", "round"), ("s2-pro", "square"), ("s2.1-pro-free", "square")])
def test_tags_are_written_as_the_model_takes_them(model: str, brackets: str) -> None:
    provider = FishProvider(FishSettings.model_validate({"model": model}))

    assert provider.markup.brackets == brackets


async def test_key_is_in_no_error_repr_or_log(service: FishService, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = "a-key-nobody-may-see"
    errors: list[BaseException] = []
    seen: list[str] = []
    async with answering(b"no HTTP at all\r\n\r\n") as (url, _), fish(service, key=key) as refused:
        settings = FishSettings(base_url=url, api_key=key)
        live = settings.model_copy(update={"transport": "websocket"})
        one, two = FishProvider(settings, patience=HASTY), FishProvider(live, patience=HASTY)
        refused_live = fish(service, key=key, transport="websocket")
        async with one, two, refused_live:
            for provider in (one, two, refused, refused_live):
                seen += [repr(provider), repr(provider._http), repr(provider._settings), str(vars(provider))]
                with pytest.raises(ProviderError) as caught:
                    await speak(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))
                errors += chain(caught.value)

    assert {getattr(error, "kind", None) for error in errors} >= {"network", "auth"}
    seen += [f"{error!r} {error} {vars(error)}" for error in errors]
    assert not [text for text in [*seen, caplog.text] if key in text]


# --- questions, without a network -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (TEXT, ("The first sentence is short. ", "The second one is a little longer than that! ")),
        ('He said "Stop!" Then he ran…  far', ('He said "Stop!" ', "Then he ran… ", "far ")),
        ("[happy] Version 2.5 is out? Yes.", ("[happy] Version 2.5 is out? ", "Yes. ")),
        ("はい。「そうです。」いいえ！", ("はい。 ", "「そうです。」いいえ！ ")),
        ("no end", ("no end ",)),
    ],
)
def test_text_is_cut_after_its_sentences_and_loses_nothing(text: str, pieces: tuple[str, ...]) -> None:
    assert questions.sentences(text) == pieces
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_question_shows_neither_words_nor_recordings() -> None:
    recording = sample(1, transcript="My secret words.")
    request = SpeechRequest(text="My secret words.", samples=(recording,))
    settings = FishSettings()
    shown = repr(
        (
            questions.line(request, settings),
            questions.live_line(request, settings),
            questions.creation(clone_request(recording, title="My secret words."), ("My secret words.",), enhance=True),
        )
    )

    assert "secret" not in shown
    assert "RIFF" not in shown


def test_live_line_is_start_then_sentences_then_stop() -> None:
    line = questions.live_line(SpeechRequest(text=TEXT, remote_id="a" * 32), FishSettings(model="s2-pro"))
    events = [ormsgpack.unpackb(frame) for frame in line.frames]

    assert line.headers == {"model": "s2-pro"}
    assert [event["event"] for event in events] == ["start", "text", "text", "stop"]
    assert events[0]["request"]["text"] == ""
    assert events[0]["request"]["reference_id"] == "a" * 32
