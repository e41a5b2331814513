"""A hand-written voice client that follows the voice gateway and DAVE as discord.py does, and can do it wrong.

Every message from the server is handled as it comes; what a test waits for is awaited on a bell.
"""

import asyncio
import itertools
import json
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import davey
import nacl.secret
from aiohttp import ClientWebSocketResponse, WSMsgType
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from playground.discord.bell import Bell
from tests.unit.playground.voice.house import House

GCM, XCHACHA = "aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"
SILENCE = b"\xf8\xff\xfe"
GUILD, LOUNGE, BOT = 100, 200, 300


class Client:
    """Owns one connection of one user to the voice server."""

    def __init__(
        self,
        house: House,
        *,
        user_id: int = BOT,
        channel_id: int = LOUNGE,
        guild_id: int = GUILD,
        mode: str = XCHACHA,
        ticket: dict[str, Any] | None = None,
        dave: int | None = 1,
        endpoint: str | None = None,
        lies: str = "",
    ) -> None:
        self.house, self.user_id, self.channel_id, self.guild_id, self.mode = house, user_id, channel_id, guild_id, mode
        self.lies = lies
        self.dave = dave
        self.endpoint = endpoint or house.voice.endpoint
        if ticket is None:
            token = house.voice.expect(guild_id=guild_id, channel_id=channel_id, user_id=user_id, session_id="s")
            ticket = {"session_id": "s", "token": token}
        self.identity = {"server_id": str(guild_id), "user_id": str(user_id), **ticket}
        if dave is not None:
            self.identity["max_dave_protocol_version"] = dave
        self.bell = Bell()
        self.messages: list[tuple[int, Any]] = []
        self.seq_ack = -1
        self.sequences: list[int] = []
        self.ssrc = 0
        self.key = b""
        self.version = 0
        self.session: davey.DaveSession | None = None
        self.close_code: int | None = None
        self.mute: set[int] = set()
        """Opcodes this client does not send."""
        self.garble: Callable[[int, bytes], bytes] = lambda _op, data: data
        self.sequence, self.timestamp, self.nonce = 10, 5000, 0
        self.ws: ClientWebSocketResponse | None = None
        self.udp: socket.socket | None = None
        self._reader: asyncio.Task[None] | None = None
        self._choosing: asyncio.Task[None] | None = None

    # Opening and closing

    async def __aenter__(self) -> Self:
        await self.open()
        await self.send(0, self.identity)
        return self

    async def open(self) -> None:
        await self.hang_up()
        self.close_code = None
        self.ws = await self.house.http.ws_connect(f"wss://{self.endpoint}/?v=8")
        self._reader = asyncio.create_task(self._read(self.ws))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.hang_up()
        if self.udp is not None:
            self.udp.close()

    async def hang_up(self) -> None:
        if self.ws is not None:
            await self.ws.close()
        for task in (self._reader, self._choosing):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def until(self, met: Callable[[], object], seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            await self.bell.until(lambda: bool(met()))

    async def described(self) -> Self:
        await self.until(lambda: self.key)
        return self

    async def secured(self) -> Self:
        await self.until(lambda: self.session is not None and self.session.ready)
        return self

    async def closed(self) -> int:
        await self.until(lambda: self.close_code is not None)
        assert self.close_code is not None
        return self.close_code

    def received(self, op: int) -> list[Any]:
        return [data for one, data in self.messages if one == op]

    # The voice gateway

    async def send(self, op: int, data: object) -> None:
        assert self.ws is not None
        if op in self.mute:
            return
        await self.ws.send_str(json.dumps({"op": op, "d": data}))

    async def send_binary(self, op: int, data: bytes) -> None:
        assert self.ws is not None
        if op in self.mute:
            return
        await self.ws.send_bytes(bytes([op]) + self.garble(op, data))

    async def _read(self, ws: ClientWebSocketResponse) -> None:
        async for message in ws:
            if message.type is WSMsgType.TEXT:
                body = json.loads(message.data)
                if "seq" in body:
                    self.seq_ack = body["seq"]
                    self.sequences.append(self.seq_ack)
                await self._take(body["op"], body["d"])
                self.messages.append((body["op"], body["d"]))
            elif message.type is WSMsgType.BINARY:
                self.seq_ack = struct.unpack_from(">H", message.data)[0]
                self.sequences.append(self.seq_ack)
                await self._take_binary(message.data[2], message.data[3:])
                self.messages.append((message.data[2], message.data[3:]))
            self.bell.ring()
        self.close_code = ws.close_code
        self.bell.ring()

    async def _take(self, op: int, data: Any) -> None:
        match op:
            case 2:
                self.ssrc = data["ssrc"]
                self._choosing = asyncio.create_task(self._choose(data["ip"], data["port"]))
            case 4:
                self.key, self.version = bytes(data["secret_key"]), data["dave_protocol_version"]
                await self.speak(0)
                if self.version:
                    self.session = davey.DaveSession(self.version, self.user_id, self.channel_id)
                    await self.send_binary(26, self.session.get_serialized_key_package())
            case 24 if data["epoch"] == 1:
                await self._start_over()
            case _:
                pass

    def ask_address(self) -> None:
        self.send_datagram(struct.pack(">HHI66x", 1, 70, self.ssrc))

    async def _choose(self, host: str, port: int) -> None:
        address, own_port = await self._discover(host, port)
        choice = {"address": self.lies or address, "port": own_port, "mode": self.mode}
        await self.send(1, {"protocol": "udp", "data": choice})

    async def _discover(self, host: str, port: int) -> tuple[str, int]:
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setblocking(False)
        self.udp.connect((host, port))
        self.ask_address()
        self.bell.ring()
        answer = await asyncio.get_running_loop().sock_recv(self.udp, 100)
        kind, length, ssrc = struct.unpack_from(">HHI", answer)
        assert (kind, length, ssrc, len(answer)) == (2, 70, self.ssrc, 74)
        return answer[8:72].rstrip(b"\0").decode(), struct.unpack_from(">H", answer, 72)[0]

    async def _take_binary(self, op: int, data: bytes) -> None:
        assert self.session is not None
        match op:
            case 25:
                self.session.set_external_sender(data)
            case 27:
                result = self.session.process_proposals(davey.ProposalsOperationType.append, data[1:])
                if result is not None:
                    await self.send_binary(28, result.commit + (result.welcome or b""))
            case 29:
                await self._enter(self.session.process_commit, data)
            case 30:
                await self._enter(self.session.process_welcome, data)
            case _:
                raise AssertionError(f"binary opcode {op} is not for clients")

    async def _enter(self, process: Callable[[bytes], None], data: bytes) -> None:
        (transition,) = struct.unpack_from(">H", data)
        try:
            process(self.garble(0, data[2:]))
        except ValueError:
            await self.send(31, {"transition_id": transition})
            await self._start_over()
        else:
            await self.send(23, {"transition_id": transition})

    async def _start_over(self) -> None:
        assert self.session is not None
        self.session.reinit(self.version, self.user_id, self.channel_id)
        await self.send_binary(26, self.session.get_serialized_key_package())

    async def speak(self, flags: int) -> None:
        await self.send(5, {"speaking": flags, "delay": 0, "ssrc": self.ssrc})

    async def resume(self) -> None:
        wanted = {name: self.identity[name] for name in ("server_id", "session_id", "token")}
        await self.send(7, {**wanted, "seq_ack": self.seq_ack})

    async def heartbeat(self) -> None:
        await self.send(3, {"t": 123, "seq_ack": self.seq_ack})

    # Audio

    def say(self, packets: list[bytes], *, clear: bool = False, silences: int = 5) -> None:
        """Send packets at once, and the silence frames after them."""
        for packet in itertools.chain(packets, [SILENCE] * silences):
            self.send_frame(packet if clear or self.session is None else self.session.encrypt_opus(packet))

    def send_frame(self, frame: bytes, *, header: bytes = b"") -> None:
        """Send one frame as RTP and count on; `header` replaces the fixed RTP header."""
        self.send_datagram(self.seal(header or self.header(), frame))
        self.sequence, self.timestamp = (self.sequence + 1) & 0xFFFF, (self.timestamp + 960) & 0xFFFFFFFF

    def header(self) -> bytes:
        return struct.pack(">BBHII", 0x80, 0x78, self.sequence, self.timestamp, self.ssrc)

    def seal(self, header: bytes, frame: bytes) -> bytes:
        nonce = struct.pack(">I", self.nonce)
        self.nonce += 1
        if self.mode == GCM:
            return header + AESGCM(self.key).encrypt(nonce + bytes(8), frame, header) + nonce
        box = nacl.secret.Aead(self.key)
        return header + box.encrypt(frame, header, nonce + bytes(20)).ciphertext + nonce

    def send_datagram(self, data: bytes) -> None:
        assert self.udp is not None
        self.udp.send(data)
