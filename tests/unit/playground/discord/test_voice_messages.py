"""Voice messages: what Discord takes for one, where it refuses it, and how it is seen."""

import asyncio
import base64
import io
import json
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands

from playground.discord import Discord, Guild, Member
from tests.unit.playground.discord.bots import Bot, ask, running

FLAG = 1 << 13
LEVELS = bytes([0, 64, 255, 128])


def picture(levels: bytes = LEVELS) -> str:
    return base64.b64encode(levels).decode()


def form(
    *, files: int = 1, kind: str = "audio/ogg", name: str = "v.ogg", told: dict[str, Any] | None = None, **body: Any
) -> aiohttp.FormData:
    """Write a voice message with something changed; `told` is said of its file, None of it leaves a field out."""
    facts = {"id": 0, "filename": name, "duration_secs": 1.5, "waveform": picture(), **(told or {})}
    known = {key: value for key, value in facts.items() if value is not None}
    parts = aiohttp.FormData(default_to_multipart=True)
    parts.add_field("payload_json", json.dumps({"flags": FLAG, "attachments": [known], **body}))
    for number in range(files):
        parts.add_field(f"files[{number}]", io.BytesIO(b"opus"), filename=name, content_type=kind)
    return parts


def path_of(guild: Guild) -> str:
    return f"/channels/{guild.text_channel.id}/messages"


async def test_a_voice_message_carries_its_length_its_picture_and_its_flag(house: Discord, guild: Guild) -> None:
    status, answer = await ask(house, "POST", path_of(guild), data=form())

    (seen,) = guild.text_channel.messages
    assert (status, answer["flags"]) == (200, FLAG)
    (attachment,) = answer["attachments"]
    assert (attachment["duration_secs"], attachment["waveform"]) == (1.5, picture())
    assert attachment["content_type"] == "audio/ogg"
    assert (seen.voice_message, seen.seconds, seen.waveform) == (True, 1.5, LEVELS)
    assert seen.files == {"v.ogg": b"opus"}
    assert house.transcript.lines() == ["Mynah: [voice message: ▁▃█▅ 1.5 s]"]


