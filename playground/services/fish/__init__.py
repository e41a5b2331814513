"""Fish Audio's far end of the wire: voices, speech by HTTP and WebSocket, transcription and the wallet.

Written from what Fish Audio documents and what was seen of it. Knows no client.
"""

from collections.abc import Sequence
from typing import Any

from playground.services.fish._asr import Transcription
from playground.services.fish._entity import entity
from playground.services.fish._house import House, account_id
from playground.services.fish._listing import Listing
from playground.services.fish._live import Live
from playground.services.fish._models import Models
from playground.services.fish._speaking import Speaking
from playground.services.fish._wallet import Wallet
from playground.services.sound import Speak, babble

__all__ = ["FishService", "account_id"]


class FishService(House):
    """Owns the routes. `House` has the switches."""

    def __init__(self, *, speak: Speak = babble) -> None:
        super().__init__(speak=speak)
        models, wallet, speaking = Models(self), Wallet(self), Speaking(self)
        self.route("POST", "/model", self.through(models.create, "model"))
        self.route("GET", "/model", self.through(Listing(self).page, "anybody"))
        self.route("GET", "/model/{id}", self.through(models.get, "anybody"))
        self.route("PATCH", "/model/{id}", self.through(models.update, "model"))
        self.route("DELETE", "/model/{id}", self.through(models.delete, "model"))
        self.route("POST", "/v1/tts", self.through(speaking.say, "key"))
        self.route("GET", "/v1/tts/live", Live(self, speaking).answer)
        self.route("POST", "/v1/asr", self.through(Transcription(self).transcribe, "key"))
        self.route("GET", "/wallet/{user_id}/api-credit", self.through(wallet.credit, "key"))
        self.route("GET", "/wallet/{user_id}/package", self.through(wallet.package, "key"))

    def publish(
        self,
        title: str,
        *,
        author: str = account_id("somebody else"),
        tags: Sequence[str] = (),
        languages: Sequence[str] = ("en",),
        task_count: int = 0,
    ) -> dict[str, Any]:
        """Put a public voice of somebody else on the list, of the kind that says train_mode "full"."""
        voice = entity(
            title=title,
            author=author,
            tags=tags,
            languages=languages,
            has_cover=True,
            task_count=task_count,
            train_mode="full",
        )
        self.voices[voice["_id"]] = voice
        return voice
