"""The part of MLS (RFC 9420) a DAVE voice server needs: an external sender's proposals, and reading commits and leaves.

Knows the wire format and one P-256 key, no group state and no secrets: ciphersuite 2, public messages only.
"""

import hashlib
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_MLS10 = 1
_PUBLIC_MESSAGE = 1
_KEY_PACKAGE_MESSAGE = 5
_SENDER_MEMBER = 1
_SENDER_EXTERNAL = 2
_CONTENT_PROPOSAL = 2
_CONTENT_COMMIT = 3
_PROPOSAL_ADD = 1
_PROPOSAL_REMOVE = 3
_REFERENCE = 2
_CREDENTIAL_BASIC = 1
_CIPHERSUITE = 2
_HEADER = struct.pack(">HH", _MLS10, _PUBLIC_MESSAGE)


class MlsError(ValueError):
    """The bytes are not the MLS message they should be."""


def vector(data: bytes) -> bytes:
    """Encode a variable-size vector (RFC 9420, 2.1.2)."""
    if len(data) < 1 << 6:
        return bytes([len(data)]) + data
    if len(data) < 1 << 14:
        return struct.pack(">H", 0x4000 | len(data)) + data
    return struct.pack(">I", 0x80000000 | len(data)) + data


@dataclass(frozen=True, slots=True)
class KeyPackage:
    """What a member who wants to be added sends of itself."""

    owner: int
    """The user id in its credential."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """A member's commit: for which epoch, by which leaf, over which proposals, in the order they are applied."""

    message: bytes
    group_id: int
    epoch: int
    leaf: int
    references: tuple[bytes, ...]
    inline: int
    """Proposals carried in the commit itself; DAVE allows none."""
    welcome: bytes
    """What follows the commit: the welcome, or nothing."""


class _Reader:
    """Owns a position in a message."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise MlsError(f"{size} bytes expected at {self.at}, the message ends at {len(self.data)}")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self) -> bytes:
        first = self.number(1)
        if first >> 6 == 3:
            raise MlsError("a vector's length has no valid prefix")
        extra = (1 << (first >> 6)) - 1
        length = int.from_bytes(bytes([first & 0x3F]) + self.take(extra), "big")
        return self.take(length)

    def expect(self, size: int, value: int, what: str) -> None:
        if (found := self.number(size)) != value:
            raise MlsError(f"{what} is {found}, not {value}")

    def leaf_node(self) -> bytes:
        """Skip a leaf node (7.2) and return the identity of its basic credential."""
        self.vector()
        self.vector()
        self.expect(2, _CREDENTIAL_BASIC, "the credential type")
        identity = self.vector()
        for _ in range(5):
            self.vector()
        match self.number(1):
            case 1:  # from a key package: its lifetime
                self.take(16)
            case 3:  # from a commit: the parent hash
                self.vector()
        self.vector()
        self.vector()
        return identity


def read_key_package(data: bytes) -> KeyPackage:
    """Read a key package, bare as libdave sends it or wrapped in an MLSMessage (whitepaper). Raises MlsError."""
    bare = data.removeprefix(struct.pack(">HH", _MLS10, _KEY_PACKAGE_MESSAGE))
    reader = _Reader(bare)
    reader.expect(2, _MLS10, "the key package's version")
    reader.expect(2, _CIPHERSUITE, "the ciphersuite")
    reader.vector()
    return KeyPackage(int.from_bytes(reader.leaf_node(), "big"), bare)


def read_commit(data: bytes) -> Commit:
    """Read a commit message and what follows it (opcode 28). Raises MlsError."""
    reader = _Reader(data)
    reader.expect(2, _MLS10, "the version")
    reader.expect(2, _PUBLIC_MESSAGE, "the wire format")
    group_id = int.from_bytes(reader.vector(), "big")
    epoch = reader.number(8)
    reader.expect(1, _SENDER_MEMBER, "the sender type")
    leaf = reader.number(4)
    reader.vector()
    reader.expect(1, _CONTENT_COMMIT, "the content type")
    references, inline = _read_proposals(reader.vector())
    if reader.number(1):
        reader.leaf_node()
        reader.vector()
    for _signature_confirmation_membership in range(3):
        reader.vector()
    return Commit(data[: reader.at], group_id, epoch, leaf, references, inline, data[reader.at :])


def _read_proposals(data: bytes) -> tuple[tuple[bytes, ...], int]:
    reader, references = _Reader(data), list[bytes]()
    while reader.at < len(data):
        if reader.number(1) != _REFERENCE:
            return tuple(references), 1
        references.append(reader.vector())
    return tuple(references), 0


def reference(proposal: bytes) -> bytes:
    """Return the reference by which a commit names a proposal message (5.2)."""
    content = proposal[2:]
    return hashlib.sha256(vector(b"MLS 1.0 Proposal Reference") + vector(content)).digest()


class ExternalSender:
    """Owns the key with which the voice server signs its proposals to one group."""

    def __init__(self, group_id: int) -> None:
        self._group = vector(struct.pack(">Q", group_id))
        self._key = ec.generate_private_key(ec.SECP256R1())

    def package(self) -> bytes:
        """Return the external sender as clients put it into their group (12.1.8.1)."""
        public = self._key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return vector(public) + struct.pack(">H", _CREDENTIAL_BASIC) + vector(b"\0")

    def propose_add(self, *, epoch: int, key_package: KeyPackage) -> bytes:
        """Return a message proposing to add the owner of `key_package`."""
        return self._sign(epoch, struct.pack(">H", _PROPOSAL_ADD) + key_package.body)

    def propose_remove(self, *, epoch: int, leaf: int) -> bytes:
        """Return a message proposing to remove the member at `leaf`."""
        return self._sign(epoch, struct.pack(">HI", _PROPOSAL_REMOVE, leaf))

    def _sign(self, epoch: int, proposal: bytes) -> bytes:
        sender = struct.pack(">BI", _SENDER_EXTERNAL, 0)
        content = self._group + struct.pack(">Q", epoch) + sender + vector(b"") + bytes([_CONTENT_PROPOSAL]) + proposal
        signed = vector(b"MLS 1.0 FramedContentTBS") + vector(_HEADER + content)
        return _HEADER + content + vector(self._key.sign(signed, ec.ECDSA(hashes.SHA256())))