BAD: dict[str, tuple[dict[str, Any], int]] = {
    "a text": ({"content": "x"}, 50159),
    "an embed": ({"embeds": [{"title": "x"}]}, 50159),
    "a button": (
        {"components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "x"}]}]},
        50159,
    ),
    "no file": ({"files": 0}, 50160),
    "two files": ({"files": 2}, 50160),
    "a file that is sent as mere bytes": ({"kind": "application/octet-stream"}, 50160),
    "a file that is called a picture": ({"name": "v.png"}, 50160),
    "no length": ({"told": {"duration_secs": None}}, 50161),
    "no picture": ({"told": {"waveform": None}}, 50161),
    "a length of nothing": ({"told": {"duration_secs": 0}}, 50035),
    "a picture of 257 points": ({"told": {"waveform": picture(bytes(257))}}, 50035),
    "a picture that is not base64": ({"told": {"waveform": "%%%"}}, 50035),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_voice_message_is_refused_with(house: Discord, guild: Guild, case: str) -> None:
    changes, code = BAD[case]

    status, answer = await ask(house, "POST", path_of(guild), data=form(**changes))

    assert (status, answer["code"]) == (400, code)
    assert guild.text_channel.messages == []


async def test_a_picture_of_256_points_is_taken(house: Discord, guild: Guild) -> None:
    data = form(told={"waveform": picture(bytes(256))})

    assert (await ask(house, "POST", path_of(guild), data=data))[0] == 200


async def test_voice_messages_have_a_permission_of_their_own(house: Discord, guild: Guild) -> None:
    guild.deny(guild.text_channel, "attach_files")
    assert (await ask(house, "POST", path_of(guild), data=form()))[0] == 200
    for right, code in (("send_voice_messages", 50173), ("send_messages", 50013), ("view_channel", 50001)):
        guild.deny(guild.text_channel, right, to=house.bot_user)
        status, answer = await ask(house, "POST", path_of(guild), data=form())
        assert (status, answer["code"]) == (403, code)


async def test_a_voice_message_cannot_be_edited_and_can_be_deleted(house: Discord, guild: Guild) -> None:
    _, sent = await ask(house, "POST", path_of(guild), data=form())
    path = f"{path_of(guild)}/{sent['id']}"

    status, answer = await ask(house, "PATCH", path, json={"content": "x"})

    assert (status, answer["code"]) == (400, 50162)
    assert (await ask(house, "DELETE", path))[0] == 204


async def test_an_edit_makes_no_voice_message(house: Discord, guild: Guild) -> None:
    _, sent = await ask(house, "POST", path_of(guild), json={"content": "x"})

    _, answer = await ask(house, "PATCH", f"{path_of(guild)}/{sent['id']}", data=form(content=""))

    assert answer["flags"] & FLAG == 0
    assert len(answer["attachments"]) == 1


async def test_a_voice_message_may_answer_another(house: Discord, guild: Guild, alice: Member) -> None:
    asked = alice.writes("say it")
    await ask(house, "POST", path_of(guild), data=form(message_reference={"message_id": str(asked.id)}))

    assert guild.text_channel.messages[-1].replies_to == asked.id


async def test_an_answer_needs_what_it_answers_and_its_history(house: Discord, guild: Guild) -> None:
    def replying(**more: Any) -> dict[str, Any]:
        return {"json": {"content": "x", "message_reference": {"message_id": "5", **more}}}

    assert (await ask(house, "POST", path_of(guild), **replying()))[1]["code"] == 50035
    assert (await ask(house, "POST", path_of(guild), **replying(fail_if_not_exists=False)))[0] == 200
    assert guild.text_channel.messages[-1].replies_to is None
    guild.deny(guild.text_channel, "read_message_history")
    assert (await ask(house, "POST", path_of(guild), **replying()))[1]["code"] == 160002


async def test_it_can_be_written_to_a_user_directly(house: Discord, alice: Member) -> None:
    await ask(house, "POST", f"/channels/{alice.inbox.id}/messages", data=form())

    (seen,) = alice.direct_messages
    assert (seen.voice_message, seen.seconds) == (True, 1.5)


@pytest.fixture
def gate() -> asyncio.Event:
    return asyncio.Event()


def sleeping(gate: asyncio.Event) -> Any:
    def teach(tree: app_commands.CommandTree) -> None:
        @tree.command(description="Lets others answer")
        async def sleep(_: discord.Interaction) -> None:
            await gate.wait()

    return teach


async def _asked(house: Discord, bot: Bot, alice: Member) -> tuple[asyncio.Task[Any], str, str]:
    """Use the command; return the wait for its answer, and the paths of the callback and of the webhook."""
    waiting = asyncio.create_task(alice.slash("sleep"))
    (asked,) = await bot.hears("interaction")
    return waiting, f"/interactions/{asked.id}/{asked.token}/callback", f"/webhooks/{house.bot_user.id}/{asked.token}"


def callback(**data: Any) -> aiohttp.FormData:
    told = {"id": 0, "filename": "v.ogg", "duration_secs": 1.5, "waveform": picture()}
    parts = aiohttp.FormData()
    parts.add_field("payload_json", json.dumps({"type": 4, "data": {"flags": FLAG, "attachments": [told], **data}}))
    parts.add_field("files[0]", io.BytesIO(b"opus"), filename="v.ogg", content_type="audio/ogg")
    return parts


async def test_a_first_answer_can_be_a_voice_message(
    house: Discord, guild: Guild, alice: Member, gate: asyncio.Event
) -> None:
    async with running(house, sleeping(gate)) as bot:
        waiting, path, hook = await _asked(house, bot, alice)
        assert (await ask(house, "POST", path, data=callback(content="x")))[1]["code"] == 50159
        guild.deny(guild.text_channel, "send_voice_messages", to=house.bot_user)
        assert (await ask(house, "POST", path, data=callback()))[1]["code"] == 50173
        guild.allow(guild.text_channel, "send_voice_messages", to=house.bot_user)
        assert (await ask(house, "POST", path, data=callback()))[0] == 204
        answer = await waiting
        assert (answer.voice_message, answer.seconds) == (True, 1.5)
        edited = await ask(house, "PATCH", f"{hook}/messages/@original", json={"content": "x"})
        assert edited[1]["code"] == 50162
        gate.set()


async def test_no_later_answer_is_a_voice_message(house: Discord, alice: Member, gate: asyncio.Event) -> None:
    async with running(house, sleeping(gate)) as bot:
        waiting, path, hook = await _asked(house, bot, alice)
        await ask(house, "POST", path, json={"type": 5, "data": {"flags": FLAG}})
        answer = await waiting
        await ask(house, "PATCH", f"{hook}/messages/@original", data=form())
        await ask(house, "POST", hook, data=form())
        for seen in (answer, *answer.followups):
            assert list(seen.files) == ["v.ogg"]
            assert not seen.voice_message
            with pytest.raises(LookupError, match="no voice message"):
                _ = seen.seconds
        gate.set()
