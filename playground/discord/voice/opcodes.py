"""The words of voice gateway version 8: opcodes and close codes. Knows no connection.

Source: Discord's "Opcodes and Status Codes" (voice) and the DAVE protocol whitepaper ("Voice Gateway Opcodes").
"""

from enum import IntEnum


class Op(IntEnum):
    """What a message on the voice gateway is about."""

    IDENTIFY = 0
    SELECT_PROTOCOL = 1
    READY = 2
    HEARTBEAT = 3
    SESSION_DESCRIPTION = 4
    SPEAKING = 5
    HEARTBEAT_ACK = 6
    RESUME = 7
    HELLO = 8
    RESUMED = 9
    CLIENTS_CONNECT = 11
    CLIENT_DISCONNECT = 13
    PREPARE_TRANSITION = 21
    EXECUTE_TRANSITION = 22
    TRANSITION_READY = 23
    PREPARE_EPOCH = 24
    EXTERNAL_SENDER = 25
    KEY_PACKAGE = 26
    PROPOSALS = 27
    COMMIT_WELCOME = 28
    ANNOUNCE_COMMIT = 29
    WELCOME = 30
    INVALID_COMMIT_WELCOME = 31


UNNUMBERED = frozenset({Op.HELLO, Op.READY, Op.SESSION_DESCRIPTION, Op.HEARTBEAT_ACK, Op.RESUMED})
"""Sent without a sequence number: they are never sent again after a resume."""


class Close(IntEnum):
    """Why the voice gateway closes a websocket."""

    NORMAL = 1000
    DROPPED = 1006
    UNKNOWN_OPCODE = 4001
    UNDECODABLE = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    SESSION_INVALID = 4006
    SESSION_TIMEOUT = 4009
    UNKNOWN_PROTOCOL = 4012
    DISCONNECTED = 4014
    SERVER_CRASHED = 4015
    UNKNOWN_MODE = 4016
    E2EE_REQUIRED = 4017
    BAD_REQUEST = 4020


RESUMABLE = frozenset({Close.DROPPED, Close.SERVER_CRASHED})
"""After these the session waits for the client to come back with Resume."""
