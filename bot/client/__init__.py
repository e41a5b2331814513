"""Mynah on Discord: the client, the one place where failures are answered, and what comes in from members."""

from bot.client.bot import Bot, Rules, build_bot
from bot.client.buttons import Buttons, Press, button, party_of, row
from bot.client.news import describe
from bot.client.uploads import read_upload

__all__ = ["Bot", "Buttons", "Press", "Rules", "build_bot", "button", "describe", "party_of", "read_upload", "row"]
