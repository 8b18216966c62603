"""Which addresses of the internet a catalogue's URLs may lead to."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from pipeline.core.errors import BadRowError

# Where an IPv6 address stands for an IPv4 one behind a gateway.
_GATEWAY = ip_network("64:ff9b::/96")
# All that is given out of IPv6. Beyond it are forms that stand for IPv4 addresses, and old ones.
_GIVEN_OUT = ip_network("2000::/3")
# Kept for protocols, and used inside of clouds; Python 3.11 knows some of it alone.
_PROTOCOLS = ip_network("192.0.0.0/24")


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet.

    Not so are this machine, its own network and what is kept for special uses. A table may come
    from somebody who would like this machine to ask what only it can reach.

    Args:
        address: Of IPv4 or IPv6, as `resolve` gives it.
    """
    found = ip_address(address.partition("%")[0])
    within = _within(found) if isinstance(found, IPv6Address) else None
    if within is not None:
        return is_public(str(within))
    kept = found not in _GIVEN_OUT if isinstance(found, IPv6Address) else found in _PROTOCOLS
    return found.is_global and not found.is_multicast and not kept


def resolve(host: str, port: int) -> list[str]:
    """Look the addresses of a host up, in the order to try them.

    Raises:
        BadRowError: There is none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadRowError(f"host {host} not found") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if address in _GATEWAY:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
