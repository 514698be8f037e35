"""How often one place may try something, counted in the shared cache: for what the library does not count itself.

Exact on every cache, also where two web processes count at once: each try takes one of as many slots as there are, and
a slot is taken once (`cache.add`). A cache that cannot be asked lets nobody try: the error goes on.
"""

import time
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

MINUTE: Final = 60  # seconds
NETWORK: Final = 64  # bits of an IPv6 address: who has one has all that share them


def take(request: HttpRequest, what: str, *, most: int, seconds: int = MINUTE) -> bool:
    """Count one try of `what` from the place that the request comes from; whether it was among the first `most` in
    this window of the clock.
    """
    window = int(time.time() // seconds)
    slots = [f"tries:{what}:{place_of(request)}:{window}:{slot}" for slot in range(most)]
    taken = cache.get_many(slots)
    return any(cache.add(slot, True, timeout=2 * seconds) for slot in slots if slot not in taken)


def place_of(request: HttpRequest) -> str:
    """The address that the outermost proxy of ours saw; of IPv6 the network, since each host there has very many.

    An IPv4 address as a socket of both kinds spells it (`::ffff:192.0.2.1`) is that address: all of IPv4 is one /64.
    """
    text = str(get_adapter(request).get_client_ip(request))
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, NETWORK), strict=False))
    return str(address)
