"""Addresses of files that expire: good for a minute, for one viewer and one thing.

A page names a door that stays. The door asks whether the viewer may see the file and leads to an address with a link in
it; who takes the file from there is asked the same again. So an address that was passed on, or stayed in a history,
opens nothing.
"""

from django.core.signing import BadSignature, TimestampSigner

from audit.actors import Acts

SECONDS = 60
_signer = TimestampSigner(salt="documents.links")


def link_to(thing: str, *, viewer: Acts) -> str:
    """What the address of `thing` carries: characters that stand in a path as they are."""
    signed = _signer.sign(_named(thing, viewer))
    return signed.removeprefix(_named(thing, viewer) + ":")


def holds(link: str, thing: str, *, viewer: Acts) -> bool:
    """Whether the link was made for this thing and this viewer, not longer than a minute ago."""
    try:
        _signer.unsign(f"{_named(thing, viewer)}:{link}", max_age=SECONDS)
    except BadSignature:
        return False
    return True


def _named(thing: str, viewer: Acts) -> str:
    return f"{thing}|{viewer.audit_actor.kind}|{viewer.audit_actor.id}"
