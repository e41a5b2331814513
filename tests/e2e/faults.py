"""The table of what a service may do instead of speaking, with what a member then reads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.models import VoiceState
from bot.settings import ProviderName
from playground.services.service import Fault
from playground.services.sound import Form, babble, encode
from tests.e2e.stage import House

LINE = "Susan wants sixteen spoons."
PAGE = "<!DOCTYPE html><html><body>The service is being maintained.</body></html>"
GONE = "Fish Audio has it no more."
DOWN = "is not working properly"
LATER = "try again in a few minutes."
LOST = (
    "Aki may be made or not. Fish Audio did not answer, and I am looking for it. /voices show tells.",
    "Aki is being made. /voices show tells when it is ready.",
)
ROUTES: dict[ProviderName, str] = {
    "fish": "POST /v1/tts",
    "highwayapi": "POST /v4beta/txt2speech",
    "myrouter": "POST /v4beta/txt2speech",
    "novita": "POST /v4beta/txt2speech",
    "acedata": "POST /fish/tts",
    "fish-speech": "POST /v1/tts",
    "openai": "POST /v1/audio/speech",
}
FISH, MAKE = ROUTES["fish"], "POST /model"
SECRETS = ("good-key", LINE, "signature=", "mynah:")
"""A key, what a member said, a signed link, what a service wrote of a voice."""


def endless(form: Form = "opus") -> Fault:
    return Fault(endless=True, body=encode(babble(LINE * 10), form), content_type="audio/mpeg")


def first_second(data: bytes) -> int:
    """Say how many bytes of an Ogg Opus file are a second of sound and a torn page of the next."""
    pages = [place for place in range(len(data)) if data.startswith(b"OggS", place)]
    # two of headers, then five of 200 ms
    return pages[7] + 100


def cut() -> Fault:
    data = encode(babble(LINE), "opus")
    return Fault(body=data, cuts_after=first_second(data), content_type="audio/ogg")


def count_asked(house: House, route: str) -> int:
    return int(house.service.count(*route.split()))


@dataclass(frozen=True)
class Row:
    """One way in which a line cannot be spoken."""

    break_it: Callable[[Any], None]
    """Does something to the service."""
    told: tuple[str, ...]
    """Phrases that the member reads."""
    asked: int
    """How often the service is asked for the line: once where it may have been made and charged."""
    state: VoiceState = "trained"


def fails(*faults: Fault, route: str = FISH) -> Callable[[Any], None]:
    return lambda service: service.fail(route, *faults)


def spend(service: Any) -> None:
    service.keys["good-key"] = 0.0


ROWS = {
    "bad key": Row(
        lambda service: service.keys.clear(), ("refuses the key (HTTP 401)", "the operator", "FISH_API_KEY"), 1
    ),
    "no credit": Row(spend, ("credit at Fish Audio is used up", "ask the operator to add", "Nothing was charged."), 1),
    "not found": Row(
        lambda service: service.voices.clear(),
        (f"Aki cannot speak. {GONE}", "Delete it and clone it again."),
        1,
        "failed",
    ),
    "forbidden": Row(fails(Fault(status=403, body={"status": 403, "message": LINE})), ("ask the operator",), 1),
    "not taken": Row(
        fails(Fault(status=400, body={"status": 400, "message": f"cannot say {LINE!r} with good-key"})),
        ("did not take that (HTTP 400)", "change the words"),
        1,
    ),
    "rate limit": Row(
        fails(*[Fault(status=429, body={"status": 429, "message": "concurrency limit of 5"})] * 3),
        ("is busy with other requests of this bot", "try again in a minute."),
        3,
    ),
    "a wait that is too long": Row(
        fails(Fault(status=429, body={"status": 429, "message": "later"}, headers={"Retry-After": "3600"})),
        ("is busy with other requests of this bot", "try again in a minute."),
        1,
    ),
    "server error": Row(fails(*[Fault(status=500, body=LINE)] * 3), (f"{DOWN} (HTTP 500)", LATER), 3),
    "hung up": Row(fails(Fault(drops=True)), ("cannot be reached or did not answer in time", LATER), 1),
    "garbage": Row(fails(Fault(status=200, body=bytes(range(256)) * 40, content_type="audio/ogg")), (DOWN, LATER), 1),
    "nothing": Row(fails(Fault(status=200, content_type="audio/ogg")), (DOWN, LATER), 1),
    "error page": Row(fails(Fault(status=200, body=PAGE, content_type="text/html")), (DOWN, LATER), 1),
    "error page called sound": Row(fails(Fault(status=200, body=PAGE, content_type="audio/ogg")), (DOWN, LATER), 1),
    "refusal with 200": Row(
        fails(Fault(status=200, body={"status": 402, "message": "no"}, content_type="application/json")),
        (DOWN, LATER),
        1,
    ),
    "redirect": Row(
        fails(Fault(status=302, headers={"Location": "http://127.0.0.1:9/v1/tts"})), (f"{DOWN} (HTTP 302)",), 1
    ),
    "cut": Row(fails(cut()), ("The sound from Fish Audio broke off in the middle", "say it again."), 1),
    "endless": Row(fails(endless()), ("Fish Audio speaks without end", "say it again"), 1),
}
