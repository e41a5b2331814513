"""Proposals to a key group that are on their way: what was proposed to whom, and which commits are over just that.

Knows MLS messages and user ids, not who is present.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from playground.discord.voice.mls import Commit, ExternalSender, KeyPackage, reference, vector

_APPEND = b"\0"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of the group in the next epoch."""

    proposals: dict[bytes, int | KeyPackage]
    """By reference: the leaf to remove or the key package to add."""
    payloads: dict[int, bytes]
    """Who may commit, and the proposals that member is sent (opcode 27)."""
    references: dict[int, frozenset[bytes]]
    """Who may commit, and the references of those proposals."""

    def allows(self, user_id: int, commit: Commit) -> bool:
        """Return whether a commit is over all that was proposed to its sender, and welcomes if it adds."""
        if commit.inline or frozenset(commit.references) != self.references[user_id]:
            return False
        adds = any(isinstance(what, KeyPackage) for what in self.ordered(commit))
        return adds == bool(commit.welcome)

    def ordered(self, commit: Commit) -> list[int | KeyPackage]:
        """Return what a commit does, in its order."""
        return [self.proposals[one] for one in commit.references]


def first_change(sender: ExternalSender, packages: Iterable[KeyPackage]) -> Change:
    """Propose to each who waits to add all the others: there is no group, whoever commits first makes it."""
    adds = {package: sender.propose_add(epoch=0, key_package=package) for package in packages}
    others = {one.owner: [message for other, message in adds.items() if other != one] for one in adds}
    return Change(
        {reference(message): package for package, message in adds.items()},
        {user: _APPEND + vector(b"".join(messages)) for user, messages in others.items()},
        {user: frozenset(map(reference, messages)) for user, messages in others.items()},
    )


def next_change(
    sender: ExternalSender,
    epoch: int,
    *,
    leaves: Iterable[int],
    packages: Iterable[KeyPackage],
    committers: Iterable[int],
) -> Change:
    """Propose to all `committers` to remove some leaves and to add the owners of key packages."""
    proposed: dict[bytes, int | KeyPackage] = {sender.propose_remove(epoch=epoch, leaf=leaf): leaf for leaf in leaves}
    proposed |= {sender.propose_add(epoch=epoch, key_package=package): package for package in packages}
    payload, references = _APPEND + vector(b"".join(proposed)), frozenset(map(reference, proposed))
    users = tuple(committers)
    return Change(
        {reference(message): what for message, what in proposed.items()},
        dict.fromkeys(users, payload),
        dict.fromkeys(users, references),
    )
