"""What a Fish Speech server is asked, as values, and how it refuses. Sends nothing."""

from collections.abc import Mapping
from typing import Any

import ormsgpack

from bot.errors import ProviderError
from bot.providers.base import SpeechRequest
from bot.providers.faults import Account, Refusal
from bot.providers.fish_speech._reference import Reference
from bot.providers.question import Method, Part, Question
from bot.settings import FishSpeechSettings


def read_refusal(refusal: Refusal, account: Account) -> ProviderError | None:
    """Understand {"statusCode", "message"} and {"success": false}: their HTTP status says all, but for these."""
    if refusal.status == 400 and "text is too long" in refusal.words:
        return ProviderError(f"{account.label} does not take so much at once: say fewer words.", kind="too_large")
    if refusal.status == 409:
        return ProviderError(f"{account.label} has a voice of that id already: choose another name.", kind="invalid")
    return None


def expect_success(content: Any, account: Account) -> Mapping[str, Any]:
    """Return an answer that does not say it failed. Raises `ProviderError` (`server`) for any other."""
    if not isinstance(content, Mapping) or content.get("success") is False:
        raise account.fault("server")
    return content


class References:
    """How references are asked for. Owns the form of the answers."""

    def __init__(self, settings: FishSpeechSettings) -> None:
        self._headers = {"Accept": f"application/{settings.answers}"}

    def list(self) -> Question:
        """Ask for the ids of all."""
        return Question(method="GET", path="/v1/references/list", headers=self._headers)

    def add(self, reference_id: str, reference: Reference, *, party: int) -> Question:
        """Ask for one more."""
        return Question(
            method="POST",
            path="/v1/references/add",
            headers=self._headers,
            form=(
                Part(name="id", value=reference_id),
                Part(name="text", value=reference.text),
                Part(name="audio", value=reference.wav, filename="reference.wav", media_type="audio/wav"),
            ),
            party=party,
        )

    def rename(self, old_id: str, new_id: str) -> Question:
        """Ask for another id."""
        return self._change("POST", "update", {"old_reference_id": old_id, "new_reference_id": new_id})

    def delete(self, reference_id: str) -> Question:
        """Ask for one less."""
        return self._change("DELETE", "delete", {"reference_id": reference_id})

    def _change(self, method: Method, verb: str, content: Mapping[str, str]) -> Question:
        return Question(
            method=method, path=f"/v1/references/{verb}", headers=self._headers, json=dict(content), idempotent=True
        )


def speech_question(request: SpeechRequest, settings: FishSpeechSettings) -> Question:
    """Ask for a line, with a kept reference or with samples sent along. Only wav is sent as it is made.

    Raises `ProviderError` (`invalid`) where there are no words, or nobody to say them.
    """
    if not any(sign.isalnum() for sign in request.text):
        # the server would fail at it, and be asked again
        raise ProviderError("There is nothing to say in that: write some words.", kind="invalid")
    content: dict[str, Any] = {
        "text": request.text,
        "format": settings.format,
        "streaming": settings.format == "wav",
        # else it listens to the reference anew before each line
        "use_memory_cache": "on",
    }
    if request.remote_id is not None:
        content["reference_id"] = request.remote_id
        return Question(method="POST", path="/v1/tts", json=content, party=request.party)
    if not request.samples:
        # without a voice it would speak in one of its own
        raise ProviderError("Fish Speech needs a voice or a recording: make a voice with /clone first.", kind="invalid")
    content["references"] = [{"audio": sample.wav, "text": sample.transcript} for sample in request.samples]
    return Question(
        method="POST",
        path="/v1/tts",
        headers={"Content-Type": "application/msgpack"},
        raw=ormsgpack.packb(content),
        party=request.party,
    )
