"""The way to the playground: TLS under a test CA, and a resolver that knows Discord's hosts and nothing else."""

import functools
import socket
import ssl

import aiohttp
import trustme
from aiohttp.abc import AbstractResolver, ResolveResult

_DOMAINS = ("discord.com", "discord.gg", "discordapp.com", "discordapp.net", "discord.media")
_CERTIFIED = (
    "discord.com",
    "*.discord.com",
    "gateway.discord.gg",
    "*.discord.gg",
    "cdn.discordapp.com",
    "media.discordapp.net",
    "*.discord.media",
)


class UnknownHostError(OSError):
    """Something asked for a host that is not Discord's."""


@functools.cache
def _authority() -> tuple[trustme.CA, trustme.LeafCert]:
    authority = trustme.CA()
    return authority, authority.issue_cert(*_CERTIFIED)


def server_tls() -> ssl.SSLContext:
    """Return the context of the server that is all of Discord's hosts."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _authority()[1].configure_cert(context)
    return context


def authority_pem() -> str:
    """Return the test CA's certificate, for a client in another process."""
    return _authority()[0].cert_pem.bytes().decode()


def client_tls(authority: str | None = None) -> ssl.SSLContext:
    """Return a context that trusts the test CA (this process's, or the one given as PEM) and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=authority or authority_pem())
    return context


def is_discord(host: str) -> bool:
    """Tell whether a host is one of Discord's."""
    return any(host == domain or host.endswith(f".{domain}") for domain in _DOMAINS)


class Resolver(AbstractResolver):
    """Owns the port behind all of Discord's hosts, and the names of strangers that were asked for."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.strangers: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the playground for Discord's hosts; raises UnknownHostError for everything else."""
        if not is_discord(host):
            self.strangers.append(host)
            raise UnknownHostError(f"{host}:{port} is not one of Discord's hosts")
        found = ResolveResult(hostname=host, host="127.0.0.1", port=self.port, family=socket.AF_INET, proto=0, flags=0)
        return [found]

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


def connector(resolver: Resolver, authority: str | None = None) -> aiohttp.TCPConnector:
    """Return a connector through which a client reaches the playground and nothing else."""
    return aiohttp.TCPConnector(limit=0, resolver=resolver, ssl=client_tls(authority), use_dns_cache=False)
