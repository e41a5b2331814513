"""Files that members attach to a command, read from Discord's CDN. Knows nothing of what is in them."""

import asyncio
import math

import aiohttp
import discord

from bot.errors import SampleError

_SECONDS = 30.0


async def read_upload(
    attachment: discord.Attachment, *, max_bytes: int, otherwise: str = "cut it, or send it as mp3 or ogg"
) -> bytes:
    """Read a file of at most `max_bytes`. Raises `SampleError`, which says what to do `otherwise`."""
    if attachment.size > max_bytes:
        raise SampleError(
            f"That file has {math.ceil(attachment.size / 1e5) / 10:g} MB and I take {max_bytes / 1e6:g} MB: "
            f"{otherwise}."
        )
    try:
        async with asyncio.timeout(_SECONDS):
            return await attachment.read()
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError) as error:
        raise SampleError("I could not fetch that file from Discord: attach it again.") from error
