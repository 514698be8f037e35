"""The other side: what the directory says of itself, a code for an answer, and whether it signed that answer.

Nothing is kept between two sign-ins: a key that the directory withdrew is out at once. No redirect is followed.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import quote_plus, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import jwt
from django.conf import settings

KNOWN_AT: Final = "/.well-known/openid-configuration"
# The directory signs with a key pair: with a shared secret, or unsigned, anybody could be anybody.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
NEEDED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
TIME_OUT: Final = 5  # seconds of silence
LONGEST: Final = 1024 * 1024
LEEWAY: Final = 60  # seconds that two clocks may differ


class NotSaid(Exception):
    """The directory cannot be asked, or said what cannot be believed. `code` goes to the log, never to the page."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Directory:
    """Where its doors are, by its own word."""

    said: Mapping[str, Any]

    def way_in(self, **asked: str) -> str:
        """Where the browser goes to sign in."""
        address = str(self.said["authorization_endpoint"])
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    def way_out(self, *, back_to: str) -> str:
        """Where the browser goes to sign out over there too (OpenID Connect RP-Initiated Logout 1.0); empty where it
        names no such door. We keep no ID token to hint with, so the directory asks whoever comes.
        """
        address = self.said.get("end_session_endpoint")
        if not isinstance(address, str) or not address:
            return ""
        _check(address)
        asked = {"client_id": settings.OIDC_CLIENT_ID, "post_logout_redirect_uri": back_to}
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    def answer(self, code: str, *, verifier: str, back_to: str) -> dict[str, Any]:
        """What it gives for a code that the browser brought: tokens."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back_to, "code_verifier": verifier}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        methods = self.said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in methods:
            pair = f"{quote_plus(settings.OIDC_CLIENT_ID)}:{quote_plus(settings.OIDC_CLIENT_SECRET)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": settings.OIDC_CLIENT_ID, "client_secret": settings.OIDC_CLIENT_SECRET}
        return _call(str(self.said["token_endpoint"]), headers, urlencode(form).encode())

    def believed(self, token: str, *, nonce: str) -> dict[str, Any]:
        """The claims of an ID token that it signed for us, now, for this very sign-in. Raises NotSaid."""
        try:
            header = jwt.get_unverified_header(token)
            keys = jwt.PyJWKSet.from_dict(_call(str(self.said["jwks_uri"])))
            fitting = [key for key in keys.keys if header.get("kid") in (None, key.key_id)]
            if len(fitting) != 1 or header.get("alg") not in ALGORITHMS:
                raise NotSaid("unknown_key")
            claims: dict[str, Any] = jwt.decode(
                token,
                fitting[0],
                algorithms=[header["alg"]],
                audience=settings.OIDC_CLIENT_ID,
                issuer=settings.OIDC_ISSUER,
                leeway=LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
            )
        except jwt.PyJWTError as error:
            raise NotSaid("not_signed") from error
        for_us = settings.OIDC_CLIENT_ID
        if claims["nonce"] != nonce or claims.get("azp", for_us) != for_us or not str(claims["sub"]).strip():
            raise NotSaid("not_for_us")
        if not isinstance(claims["aud"], str) and claims["aud"] != [for_us] and "azp" not in claims:
            raise NotSaid("not_for_us")
        return claims

    def more_about(self, claims: Mapping[str, Any], access_token: str) -> dict[str, Any]:
        """What it says of the same person beside the token; nothing where it has no such door."""
        if not access_token or "userinfo_endpoint" not in self.said:
            return {}
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        said = _call(str(self.said["userinfo_endpoint"]), headers)
        if said.get("sub") != claims["sub"]:
            raise NotSaid("another_person")
        return said


def ask() -> Directory:
    """The directory that settings name, by what it says now. Raises NotSaid."""
    said = _call(settings.OIDC_ISSUER.rstrip("/") + KNOWN_AT)
    if said.get("issuer") != settings.OIDC_ISSUER:
        raise NotSaid("another_issuer")
    if not all(isinstance(said.get(name), str) for name in NEEDED):
        raise NotSaid("incomplete")
    _check(str(said["authorization_endpoint"]))
    return Directory(said)


def _check(address: str) -> None:
    """Only https, and http where nobody plays: a code or a secret in the open is everybody's."""
    parts = urlsplit(address)
    if parts.scheme != "https" and (settings.IN_PRODUCTION or parts.scheme != "http"):
        raise NotSaid("no_tls")


def _call(address: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> dict[str, Any]:
    _check(address)
    request = Request(address, data=body, headers=dict(headers or {}))
    try:
        with build_opener(_NoRedirect).open(request, timeout=TIME_OUT) as answer:
            said = json.loads(answer.read(LONGEST))
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise NotSaid("not_reached") from error
    if not isinstance(said, dict):
        raise NotSaid("not_understood")
    return said
