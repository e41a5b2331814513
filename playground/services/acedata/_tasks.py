"""Work that goes on behind the answer, and what is told of it. Knows no route, no voice and no network."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, assert_never

from playground.services.acedata._refusals import Trouble, envelope

Ending = Literal["finished", "word", "url", "failed", "failed_word", "failed_code", "no_url"]
"""How a task ends, and what tells it. Well: `finished_at`; a status word; only that there is a link. Badly:
`finished_at` and no success; a status word; an error with a code; a status word of success without any link."""
TaskShape = Literal["record", "status"]
"""How a task is told: as its record, or in the short form that another guide shows."""
Callbacks = Literal["once", "twice", "early", "late", "never", "wrong"]
"""How callbacks are delivered: early is before the request is answered, late is when `AceDataService.late` is set, and
wrong is with the id of another task."""
Kind = Literal["tts", "audios"]

_API_ID = "8e6f8083-4683-45fe-a993-3e1d993fc999"
_APPLICATION_ID = "3559d836-2505-46be-96ea-ea72bcb7c080"
_CREDENTIAL_ID = "881ad87d-8ba7-40b7-ac45-d19e41ae6e3a"
_USER_ID = "ad7afe47-cea9-4cda-980f-2ad8810e51cf"
_FAILING = frozenset({"failed", "failed_word", "failed_code", "no_url"})
_TIMED = frozenset({"finished", "failed"})


@dataclass(slots=True, kw_only=True)
class Task:
    """One line under way: what was asked, and how far it is."""

    key: str
    kind: Kind
    request: Mapping[str, Any]
    sound: "asyncio.Task[bytes]"
    ending: Ending
    failure: Trouble
    hiccups: int
    ends_after: int
    callbacks: Callbacks
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    trace_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    began: float = field(default_factory=time.time)
    asks: int = 0
    finished: float | None = None
    link: str = ""

    @property
    def fails(self) -> bool:
        return self.ending in _FAILING

    def record(self) -> dict[str, Any]:
        """Tell all of it; its times only where it has ended and says so."""
        told: dict[str, Any] = {
            "_id": self.id.replace("-", "")[:24],
            "id": self.id,
            "api_id": _API_ID,
            "application_id": _APPLICATION_ID,
            "created_at": self.began,
            "credential_id": _CREDENTIAL_ID,
            "request": dict(self.request),
            "trace_id": self.trace_id,
            "type": self.kind,
            "user_id": _USER_ID,
        }
        if self.finished is None:
            if self.asks <= self.hiccups:
                told["response"] = {"success": False, "error": "upstream timeout", "task_id": self.id}
            return told
        told["response"] = self.response()
        if self.ending in _TIMED:
            told |= {"started_at": self.began, "finished_at": self.finished, "elapsed": self.finished - self.began}
        return told

    def status(self) -> dict[str, Any]:
        """Tell it in short."""
        data: dict[str, Any] = {"task_id": self.id, "status": "processing"}
        if self.finished is not None:
            data |= {"status": "failed"} if self.fails else {"status": "succeeded", "audio_url": self.link}
        return {"data": data, "success": data["status"] != "failed"}

    def response(self) -> dict[str, Any]:
        """Tell how it ended."""
        match self.ending:
            case "finished" | "url":
                return self.result()
            case "word":
                return {**self.result(), "status": "completed"}
            case "failed":
                return {"success": False, "task_id": self.id, "trace_id": self.trace_id, "error": "upstream failed"}
            case "failed_word":
                return {"task_id": self.id, "trace_id": self.trace_id, "status": "failed"}
            case "failed_code":
                return {**envelope(self.failure, trace_id=self.trace_id), "task_id": self.id}
            case "no_url":
                return {"task_id": self.id, "trace_id": self.trace_id, "status": "succeeded"}
            case _:
                assert_never(self.ending)

    def result(self) -> dict[str, Any]:
        """Tell the link as its route does."""
        if self.kind == "tts":
            return {"task_id": self.id, "audio_url": self.link}
        return {
            "success": True,
            "task_id": self.id,
            "trace_id": self.trace_id,
            "data": [{"audio_url": self.link}],
        }

    def callback(self) -> dict[str, Any]:
        """Write what is posted at its end; what is posted of a failure is not documented."""
        return {**envelope(self.failure, trace_id=self.trace_id), "task_id": self.id} if self.fails else self.result()
