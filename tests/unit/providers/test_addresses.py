import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.providers.addresses import PrivateAddressError, PublicResolver, is_public, is_public_host
from tests.unit.providers.far_end import Names

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.1",
    "192.0.0.9",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "fd00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "100::1",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e"]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_the_open_internet_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_the_open_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))
    assert is_public_host(address)


@pytest.mark.parametrize(
    "host",
    [
        *PRIVATE,
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0X7F.1",
        "0x7f.0.0.1",
        "017700000001",
        "0177.0.0.1",
        "0",
        "0x",
        "10.1",
        "0xa9fea9fe",
        "1.2.3.4.5",
        "256.1.1.1",
        "name.1",
        "99999999999",
        "fe80::1%eth0",
        "fe80::1%25eth0",
        "2606:4700::1%eth0",
        "2606:4700::1%25eth0",
        ":::",
        "",
        ".",
        "a..example",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
        "a b",
        "cdn.example.com\r\n",
        "a" * 64,
        f"cdn.{'a' * 64}.com",
    ],
)
def test_no_spelling_of_a_private_address_passes_as_a_host(host: str) -> None:
    assert not is_public_host(host)


@pytest.mark.parametrize(
    "host",
    ["cdn.example.com", "CDN.example.com.", "localhost", "xn--bcher-kva.example", "a_b.r2.dev", "0x7f.com", "a" * 63],
)
def test_a_name_is_judged_when_it_is_resolved(host: str) -> None:
    assert is_public_host(host)


@given(st.integers(0, 2**32 - 1))
def test_each_spelling_of_an_address_is_judged_alike(number: int) -> None:
    first, *rest = number.to_bytes(4, "big")
    tail = int.from_bytes(bytes(rest), "big")
    spellings = [
        str(ip_address(number)),
        str(number),
        hex(number),
        f"0{number:o}",
        f"{first}.{tail}",
        f"{first:#x}.{tail}",
    ]
    assert {is_public_host(each) for each in spellings} == {is_public(ip_address(number))}


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.5"],
        ["169.254.169.254"],
        ["::1"],
        ["fd00::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["fe80::1%eth0"],
        ["1.1.1.1", "10.0.0.5"],
        ["2606:4700:4700::1111", "::1"],
        ["nonsense"],
    ],
)
async def test_a_name_with_one_private_address_is_refused(addresses: list[str]) -> None:
    resolver = PublicResolver(Names({"cdn.example.com": addresses}))

    with pytest.raises(PrivateAddressError):
        await resolver.resolve("cdn.example.com", 443)


async def test_a_public_name_is_resolved_as_the_resolver_behind_does() -> None:
    names = Names({"cdn.example.com": PUBLIC})
    resolver = PublicResolver(names)

    found = await resolver.resolve("cdn.example.com", 443, socket.AF_UNSPEC)
    await resolver.close()

    assert [each["host"] for each in found] == PUBLIC
    assert names.closed
