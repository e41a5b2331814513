"""Which addresses are public, however they are written. Knows no service and connects to nothing."""

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is given out: https://www.iana.org/assignments/ipv6-address-space."""
_RESERVED: tuple[IPv4Network | IPv6Network, ...] = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments (RFC 6890)
    IPv4Network("192.88.99.0/24"),  # 6to4 relays (RFC 7526)
    IPv6Network("2001::/23"),  # Teredo, ORCHID and other protocol assignments (RFC 2928)
    IPv6Network("2002::/16"),  # 6to4: holds an IPv4 address (RFC 3056)
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)
_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
"""Labels of a length that can be resolved (RFC 1035 section 2.3.4)."""
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


class PrivateAddressError(OSError):
    """A name or an address leads to somewhere that is not public."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address is one of the open Internet's.

    No address that holds an IPv4 address is: mapped (`::ffff:0:0/96`), 6to4, NAT64 (`64:ff9b::/96`) or Teredo.
    """
    if isinstance(address, IPv6Address) and (address not in _UNICAST or address.scope_id is not None):
        return False
    if any(address.version == network.version and address in network for network in _RESERVED):
        return False
    return address.is_global and not address.is_multicast


def is_public_host(host: str) -> bool:
    """Say whether a URL's host is a public address or a name, which is judged when it is resolved.

    What ends in a number is an IPv4 address in one of its spellings (https://url.spec.whatwg.org/#concept-host-parser):
    `127.0.0.1`, `127.1`, `2130706433`, `0x7f.1` and `0177.0.0.1` are one.
    """
    if ":" in host:
        return _is_public_text(host)
    if not _NAME.fullmatch(host):
        return False
    bare = host.removesuffix(".")
    if not _NUMBER.fullmatch(bare.rpartition(".")[2]):
        return True
    try:
        return is_public(IPv4Address(socket.inet_aton(bare)))
    except OSError:
        return False


def _is_public_text(address: str) -> bool:
    try:
        return is_public(ip_address(address))
    except ValueError:
        return False


class PublicResolver(AbstractResolver):
    """Resolves as the resolver it owns does, and refuses a name of which any address is not public.

    The connector connects to the very addresses it is given here, so that a name cannot change its meaning in between.
    """

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raises `PrivateAddressError`."""
        found = await self._inner.resolve(host, port, family)
        _demand_public(each["host"] for each in found)
        return found

    async def close(self) -> None:
        """Close the resolver behind it."""
        await self._inner.close()


def _demand_public(addresses: Iterable[str]) -> None:
    if not all(map(_is_public_text, addresses)):
        raise PrivateAddressError("the name leads to an address that is not public")
