"""The way to the results: a test CA, and a resolver that knows their two hosts and nothing else."""

import functools
import socket
import ssl
from collections.abc import Callable

import aiohttp
import trustme
from aiohttp.abc import AbstractResolver, ResolveResult

HOST = "platform2.cdn.acedata.cloud"
"""Where results are."""
OTHER_HOST = "platform.r2.fish.audio"
"""Where they were before, and where a redirect may lead."""
_HTTPS = 443


class UnknownHostError(OSError):
    """Something asked for a host that has no results."""


@functools.cache
def _authority() -> tuple[trustme.CA, trustme.LeafCert]:
    authority = trustme.CA()
    return authority, authority.issue_cert(HOST, OTHER_HOST)


def server_tls() -> ssl.SSLContext:
    """Return the context of the server that is both hosts."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _authority()[1].configure_cert(context)
    return context


class Resolver(AbstractResolver):
    """Owns the way to the port behind both hosts, and the names of strangers that were asked for."""

    def __init__(self, port: Callable[[], int], breach: Callable[[str], None], strangers: list[str]) -> None:
        self._port = port
        self._breach = breach
        self._strangers = strangers

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return where the results are. Raises `UnknownHostError` for other hosts and, a breach, for other ports."""
        if host not in {HOST, OTHER_HOST}:
            self._strangers.append(host)
            raise UnknownHostError(f"{host} has no results")
        if port != _HTTPS:
            self._breach(f"{host} was asked at port {port}, not by https")
            raise UnknownHostError(f"{host} has nothing at port {port}")
        place = ResolveResult(
            hostname=host, host="127.0.0.1", port=self._port(), family=socket.AF_INET, proto=0, flags=0
        )
        return [place]

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


def connector(resolver: Resolver) -> aiohttp.TCPConnector:
    """Return a connector that reaches the results, and trusts the test CA and nobody else."""
    authority = _authority()[0].cert_pem.bytes().decode()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=authority)
    return aiohttp.TCPConnector(limit=0, resolver=resolver, ssl=context, use_dns_cache=False)
