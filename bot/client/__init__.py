"""Mynah on Discord: the client, the one place where failures are answered, and what comes in from members."""

from bot.client.bot import Bot, Rules, build_bot
from bot.client.buttons import Buttons, Press, button, row
from bot.client.uploads import read_upload

__all__ = ["Bot", "Buttons", "Press", "Rules", "build_bot", "button", "read_upload", "row"]
