"""By whose address a stranger's pace is kept."""

import pytest

from bot.channels.web.address import address_of

SAFE, PLAIN = "https://kin.example", "http://kin.example"


@pytest.mark.parametrize(
    ("peer", "forwarded", "public_url", "whose"),
    [
        # Nobody in between: what the visitor writes of themselves is not believed.
        ("203.0.113.9", "198.51.100.1", SAFE, "203.0.113.9"),
        ("::ffff:203.0.113.9", "", SAFE, "203.0.113.9"),
        # A proxy on this machine, in a container, on the next machine.
        ("127.0.0.1", "203.0.113.9", PLAIN, "203.0.113.9"),
        ("172.18.0.1", "203.0.113.9", SAFE, "203.0.113.9"),
        ("fd00::7", "2001:db8::9", SAFE, "2001:db8::9"),
        ("10.0.0.7", "[2001:db8::9]:5000", SAFE, "2001:db8::9"),
        ("10.0.0.7", "203.0.113.9:5000", SAFE, "203.0.113.9"),
        # Two proxies, and a visitor who put a lie before what they add.
        ("10.0.0.7", "198.51.100.1, 203.0.113.9, 10.0.0.8", SAFE, "203.0.113.9"),
        ("10.0.0.7", "nonsense, 10.0.0.8", SAFE, "10.0.0.8"),
        ("10.0.0.7", "nonsense", SAFE, "10.0.0.7"),
        # A visitor from the same network, through one proxy.
        ("127.0.0.1", "192.168.1.20", SAFE, "192.168.1.20"),
        # A published port without a proxy: everyone is the gateway, and could write the header.
        ("172.18.0.1", "203.0.113.9", PLAIN, "172.18.0.1"),
        ("", "203.0.113.9", SAFE, "203.0.113.9"),
    ],
)
def test_the_last_that_is_no_proxy_of_ours(
    peer: str, forwarded: str, public_url: str, whose: str
) -> None:
    assert address_of(peer, forwarded, public_url) == whose
