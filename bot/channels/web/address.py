"""Whose connection it is: the address by which a stranger's pace is kept."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

_HERE: Final = [ip_network(net) for net in ("127.0.0.0/8", "::1/128")]
_NEAR: Final = [
    ip_network(net)
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10")
]


def address_of(peer: str, forwarded: str, public_url: str) -> str:
    """Who connects; through a proxy of ours, the last of ``X-Forwarded-For`` that is no proxy.

    A proxy on this machine is believed; one at a private address (a container, a neighbour) only
    when ``public_url`` is https, for then there is a proxy. Otherwise anyone could name whom
    they like. ``peer`` is the other end of the connection.
    """
    ours = [*_HERE, *_NEAR] if public_url.startswith("https://") else _HERE
    address = _read(peer)
    if address is not None and not any(address in net for net in ours):
        return str(address)
    named = peer
    for entry in reversed(forwarded.split(",")):
        address = _read(entry)
        if address is None:
            break
        if not any(address in net for net in ours):
            return str(address)
        # Nobody but proxies: whoever the nearest of them names.
        named = str(address) if named == peer else named
    return named


def _read(text: str) -> IPv4Address | IPv6Address | None:
    """An address, with or without a port."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
