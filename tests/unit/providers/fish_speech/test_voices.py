"""Voices of Fish Speech: made, renamed, deleted and listed."""

from typing import Any

import pytest

from bot.errors import ProviderError
from bot.providers.base import VoiceEdit, VoiceQuery
from bot.providers.fish_speech import FishSpeechProvider
from playground.services.fish_speech import FishSpeechService
from playground.services.service import Fault
from tests.unit.providers.fish_speech.house import AKI, VOICE_ID, clone_request, sample


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
