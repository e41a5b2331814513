"""One message by which everybody in a text channel sees that the bot speaks, with buttons that survive a restart."""

import logging

import aiohttp
import discord

from bot.client.buttons import button, row

log = logging.getLogger(__name__)


def controls(*, paused: bool) -> discord.ui.View:
    """Put the buttons of an announcement side by side. To be called inside a running event loop."""
    return row(
        button("Resume", "line-resume") if paused else button("Pause", "line-pause"),
        button("Skip", "line-skip"),
        button("Stop", "line-stop"),
        button("Queue", "line-queue"),
        button("Replay", "line-replay"),
    )


def remains() -> discord.ui.View:
    """Give the one button that makes sense when nothing is said any more. To be called inside a running event loop."""
    return row(button("Replay", "line-replay"))


class Announcement:
    """Owns nothing but which message it is: its ids are enough to have it again after a restart.

    `answer` is the same message by the token of the interaction that brought it: for 15 minutes that works also where
    the bot itself may not look into the text channel.
    """

    def __init__(
        self, client: discord.Client, channel_id: int, message_id: int, *, answer: discord.WebhookMessage | None = None
    ) -> None:
        self._client = client
        self._answer = answer
        self.ids = (channel_id, message_id)

    async def tell(self, sentence: str) -> None:
        """Say one sentence in place of what is there. Where Discord refuses, nothing is changed and nothing raised."""
        await self.show(sentence, None)

    async def show(self, sentence: str, view: discord.ui.View | None) -> None:
        """Say one sentence, over other buttons if any are given. Raises nothing, as `tell`."""
        channel_id, message_id = self.ids
        own = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        for message in (own, self._answer):
            if message is not None and await self._edit(message, sentence, view):
                return

    async def _edit(
        self, message: discord.PartialMessage | discord.WebhookMessage, sentence: str, view: discord.ui.View | None
    ) -> bool:
        try:
            if view is None:
                await message.edit(content=sentence)
            else:
                await message.edit(content=sentence, view=view)
        except discord.HTTPException as error:
            log.info("announcement %d was not changed: HTTP %s, code %s", self.ids[1], error.status, error.code)
            return False
        except (aiohttp.ClientError, OSError) as error:
            log.info("announcement %d was not changed: %s", self.ids[1], type(error).__name__)
            return False
        return True
