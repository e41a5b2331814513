"""Mynah on Discord: the client, the one place where failures are answered, and what comes in from members."""

from bot.client.announcement import Announcement, controls
from bot.client.announcements import Announcements
from bot.client.bot import Bot, Rules, build_bot
from bot.client.buttons import Buttons, Press, button, party_of, row
from bot.client.following import follow
from bot.client.news import describe
from bot.client.patience import thinking
from bot.client.revival import Revival
from bot.client.uploads import read_upload
from bot.client.voice_messages import find_obstacle, try_voice_message
from bot.client.voice_test import VoiceTest

__all__ = [
    "Announcement",
    "Announcements",
    "Bot",
    "Buttons",
    "Press",
    "Revival",
    "Rules",
    "VoiceTest",
    "build_bot",
    "button",
    "controls",
    "describe",
    "find_obstacle",
    "follow",
    "party_of",
    "read_upload",
    "row",
    "thinking",
    "try_voice_message",
]
