"""One channel's DAVE key group as the voice server sees it: who is in, who waits, and one change at a time.

Knows opcodes and public MLS messages, no keys and no sockets; members are told and answer through `KeyMember`.
Source: the DAVE protocol whitepaper, "Delivery Service" to "Recovery from Invalid Commit or Welcome".
"""

import asyncio
import logging
import math
import struct
from collections import deque
from collections.abc import Callable
from typing import Protocol

from playground.discord.voice.breach import BreachError
from playground.discord.voice.change import Change, first_change, next_change
from playground.discord.voice.faults import Faults
from playground.discord.voice.mls import Commit, ExternalSender, KeyPackage, MlsError, read_commit, read_key_package
from playground.discord.voice.opcodes import Close, Op
from playground.discord.voice.roster import Roster
from playground.discord.voice.transition import Transitions

log = logging.getLogger(__name__)

_VERSION = 1


class KeyMember(Protocol):
    """Somebody in the channel who takes part in the key group."""

    @property
    def user_id(self) -> int: ...

    @property
    def remote(self) -> bool:
        """Whether it is a client on a websocket, not a listener of the playground."""

    def tell(self, op: Op, data: dict[str, object] | bytes) -> None:
        """Take a message of the voice gateway; bytes are a binary one without its sequence number and opcode."""


