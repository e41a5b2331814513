"""What the application answered to one thing a member did. Changes nothing."""

import asyncio
from collections.abc import Callable

from playground.discord.actors.errors import UnansweredError
from playground.discord.actors.seen import Seen
from playground.discord.limits.modals import inputs
from playground.discord.wire import JsonObject, text
from playground.discord.world import World
from playground.discord.world.interactions import Interaction, Reply


class Answer(Seen):
    """Owns the interactions it answers: the first one, and the clicks on it that updated it."""

    def __init__(self, world: World, interaction: Interaction) -> None:
        super().__init__(world, interaction.original_id)
        self._interactions = [interaction]

    @property
    def interaction(self) -> Interaction:
        """The latest interaction."""
        return self._interactions[-1]

    @property
    def deferred(self) -> bool:
        """Whether the application first said that it is thinking."""
        return self.interaction.reply in {Reply.DEFERRED, Reply.DEFERRED_UPDATE}

    @property
    def modal(self) -> JsonObject | None:
        """The form, where that was the answer."""
        return self.interaction.modal

    @property
    def title(self) -> str:
        """The form's title; raises LookupError where the answer is no form."""
        return text(self._form(), "title")

    @property
    def fields(self) -> list[str]:
        """The labels of what can be filled in; raises LookupError where the answer is no form."""
        return [label for label, _ in inputs(self._form())]

    @property
    def followups(self) -> list[Seen]:
        """The messages that followed and were not deleted since, oldest first."""
        found = [Seen(self._world, each) for interaction in self._interactions for each in interaction.followups]
        return [each for each in found if not each.gone]

    async def settled(self, timeout: float = 30.0) -> "Answer":  # noqa: ASYNC109 - the tests' words
        """Return this answer once what was deferred has been answered; raises UnansweredError, TimeoutError."""
        await self._until(lambda: not self.interaction.waiting, timeout, "the deferred answer was not given")
        return self

    async def followed(self, count: int = 1, timeout: float = 30.0) -> list[Seen]:  # noqa: ASYNC109
        """Return the follow-ups once there are `count`; raises UnansweredError, TimeoutError."""
        await self._until(lambda: len(self.followups) >= count, timeout, f"no {count} follow-ups came")
        return self.followups

    async def until(self, met: Callable[["Answer"], bool], timeout: float = 30.0) -> "Answer":  # noqa: ASYNC109
        """Return this answer once `met` says so, looking at every change; raises UnansweredError, TimeoutError."""
        await self._until(lambda: met(self), timeout, "the answer did not become what was waited for")
        return self

    def adopt(self, interaction: Interaction) -> None:
        """Take the click that updated this answer as its own."""
        self._interactions.append(interaction)
        self._message_id = interaction.original_id

    def check(self) -> None:
        """Raise UnansweredError where the application broke a rule in answering."""
        for interaction in self._interactions:
            if interaction.broken:
                interaction.given_up = True
                raise UnansweredError("; ".join(interaction.broken))

    async def _until(self, met: Callable[[], bool], seconds: float, what: str) -> None:
        def over() -> bool:
            return met() or any(interaction.broken for interaction in self._interactions)

        try:
            async with asyncio.timeout(seconds):
                await self._world.events.bell.until(over)
        except TimeoutError as error:
            shown = "(deleted)" if self.gone else self.text
            raise TimeoutError(f"{what} within {seconds:g} s; it shows: {shown}") from error
        self.check()

    def _form(self) -> JsonObject:
        if self.modal is None:
            raise LookupError("the answer is no form")
        return self.modal
