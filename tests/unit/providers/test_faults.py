import json

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ProviderError, ProviderFault
from bot.providers.faults import Account, Refusal, kind_of, parse, understand

ACCOUNT = Account(label="Fish Audio", key_setting="FISH_API_KEY")


def nothing(refusal: Refusal, account: Account) -> ProviderError | None:
    return None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid"),
        (401, "auth"),
        (402, "no_credit"),
        (403, "auth"),
        (404, "not_found"),
        (408, "network"),
        (409, "invalid"),
        (413, "too_large"),
        (422, "invalid"),
        (429, "rate_limited"),
        (500, "server"),
        (503, "server"),
        (529, "server"),
        (200, "server"),
        (302, "server"),
    ],
)
def test_a_status_means_a_kind_of_failure(status: int, kind: ProviderFault) -> None:
    assert kind_of(status) == kind
    assert understand(Refusal(status=status), ACCOUNT, nothing).kind == kind


KINDS: list[ProviderFault] = [
    "auth", "no_credit", "not_found", "invalid", "too_large", "rate_limited", "server", "network", "unknown_outcome",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_sentence_names_the_service_and_says_what_to_do(kind: ProviderFault) -> None:
    sentence = str(ACCOUNT.fault(kind, status=418))

    assert "Fish Audio" in sentence
    assert "{" not in sentence
    assert sentence.endswith((".", "!"))


def test_a_bad_key_names_the_setting_and_the_status() -> None:
    sentence = str(ACCOUNT.fault("auth", status=401))

    assert "FISH_API_KEY" in sentence
    assert "401" in sentence
    assert "HTTP" not in str(ACCOUNT.fault("auth"))


def test_sound_that_broke_off_may_be_asked_for_again_by_the_member() -> None:
    assert ACCOUNT.broke_off().kind == "network"
    assert ACCOUNT.broke_off("server").kind == "server"


def test_a_dialect_may_know_better_than_the_status() -> None:
    def reading(refusal: Refusal, account: Account) -> ProviderError | None:
        return account.fault("not_found") if "reference not found" in refusal.words else None

    known = Refusal(status=400, body=b'{"message":"Reference not found","status":400}')

    assert understand(known, ACCOUNT, reading).kind == "not_found"
    assert understand(Refusal(status=400), ACCOUNT, reading).kind == "invalid"


@pytest.mark.parametrize(
    "body", [b'{"message":"SPOKEN"}', b"SPOKEN", b'[{"msg":"SPOKEN"}]', ormsgpack.packb({"message": "SPOKEN"})]
)
@pytest.mark.parametrize("status", [400, 401, 402, 404, 413, 422, 429, 500])
def test_no_sentence_quotes_the_service(body: bytes, status: int) -> None:
    refusal = Refusal(status=status, body=body)

    assert "SPOKEN" not in str(understand(refusal, ACCOUNT, nothing))
    assert "SPOKEN" not in repr(refusal)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Fri, 20 Nov 2026 14:00:00 GMT", None),
        ("²", None),
    ],
)
def test_the_wait_is_as_the_service_says_it(value: str, wait: float | None) -> None:
    error = understand(Refusal(status=429, headers={"retry-After": value}), ACCOUNT, nothing)

    assert error.retry_after == wait


def test_a_wait_that_the_dialect_knows_stays() -> None:
    refusal = Refusal(status=429, headers={"Retry-After": "7"})

    error = understand(refusal, ACCOUNT, lambda *_: ACCOUNT.fault("rate_limited", wait=3.0))

    assert error.retry_after == 3.0


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'[{"msg": "Field required"}]', [{"msg": "Field required"}]),
        (ormsgpack.packb({"success": False}), {"success": False}),
        (ormsgpack.packb([1]), [1]),
        (b"Payload too large", "Payload too large"),
        (b"", ""),
        (b"\xff\xfe\xfd", "\ufffd\ufffd\ufffd"),
        (b"[" * 100_000, "[" * 100_000),
        (b"9" * 10_000, "9" * 10_000),
    ],
)
def test_a_body_is_read_as_what_it_is(body: bytes, content: object) -> None:
    assert parse(body) == content
    assert Refusal(status=400, body=body).content == content


@given(st.binary())
def test_any_body_can_be_read(body: bytes) -> None:
    parse(body)
    assert isinstance(Refusal(status=500, body=body).words, str)


@given(st.dictionaries(st.text(), st.integers(-(2**63), 2**63) | st.text() | st.none()))
def test_json_and_msgpack_say_the_same(content: dict[str, object]) -> None:
    assert parse(json.dumps(content).encode()) == parse(ormsgpack.packb(content)) == content
