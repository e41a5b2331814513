"""The least of Discord that a real discord.Client needs to log in and to ask for a voice channel."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import discord
from aiohttp import WSMsgType, web

from playground.discord.voice import VoiceServer
from tests.unit.playground.voice.client import BOT, GUILD, LOUNGE
from tests.unit.playground.voice.house import House, open_house

OWNER = 9
DEN = 201
STAGE = 202


def _user(user_id: int) -> dict[str, Any]:
    return {"id": str(user_id), "username": f"u{user_id}", "discriminator": "0", "avatar": None, "global_name": None}


def _channel(channel_id: int, kind: int) -> dict[str, Any]:
    common = {"id": str(channel_id), "type": kind, "name": f"c{channel_id}", "position": 0, "parent_id": None}
    voice = {"bitrate": 64000, "user_limit": 0, "rtc_region": None, "nsfw": False, "topic": None}
    return {**common, **voice, "permission_overwrites": [], "rate_limit_per_user": 0, "last_message_id": None}


def _guild() -> dict[str, Any]:
    member = {"user": _user(BOT), "roles": [], "joined_at": "2024-01-01T00:00:00+00:00", "deaf": False, "mute": False}
    everyone = {"id": str(GUILD), "name": "@everyone", "color": 0, "hoist": False, "position": 0, "managed": False}
    empty = ("emojis", "features", "stickers", "threads", "presences", "stage_instances", "voice_states")
    rest = ("guild_scheduled_events", "soundboard_sounds")
    return {
        **{name: [] for name in (*empty, *rest)},
        "id": str(GUILD),
        "name": "g",
        "owner_id": str(OWNER),
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "nsfw_level": 0,
        "system_channel_flags": 0,
        "member_count": 1,
        "roles": [{**everyone, "permissions": str((1 << 53) - 1), "mentionable": False, "flags": 0}],
        "members": [{**member, "flags": 0}],
        "channels": [_channel(LOUNGE, 2), _channel(DEN, 2), _channel(STAGE, 13)],
    }


class Mini:
    """Owns the main gateway's one connection and the bot's voice state."""

    def __init__(self, voice: VoiceServer) -> None:
        self.voice = voice
        self.channel_id: int | None = None
        self._gateway: web.WebSocketResponse | None = None
        self._sequence = 0
        self._voice_sessions = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.url.host == "gateway.discord.gg":
            return await self._serve_gateway(request)
        application = {"id": str(BOT), "name": "a", "description": "", "icon": None, "summary": "", "verify_key": ""}
        more = {"bot_public": True, "bot_require_code_grant": False, "flags": 0, "hook": True, "owner": _user(OWNER)}
        answers = {"/users/@me": {**_user(BOT), "bot": True}, "/oauth2/applications/@me": {**application, **more}}
        body = answers[request.path.removeprefix("/api/v10")]
        return web.Response(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})

    async def _serve_gateway(self, request: web.Request) -> web.WebSocketResponse:
        self._gateway = gateway = web.WebSocketResponse()
        await gateway.prepare(request)
        await self._send(10, {"heartbeat_interval": 41250})
        async for message in gateway:
            assert message.type is WSMsgType.TEXT
            body = json.loads(message.data)
            match body["op"]:
                case 1:
                    await self._send(11, None)
                case 2:
                    ready = {"v": 10, "user": _user(BOT), "guilds": [{"id": str(GUILD), "unavailable": True}]}
                    session = {"session_id": "g", "resume_gateway_url": "wss://gateway.discord.gg"}
                    await self.dispatch("READY", {**ready, **session, "application": {"id": str(BOT), "flags": 0}})
                    await self.dispatch("GUILD_CREATE", _guild())
                case 4:
                    channel = body["d"]["channel_id"]
                    await self.move(int(channel) if channel else None)
        return gateway

    async def move(self, channel_id: int | None) -> None:
        """Put the bot into a channel as Discord does: state, then the server to go to."""
        moved, self.channel_id = self.channel_id is not None, channel_id
        self._voice_sessions += 1
        session_id = f"v{self._voice_sessions}"
        state = {"guild_id": str(GUILD), "user_id": str(BOT), "session_id": session_id}
        flags = dict.fromkeys(("deaf", "mute", "self_deaf", "self_mute", "self_video", "suppress"), False)
        channel = str(channel_id) if channel_id else None
        token = None
        if channel_id:
            token = self.voice.expect(guild_id=GUILD, channel_id=channel_id, user_id=BOT, session_id=session_id)
        if moved:
            self.voice.dismiss(guild_id=GUILD, user_id=BOT)
        await self.dispatch(
            "VOICE_STATE_UPDATE", {**state, **flags, "channel_id": channel, "request_to_speak_timestamp": None}
        )
        if token:
            server = {"guild_id": str(GUILD), "token": token, "endpoint": self.voice.endpoint}
            await self.dispatch("VOICE_SERVER_UPDATE", server)

    async def dispatch(self, event: str, data: object) -> None:
        self._sequence += 1
        await self._send(0, data, s=self._sequence, t=event)

    async def _send(self, op: int, data: object, **more: object) -> None:
        assert self._gateway is not None
        await self._gateway.send_str(json.dumps({"op": op, "d": data, "s": None, "t": None, **more}))


@asynccontextmanager
async def open_bot(voice: VoiceServer) -> AsyncIterator[tuple[House, Mini, discord.Client]]:
    """Log a real discord.Client in and wait until it is ready."""
    mini = Mini(voice)
    async with open_house(voice, mini.handle) as house:
        client = discord.Client(
            intents=discord.Intents(guilds=True, voice_states=True),
            connector=house.connector(),
            max_messages=None,
            guild_ready_timeout=0.05,
        )
        async with client:
            running = asyncio.create_task(client.start("token"))
            ready = asyncio.create_task(client.wait_until_ready())
            try:
                async with asyncio.timeout(10):
                    await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    await running
                yield house, mini, client
            finally:
                await client.close()
                ready.cancel()
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([running])
