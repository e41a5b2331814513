"""Voice messages as the real discord.py sends them, and what it keeps to itself and we touch."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord import http

from bot.client import find_obstacle
from playground.discord import Discord, Guild, Member
from tests.unit.client.conftest import Journal
from tests.unit.client.stage import SOUND

CURE = "I may not send voice messages here: give me Send Messages and Send Voice Messages"


def test_discord_py_is_the_release_whose_private_parts_we_know() -> None:
    assert discord.__version__ == "2.7.1"


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (http.handle_message_parameters, "attachments_payload.append(attachment.to_dict(file_index))"),
        (http.handle_message_parameters, "payload['flags'] = flags.value"),
        (http.handle_message_parameters, "payload['message_reference'] = message_reference"),
        (http.handle_message_parameters, "payload['enforce_nonce'] = True"),
        (http.handle_message_parameters, "'filename': file.filename,"),
        (http.handle_message_parameters, "'content_type': 'application/octet-stream',"),
        (http.handle_message_parameters, "return MultipartParameters(payload=payload, multipart=multipart"),
        (http.MultipartParameters, "multipart: Optional[List[Dict[str, Any]]]"),
        (http.HTTPClient.send_message, "self.request(r, files=params.files, form=params.multipart)"),
        (http.HTTPClient.request, "form_data.add_field(**params)"),
        (discord.File.to_dict, "'filename': self.filename,"),
        (discord.Client.__init__, "self.http: HTTPClient = HTTPClient("),
    ],
)
def test_what_we_touch_of_discord_py_is_as_we_know_it(where: Callable[..., Any], words: str) -> None:
    assert words in inspect.getsource(where)


def test_discord_py_still_has_no_call_of_its_own() -> None:
    parameters = inspect.signature(discord.abc.Messageable.send).parameters

    assert not [name for name in parameters if "voice" in name or name == "flags"]
    assert "duration" not in inspect.signature(discord.File).parameters


@pytest.mark.usefixtures("bot")
async def test_it_goes_out_with_its_length_and_its_picture_below_its_label(guild: Guild, alice: Member) -> None:
    answer = await alice.slash("record")
    await answer.until(lambda seen: seen.content == "Sent.")

    label, message = guild.text_channel.messages
    assert (label.content, label.voice_message, label.files) == ("**Label** @everyone", False, {})
    assert message.files == {"voice-message.ogg": SOUND.ogg}
    assert (message.voice_message, message.seconds, message.waveform) == (True, 1.235, SOUND.waveform)
    assert message.replies_to == label.id
    assert not label.pings
    assert not message.pings


@pytest.mark.usefixtures("bot")
async def test_it_answers_nothing_where_the_bot_may_not_read_the_history(guild: Guild, alice: Member) -> None:
    guild.deny(guild.text_channel, "read_message_history")

    answer = await alice.slash("record")
    await answer.until(lambda seen: seen.content == "Sent.")

    assert [seen.replies_to for seen in guild.text_channel.messages] == [None, None]


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("right", ["view_channel", "send_messages", "send_voice_messages"])
async def test_a_refusal_says_the_cure_and_leaves_no_label(guild: Guild, alice: Member, right: str) -> None:
    guild.deny(guild.text_channel, right, to=guild.bot)

    answer = await alice.slash("record")
    await answer.until(lambda seen: seen.content != "Wait.")

    assert answer.content == f"Refused: {CURE}"
    assert guild.text_channel.messages == []


@pytest.mark.usefixtures("bot")
async def test_a_label_that_somebody_took_away_spoils_no_refusal(house: Discord, guild: Guild, alice: Member) -> None:
    guild.deny(guild.text_channel, "send_voice_messages", to=guild.bot)
    house.rest.hitches.fail(r"DELETE .*/webhooks/", status=404)

    answer = await alice.slash("record")
    await answer.until(lambda seen: seen.content != "Wait.")

    assert answer.content == f"Refused: {CURE}"


@pytest.mark.usefixtures("bot")
async def test_another_fault_of_discord_is_a_sentence(
    house: Discord, guild: Guild, alice: Member, journal: Journal
) -> None:
    house.rest.hitches.fail(r"POST .*/channels/\d+/messages", status=400)

    answer = await alice.slash("record")
    await answer.until(lambda seen: any(told.ephemeral for told in seen.followups))
    (told,) = answer.followups

    assert told.content == "Discord did not take the voice message: try again, or choose where: file."
    assert guild.text_channel.messages == []
    assert not [record for record in journal.records if "bug" in record.getMessage()]


@pytest.mark.usefixtures("bot")
async def test_a_label_stays_where_nobody_knows_whether_the_message_came(
    house: Discord, guild: Guild, alice: Member
) -> None:
    house.rest.hitches.fail(r"POST .*/channels/\d+/messages", status=503)

    answer = await alice.slash("record")
    _, told = await answer.followed(2)

    assert told.content == "Discord did not take the voice message: try again, or choose where: file."
    assert [seen.content for seen in guild.text_channel.messages] == ["**Label** @everyone"]


@pytest.mark.usefixtures("bot")
async def test_a_connection_that_breaks_while_it_is_posted_is_a_sentence_and_no_bug(
    house: Discord, guild: Guild, alice: Member, journal: Journal
) -> None:
    house.rest.hitches.hang_up(r"POST .*/channels/\d+/messages")

    answer = await alice.slash("record")
    _, told = await answer.followed(2)

    assert told.content == "Discord did not take the voice message: try again, or choose where: file."
    assert [seen.content for seen in guild.text_channel.messages] == ["**Label** @everyone"]
    assert not [record for record in journal.records if "bug" in record.getMessage()]


@pytest.mark.usefixtures("bot")
async def test_a_message_that_came_is_not_sent_twice_where_discord_fails_to_say_so(
    house: Discord, guild: Guild, alice: Member
) -> None:
    house.rest.hitches.fail(r"POST .*/channels/\d+/messages", status=502, served=True)

    answer = await alice.slash("record")
    await answer.until(lambda seen: seen.content == "Sent.")

    assert [seen.voice_message for seen in guild.text_channel.messages] == [False, True]


def test_the_invitations_of_the_readme_ask_for_what_it_says() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    needed = discord.Permissions(view_channel=True, connect=True, speak=True)
    wished = discord.Permissions(needed.value, send_messages=True, send_voice_messages=True)

    assert re.findall(r"permissions=(\d+)", readme) == [str(needed.value), str(wished.value)]


def came_from(*rights: str, guild_id: int | None = 1, channel: object = None) -> Any:
    granted = discord.Permissions(**dict.fromkeys(rights, True))
    return SimpleNamespace(guild_id=guild_id, app_permissions=granted, channel=channel)


THREAD = object.__new__(discord.Thread)
ALL = ("view_channel", "send_messages", "send_voice_messages")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (came_from(*ALL), ""),
        (came_from("view_channel", "send_messages"), "give me Send Voice Messages"),
        (came_from("view_channel", "send_voice_messages"), "give me Send Messages"),
        (came_from(), "give me View Channel, Send Messages and Send Voice Messages"),
        (came_from(*ALL, channel=THREAD), "give me Send Messages in Threads"),
        (came_from("view_channel", "send_messages_in_threads", "send_voice_messages", channel=THREAD), ""),
        (came_from(*ALL, guild_id=None), "direct messages with me take no voice messages: ask in a server for one"),
    ],
)
def test_what_is_missing_is_known_before_anything_is_sent(place: Any, words: str) -> None:
    found = find_obstacle(place)

    assert found.endswith(words)
    assert bool(found) == bool(words)
