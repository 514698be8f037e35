"""Where we may call. An address that somebody typed must not open what only this machine can reach.

The name is resolved anew for each attempt, every address that it has is checked, and the connection goes to a checked
address itself, so that a name cannot mean something else a moment later.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

Address = IPv4Address | IPv6Address

# Refused even when a setting allows the network around them: this host's own services, clouds' metadata, everybody.
NEVER: Final = tuple(
    ip_network(net)
    for net in (
        *("0.0.0.0/8", "169.254.0.0/16", "100.100.100.200/32", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/128", "fe80::/10", "fec0::/10", "fd00:ec2::254/128", "ff00::/8"),
        # Forms that wrap an IPv4 address, which a gateway would unwrap behind the check.
        *("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"),
    )
)


class Refused(Exception):
    """No address that we may call. `code` is unresolved or forbidden_address."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """`host` as it stands in the address, without brackets; `path` with the query."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"


def may_call(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in net for net in NEVER if net.version == address.version):
        return False
    if any(address in net for net in settings.WEBHOOK_NETWORKS if net.version == address.version):
        return True
    return address.is_global


def target_of(url: str) -> Target:
    """The parts of an endpoint's address. Raises ValidationError for what can be no endpoint."""
    if not url.isascii() or any(c <= " " or c == "\x7f" for c in url) or "\\" in url:
        raise ValidationError({"url": _("Enter an address such as https://platform.example.com/webhooks.")})
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValidationError({"url": _("Enter an address such as https://platform.example.com/webhooks.")}) from None
    schemes = ("https",) if settings.IN_PRODUCTION else ("https", "http")
    if parts.scheme not in schemes or not parts.hostname:
        raise ValidationError({"url": _("Enter an address that starts with https:// and names a host.")})
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValidationError({"url": _("Leave out user names, passwords and what follows a #.")})
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, parts.hostname, port or (443 if secure else 80), path)


def addresses_of(target: Target) -> Sequence[str]:
    """The addresses of the host, all checked: one that we may not call refuses the whole name. Raises Refused."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused("unresolved") from None
    # A scope ("fe80::1%eth0") names an interface of ours.
    named = list(dict.fromkeys(str(info[4][0]) for info in found))
    if not named:
        raise Refused("unresolved")
    if any("%" in name or not may_call(ip_address(name)) for name in named):
        raise Refused("forbidden_address")
    return named
