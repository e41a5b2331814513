"""Downloads: signed addresses, and everything that can go wrong with them."""

import asyncio

import aiohttp
import discord
import pytest
from discord import app_commands

from playground.discord import Cut, Discord, Guild, Member, Refused, Slow, Upload
from tests.unit.playground.discord.bots import download, running

SAMPLE = Upload("aki.wav", bytes(range(256)) * 1000)


async def address(house: Discord, member: Member) -> str:
    """Return the address of a file that a member just posted."""
    message = member.writes("", SAMPLE).message
    return str(house.world.files.payload(message.attachments[0])["url"])


async def test_a_signed_address_gives_the_file(house: Discord, alice: Member) -> None:
    url = await address(house, alice)
    assert await download(house, url) == (200, SAMPLE.data)
    proxied = url.replace("cdn.discordapp.com", "media.discordapp.net")
    assert (await download(house, proxied))[0] == 200
    assert house.cdn.downloads == 2


async def test_an_address_without_a_good_signature_gives_nothing(house: Discord, alice: Member) -> None:
    url = await address(house, alice)
    bare, _, query = url.partition("?")
    assert (await download(house, bare))[0] == 404
    assert (await download(house, f"{bare}?{query.replace('hm=', 'hm=0')}"))[0] == 403
    assert (await download(house, f"{bare}?ex=x&is=y&hm=z"))[0] == 404
    house.clock.advance(25 * 3600)
    assert (await download(house, url))[0] == 404
    assert (await download(house, await address(house, alice)))[0] == 200


async def test_a_file_goes_with_its_message(house: Discord, guild: Guild, alice: Member) -> None:
    url = await address(house, alice)
    house.world.messages.delete(guild.text_channel.messages[0].id)
    assert (await download(house, url))[0] == 404


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_downloads_can_be_refused(house: Discord, alice: Member, status: int) -> None:
    def teach(tree: app_commands.CommandTree) -> None:
        @tree.command(description="Takes a file")
        async def take(interaction: discord.Interaction, sample: discord.Attachment) -> None:
            try:
                await sample.read()
            except discord.HTTPException as error:
                await interaction.response.send_message(str(error.status))

    house.cdn.trouble = Refused(status)
    async with running(house, teach):
        assert (await alice.slash("take", sample=SAMPLE)).content == str(status)


async def test_downloads_can_break_off(house: Discord, alice: Member) -> None:
    url = await address(house, alice)
    house.cdn.trouble = Cut(after=1000)
    with pytest.raises(aiohttp.ClientPayloadError):
        await download(house, url)


async def test_downloads_can_be_slow(house: Discord, alice: Member) -> None:
    url = await address(house, alice)
    house.cdn.trouble = Slow(piece=100_000, pause=0.001)
    assert await download(house, url) == (200, SAMPLE.data)
    house.cdn.trouble = Slow(piece=1000, pause=60)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await download(house, url)
    house.cdn.trouble = None


async def test_types_are_guessed_from_names(house: Discord, alice: Member) -> None:
    names = ["a.mp3", "a.OGG", "a.m4a", "a.flac", "a.webm", "a.zip", "noending", "a.strange", "ünï.wav", "🐦"]
    seen = alice.writes("", *(Upload(name, b"") for name in names))
    found = [(each.filename, each.content_type) for each in seen.message.attachments]
    assert found == [
        ("a.mp3", "audio/mpeg"),
        ("a.OGG", "audio/ogg"),
        ("a.m4a", "audio/mp4"),
        ("a.flac", "audio/x-flac"),
        ("a.webm", "video/webm"),
        ("a.zip", "application/zip"),
        ("noending", None),
        ("a.strange", None),
        ("n.wav", "audio/x-wav"),
        ("unknown", None),
    ]