class KeyGroup:
    """Owns the group's roster and epoch, the key packages not yet used, and the change in flight."""

    def __init__(self, channel_id: int, faults: Faults, changed: Callable[[], None]) -> None:
        self._channel_id = channel_id
        self._faults = faults
        self._changed = changed
        self._sender = ExternalSender(channel_id)
        self._present: dict[int, KeyMember] = {}
        self._packages: dict[int, KeyPackage] = {}
        self._roster = Roster()
        self._epoch = 0
        self._absent: set[int] = set()
        self._flagged: set[int] = set()
        self._change: Change | None = None
        self._held: list[tuple[KeyMember, Commit]] = []
        self._transitions = Transitions(lambda transition: self._do(lambda: self._execute(transition)))
        self._timers: set[asyncio.TimerHandle] = set()
        self._tasks: deque[Callable[[], None]] = deque()
        self._busy = False

    @property
    def members(self) -> frozenset[int]:
        """User ids of those who hold the present epoch's keys."""
        return self._roster.users - self._absent - self._flagged

    @property
    def settled(self) -> bool:
        """Whether everybody present is in the group (or one is alone) and nothing is on its way."""
        complete = self.members == frozenset(self._present) or (len(self._present) < 2 and self._epoch == 0)
        return complete and self._change is None and not self._transitions.running

    def join(self, member: KeyMember) -> None:
        """Let a member in: it gets the external sender and answers with a key package."""
        self._present[member.user_id] = member
        self._do(lambda: member.tell(Op.EXTERNAL_SENDER, self._sender.package()))

    def leave(self, member: KeyMember) -> None:
        """Let a member go; it is removed from the group by those who stay."""
        if self._present.get(member.user_id) is not member:
            return
        del self._present[member.user_id]
        self._packages.pop(member.user_id, None)
        if member.user_id in self._roster.users:
            self._absent.add(member.user_id)
        self._do(lambda: self._drop(member.user_id))

    def close(self) -> None:
        """Forget everything that was to happen later."""
        self._present.clear()
        self._transitions.cancel()
        for timer in self._timers:
            timer.cancel()

    def receive(self, member: KeyMember, op: Op, data: bytes) -> None:
        """Take a member's binary message. Raises BreachError where it is not what its opcode says."""
        try:
            if op is Op.KEY_PACKAGE:
                package = read_key_package(data)
            elif op is Op.COMMIT_WELCOME:
                commit = read_commit(data)
            else:
                raise BreachError(f"opcode {op} is not for clients to send", code=Close.UNKNOWN_OPCODE)
        except MlsError as error:
            raise BreachError(f"{op.name} is malformed: {error}", code=Close.UNDECODABLE) from error
        if op is Op.KEY_PACKAGE:
            self._take_package(member, package)
        else:
            self._check_commit(member, commit)
            self._do(lambda: self._take_commit(member, commit))

    def ready(self, member: KeyMember, transition_id: int) -> None:
        """Take a member's word that it is ready for a transition."""
        self._do(lambda: self._transitions.ready(member.user_id, transition_id))

    def invalid(self, member: KeyMember) -> None:
        """Take a member's word that it could not use a commit or welcome: it will send a new key package."""
        if member.user_id in self._roster.users:
            self._flagged.add(member.user_id)
        self._do(lambda: self._transitions.give_up(member.user_id))

    def _do(self, task: Callable[[], None]) -> None:
        """Run `task` after those already waiting: members answer while they are being told."""
        self._tasks.append(task)
        if self._busy:
            return
        self._busy = True
        try:
            while self._tasks:
                self._tasks.popleft()()
                if not self._tasks:
                    self._advance()
        finally:
            self._busy = False
        self._changed()

    def _take_package(self, member: KeyMember, package: KeyPackage) -> None:
        if package.owner != member.user_id:
            raise BreachError(
                f"the key package of user {member.user_id} belongs to {package.owner}", code=Close.BAD_REQUEST
            )

        def take() -> None:
            if self._present.get(member.user_id) is member:
                self._packages[member.user_id] = package

        delay = self._faults.group_delay if member.remote else 0.0
        if delay == 0.0:
            self._do(take)
        elif delay != math.inf:
            self._later(delay, lambda: self._do(take))

    def _later(self, delay: float, task: Callable[[], None]) -> None:
        def run() -> None:
            self._timers.discard(timer)
            task()

        timer = asyncio.get_running_loop().call_later(delay, run)
        self._timers.add(timer)

    # What to do next

    def _advance(self) -> None:
        """Start the next change if the group is not what it should be and nothing is on its way."""
        if self._change is not None or self._transitions.running:
            return
        adds = [package for user, package in self._packages.items() if user in self._present]
        if self._epoch == 0:
            if len(adds) > 1:
                self._propose(first_change(self._sender, adds))
            return
        stale = {user for user in self._roster.users if user in self._absent or user in self._packages}
        keepers = self._roster.users - stale - self._flagged
        if not keepers or (len(keepers) == 1 and not adds and stale and not self._flagged):
            self._start_over()
        elif stale or adds:
            leaves = [self._roster.leaf(user) for user in stale]
            self._propose(next_change(self._sender, self._epoch, leaves=leaves, packages=adds, committers=keepers))

    def _propose(self, change: Change) -> None:
        self._change = change
        self._held.clear()
        for user, payload in change.payloads.items():
            self._tell(user, Op.PROPOSALS, payload)

    def _start_over(self) -> None:
        """Drop the group; everybody present makes a new local one and sends a new key package (sole member reset)."""
        self._epoch, self._roster = 0, Roster()
        self._change = None
        self._absent.clear()
        self._flagged.clear()
        self._packages.clear()
        for user in tuple(self._present):
            self._tell(user, Op.PREPARE_EPOCH, {"protocol_version": _VERSION, "epoch": 1, "transition_id": 0})
            self._tell(user, Op.PREPARE_TRANSITION, {"protocol_version": _VERSION, "transition_id": 0})

    def _drop(self, user: int) -> None:
        self._transitions.give_up(user)
        if self._change is None:
            return
        self._change.payloads.pop(user, None)
        if not self._committers():
            self._start_over()
            return
        held, self._held = self._held, []
        for member, commit in held:
            self._take_commit(member, commit)

    def _committers(self) -> set[int]:
        """User ids of those who can still commit the change in flight."""
        if self._change is None:
            return set()
        able = {user for user in self._change.payloads if user in self._present} - self._absent - self._flagged
        clients = {user for user in able if self._present[user].remote}
        return clients if clients and self._faults.committer == "client" else able

    # What members answer

    def _check_commit(self, member: KeyMember, commit: Commit) -> None:
        """Refuse a commit for the present change which is not what was proposed; a late one is no fault."""
        change, user = self._change, member.user_id
        if change is None or commit.epoch != self._epoch or user not in change.payloads:
            return
        here = commit.group_id == self._channel_id and (self._epoch == 0 or self._roster.leaf(user) == commit.leaf)
        if not here or not change.allows(user, commit):
            raise BreachError(f"the commit of user {user} is not over what was proposed", code=Close.BAD_REQUEST)

    def _take_commit(self, member: KeyMember, commit: Commit) -> None:
        change = self._change
        if change is None or commit.epoch != self._epoch or self._present.get(member.user_id) is not member:
            log.debug("dropped a commit of user %d for epoch %d", member.user_id, commit.epoch)
            return
        if member.user_id not in self._committers():
            self._held.append((member, commit))
            return
        ordered = change.ordered(commit)
        added = [what.owner for what in ordered if isinstance(what, KeyPackage)]
        if self._epoch == 0:
            self._roster.add(member.user_id)
            self._packages.pop(member.user_id, None)
        removed = {self._roster.remove(what) for what in ordered if isinstance(what, int)}
        self._absent -= removed
        self._flagged -= removed
        for user in added:
            self._admit(user, change)
        self._epoch += 1
        self._change = None
        self._announce(commit, added)

    def _admit(self, user: int, change: Change) -> None:
        self._roster.add(user)
        if self._packages.get(user) in change.proposals.values():
            del self._packages[user]
        else:  # it left, or came back with another key package, while this one was being committed
            self._absent.add(user)

    def _announce(self, commit: Commit, added: list[int]) -> None:
        members = self.members
        transition = self._transitions.begin(members, self._faults.transition_timeout)
        prefix = struct.pack(">H", transition)
        for user in members.difference(added):
            self._tell(user, Op.ANNOUNCE_COMMIT, prefix + commit.message)
        for user in members.intersection(added):
            self._tell(user, Op.WELCOME, prefix + commit.welcome)

    def _execute(self, transition: int) -> None:
        for user in self.members:
            self._tell(user, Op.EXECUTE_TRANSITION, {"transition_id": transition})

    def _tell(self, user: int, op: Op, data: dict[str, object] | bytes) -> None:
        if user in self._present:
            self._present[user].tell(op, data)
