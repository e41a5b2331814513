from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ProviderError
from bot.models import RemoteVoice
from bot.providers.entity import mark, marked, read_entity
from bot.providers.faults import Account

ACCOUNT = Account(label="Fish Audio", key_setting="FISH_API_KEY")
ID = "0123456789abcdef0123456789abcdef"
WHOLE = {
    "_id": "802e3bc2b27e49c2995d23ef70e6ac89",
    "type": "tts",
    "title": "Aki",
    "description": f"Calm. (mynah:{ID})",
    "cover_image": "coverimage/802e",
    "train_mode": "fast",
    "state": "training",
    "tags": ["calm", "low"],
    "samples": [],
    "created_at": "2025-05-09T12:34:56.789Z",
    "updated_at": "2025-09-21T07:29:41.058506+02:00",
    "languages": ["en", "ja"],
    "visibility": "unlist",
    "lock_visibility": False,
    "task_count": 7,
    "author": {"_id": "a", "nickname": "n", "avatar": ""},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def read(**fields: Any) -> RemoteVoice:
    return read_entity({"_id": "x", **fields}, ACCOUNT)


def test_a_whole_entity_is_read_field_by_field() -> None:
    assert read_entity(WHOLE, ACCOUNT) == RemoteVoice(
        id="802e3bc2b27e49c2995d23ef70e6ac89",
        title="Aki",
        state="training",
        description="Calm.",
        tags=("calm", "low"),
        visibility="unlist",
        train_mode="fast",
        languages=("en", "ja"),
        cover_image="coverimage/802e",
        created_at=datetime(2025, 5, 9, 12, 34, 56, 789_000, tzinfo=UTC),
        updated_at=datetime(2025, 9, 21, 7, 29, 41, 58_506, tzinfo=timezone(timedelta(hours=2))),
        use_count=7,
    )


def test_an_id_is_enough() -> None:
    assert read() == RemoteVoice(id="x", title="", state="trained", visibility="public")


@pytest.mark.parametrize(
    "content", [None, "", "x", [], {}, {"_id": ""}, {"_id": None}, {"_id": 5}, {"id": "x"}, [WHOLE]]
)
def test_what_has_no_id_is_no_voice(content: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        read_entity(content, ACCOUNT)

    assert caught.value.kind == "server"


@pytest.mark.parametrize("state", ["created", "training", "trained", "failed"])
def test_states_are_as_they_are_written(state: str) -> None:
    assert read(state=state).state == state


def test_a_state_that_is_in_no_document_is_spoken_with() -> None:
    assert read(state="archived").state == "trained"


@pytest.mark.parametrize("value", [None, "", "secret", 5, []])
def test_a_voice_that_does_not_say_who_sees_it_may_be_seen_by_all(value: Any) -> None:
    assert read(visibility=value).visibility == "public"


def test_a_time_without_a_zone_is_utc() -> None:
    assert read(created_at="2025-05-09T12:00:00").created_at == datetime(2025, 5, 9, 12, tzinfo=UTC)


def test_a_failure_says_why_once_for_each_reason() -> None:
    audios = [
        {"quality_passed": False, "quality_reason": "too  noisy"},
        {"quality_passed": False, "quality_reason": "too  noisy"},
        {"quality_passed": True, "quality_reason": "fine"},
        {"quality_passed": False, "quality_reason": "two\nspeakers"},
        {"quality_passed": False},
    ]

    assert read(state="failed", quality={"audios": audios}).fault == "too noisy; two speakers"


@given(st.dictionaries(st.sampled_from(sorted({*WHOLE, "quality"} - {"_id"})), JSON))
def test_nothing_but_an_id_is_relied_on(fields: dict[str, Any]) -> None:
    assert read(**fields).id == "x"


@given(JSON)
def test_whatever_is_told_of_quality_is_read(content: Any) -> None:
    assert len(read(quality={"audios": content}).fault) <= 200


@given(st.text())
def test_a_marked_voice_is_known_by_its_id_only(description: str) -> None:
    entity = {"description": mark(description, ID)}

    assert marked(entity, ID)
    assert not marked(entity, ID[::-1])


@pytest.mark.parametrize("description", [None, "", "Calm.", 5])
def test_a_voice_without_a_mark_is_nobodys(description: Any) -> None:
    assert not marked({"description": description}, ID)


def test_a_member_who_writes_a_mark_is_not_taken_for_another() -> None:
    other = ID[::-1]
    entity = {"_id": "x", "description": mark(f"Mine (mynah:{other})", ID)}

    assert not marked(entity, other)
    assert marked(entity, ID)
    assert read_entity(entity, ACCOUNT).description == f"Mine (mynah:{other})"


def test_the_mark_is_not_shown() -> None:
    assert read(description=mark("", ID)).description == ""
    assert read(description=mark("Calm.", ID)).description == "Calm."
