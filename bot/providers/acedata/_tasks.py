"""A task at Ace Data Cloud, as far as it has come. Asks nothing.

Its services report completion in several ways, so all of them are read, in the order of the vendor's own client:
AceDataCloud/SDK, python/src/acedatacloud/_runtime/tasks.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["running", "succeeded", "failed"]

_FAILED = frozenset({"failed", "failure", "error", "cancelled", "canceled", "rejected"})
_DONE = frozenset({"succeed", "succeeded", "success", "completed", "complete", "finished"})
_DEEPEST = 6
_OURS = frozenset({"request", "callback_url"})
"""What was asked is sometimes told again; nothing in it is a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """How far a task is, and where its sound can be fetched."""

    state: State
    id: str = ""
    link: str = field(default="", repr=False)
    """Of the sound, where it succeeded; signed."""
    response: Any = field(default=None, repr=False)
    """What it answered, where it failed."""


def read_task(content: Any) -> Task:
    """Reduce what is told of a task to its state. An unknown task is told as {}, as is one that just began."""
    told = content if isinstance(content, Mapping) else {}
    response = told["response"] if told.get("response") is not None else told
    task_id = next((told[name] for name in ("task_id", "id") if isinstance(told.get(name), str)), "")
    link = _link(response)
    state = _state(told, response if isinstance(response, Mapping) else {}, link)
    if state == "succeeded" and not link:
        state = "failed"
    return Task(
        state=state,
        id=task_id,
        link=link if state == "succeeded" else "",
        response=response if state == "failed" else None,
    )


def _state(told: Mapping[str, Any], response: Mapping[str, Any], link: str) -> State:
    words = {
        value.casefold() for name, value in _leaves(response) if name in {"state", "status"} and isinstance(value, str)
    }
    if words:
        return "failed" if words & _FAILED else "succeeded" if words & _DONE else "running"
    success, error = response.get("success"), response.get("error")
    # an error in bare words is a hiccup that the task survives; one with a code is final
    final = bool(link) or (isinstance(error, Mapping) and bool(error.get("code")))
    finished = any(place.get("finished_at") is not None for place in (told, response))
    if success is False and (final or finished):
        return "failed"
    return "succeeded" if link or (finished and success is True) else "running"


def _link(response: Any) -> str:
    """Find the sound's address: of the name it should have, else of any name that addresses have."""
    found = [
        (name, value)
        for name, value in _leaves(response)
        if isinstance(value, str)
        and value.startswith(("https://", "http://"))
        and (name == "url" or name.endswith(("_url", "_urls")))
    ]
    return next((value for name, value in found if name == "audio_url"), found[0][1] if found else "")


def _leaves(node: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Walk what is not too deep; give each value with the name it stands under."""
    if depth > _DEEPEST:
        return
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key not in _OURS:
                yield from _leaves(value, str(key), depth + 1)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value, name, depth + 1)
    else:
        yield name, node
