"""The HTTP API on a bad day: rate limits, server errors, wrong tokens; and the failures of the playground itself."""

import discord
import pytest
from aiohttp import ServerDisconnectedError, web
from discord import app_commands

from playground.discord import Discord, Guild, Member, PlaygroundError, open_discord
from tests.unit.playground.discord.bots import ask, running


def teach(tree: app_commands.CommandTree) -> None:
    @tree.command(description="Answers and posts")
    async def post(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("answer")
        assert isinstance(interaction.channel, discord.TextChannel)
        await interaction.channel.send("posted")
        await interaction.followup.send("followed")


async def test_a_throttled_bot_waits_and_tries_again(house: Discord, guild: Guild, alice: Member) -> None:
    house.rest.hitches.throttle("POST /channels", retry_after=0.001)
    house.rest.hitches.throttle("POST /interactions", retry_after=0.001)
    house.rest.hitches.throttle("POST /webhooks", times=2, retry_after=0.001, everywhere=True)
    async with running(house, teach) as bot:
        answer = await alice.slash("post")
        await answer.followed()
        assert [seen.content for seen in guild.text_channel.messages] == ["answer", "posted", "followed"]
        assert house.rest.hitches.met == 4
        assert bot.errors == []


async def test_a_global_limit_is_marked(house: Discord) -> None:
    house.rest.hitches.throttle(everywhere=True)
    status, body = await ask(house, "GET", "/users/@me")
    assert (status, body["global"]) == (429, True)


async def test_a_server_error_is_no_json(house: Discord) -> None:
    house.rest.hitches.fail("GET /users", status=503)
    assert await ask(house, "GET", "/users/@me") == (503, "upstream connect error")
    assert (await ask(house, "GET", "/users/@me"))[0] == 200


async def test_an_answer_may_be_lost_though_what_was_asked_for_is_done(house: Discord, guild: Guild) -> None:
    where = f"/channels/{guild.text_channel.id}/messages"
    house.rest.hitches.fail(f"POST {where}", served=True)
    assert (await ask(house, "POST", where, json={"content": "posted"}))[0] == 503
    house.rest.hitches.hang_up(f"POST {where}")
    with pytest.raises(ServerDisconnectedError):
        await ask(house, "POST", where, json={"content": "lost"})
    assert [seen.content for seen in guild.text_channel.messages] == ["posted"]


async def test_a_wrong_token_is_unauthorized(house: Discord) -> None:
    status, body = await ask(house, "GET", "/users/@me", token="wrong")
    assert (status, body["message"]) == (401, "401: Unauthorized")


class BoomError(Exception):
    """A fault of the playground's own."""


async def boom(_: object) -> web.Response:
    raise BoomError


async def test_a_failure_of_the_playground_itself_is_loud() -> None:
    house = open_discord()
    house.rest.handle = boom
    await house.__aenter__()
    assert (await ask(house, "GET", "/users/@me"))[0] == 500
    with pytest.raises(PlaygroundError, match=r"a handler of the playground failed(.|\n)*BoomError"):
        await house.__aexit__(None, None, None)
