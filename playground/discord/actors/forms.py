"""What a member fills into a modal, checked as Discord's client checks it. Changes nothing."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from playground.discord.actors.errors import ClientRefusedError
from playground.discord.limits.components import Part
from playground.discord.limits.modals import inputs
from playground.discord.wire import Json, JsonObject, flag, number, objects, section, text
from playground.discord.world.drafts import Upload

Entry: TypeAlias = str | bool | Upload | Sequence[str] | Sequence[Upload]


class Form:
    """Owns one modal as it is filled in; `uploads` are the files by custom id."""

    def __init__(self, modal: JsonObject, given: Mapping[str, Entry]) -> None:
        self._modal = modal
        self._given = {self._custom_id(name): value for name, value in given.items()}
        self.uploads: dict[str, tuple[Upload, ...]] = {}

    def check(self) -> None:
        """Raise ClientRefusedError for what Discord's client would not send; collect the uploads."""
        for label, part in inputs(self._modal):
            custom_id, kind = text(part, "custom_id"), number(part, "type")
            value = self._given.get(custom_id)
            if value is None and kind == Part.TEXT_INPUT:
                value = text(part, "value")
            if kind == Part.FILE_UPLOAD:
                files = tuple(each for each in _many(value) if isinstance(each, Upload))
                self._check_count(label, part, len(files))
                self.uploads[custom_id] = files
            elif kind == Part.TEXT_INPUT:
                self._check_text(label, part, value)
            elif kind != Part.CHECKBOX:
                self._check_count(label, part, len(self._values(part)))

    def payload(self, file_ids: Mapping[str, Sequence[int]]) -> list[Json]:
        """Return the components of the submission."""
        return [self._component(component, file_ids) for component in objects(self._modal, "components")]

    def shown(self) -> str:
        """Return the form as the transcript shows it."""
        labels = {text(part, "custom_id"): label for label, part in inputs(self._modal)}
        return ", ".join(f"{labels[custom_id]}: {_plain(value)}" for custom_id, value in self._given.items())

    def _component(self, component: JsonObject, file_ids: Mapping[str, Sequence[int]]) -> Json:
        head: dict[str, Json] = {"type": number(component, "type"), "id": number(component, "id")}
        if number(component, "type") == Part.ROW:
            return {**head, "components": [self._leaf(part, file_ids) for part in objects(component, "components")]}
        if number(component, "type") == Part.LABEL:
            return {**head, "component": self._leaf(section(component, "component"), file_ids)}
        return head

    def _leaf(self, part: JsonObject, file_ids: Mapping[str, Sequence[int]]) -> Json:
        custom_id, kind = text(part, "custom_id"), number(part, "type")
        leaf: dict[str, Json] = {"type": kind, "custom_id": custom_id, "id": number(part, "id")}
        given = self._given.get(custom_id)
        match kind:
            case Part.TEXT_INPUT:
                leaf["value"] = given if isinstance(given, str) else text(part, "value")
            case Part.CHECKBOX:
                leaf["value"] = given if isinstance(given, bool) else flag(part, "default")
            case Part.FILE_UPLOAD:
                leaf["values"] = [str(each) for each in file_ids.get(custom_id, ())]
            case Part.RADIO_GROUP:
                leaf["value"] = next(iter(self._values(part)), None)
            case _:
                leaf["values"] = self._values(part)
        return leaf

    def _values(self, part: JsonObject) -> list[str]:
        """Return the chosen options' values, found by value or label."""
        options = objects(part, "options")
        given = self._given.get(text(part, "custom_id"))
        if given is None:
            return [text(option, "value") for option in options if flag(option, "default")]
        chosen = []
        for wanted in _many(given):
            found = [option for option in options if wanted in (text(option, "value"), text(option, "label"))]
            if not found:
                raise ClientRefusedError(f"{wanted!r} is not offered")
            chosen.append(text(found[0], "value"))
        return chosen

    def _custom_id(self, name: str) -> str:
        """Find a field by its custom id, its label, or its label written as an identifier."""
        for label, part in inputs(self._modal):
            if name in (text(part, "custom_id"), label, label.lower().replace(" ", "_").rstrip("?:.!")):
                return text(part, "custom_id")
        labels = ", ".join(label for label, _ in inputs(self._modal))
        raise ClientRefusedError(f"the form has no field {name!r}; it has: {labels}")

    def _check_text(self, label: str, part: JsonObject, value: Entry | None) -> None:
        if not isinstance(value, str):
            raise ClientRefusedError(f"{label}: wants text")
        if not value and not flag(part, "required", default=True):
            return
        low = max(1, number(part, "min_length"))
        high = number(part, "max_length", 4000)
        if not low <= len(value) <= high:
            raise ClientRefusedError(f"{label}: must be {low} to {high} characters, not {len(value)}")

    def _check_count(self, label: str, part: JsonObject, found: int) -> None:
        if not found and not flag(part, "required", default=True):
            return
        low, high = max(1, number(part, "min_values", 1)), number(part, "max_values", 1)
        if not low <= found <= high:
            raise ClientRefusedError(f"{label}: wants {low} to {high}, not {found}")


def _many(value: Entry | None) -> Sequence[str | Upload]:
    if value is None or isinstance(value, bool):
        return ()
    if isinstance(value, str | Upload):
        return (value,)
    return value


def _plain(value: Entry) -> str:
    if isinstance(value, bool):
        return str(value)
    return ", ".join(each.filename if isinstance(each, Upload) else each for each in _many(value))
