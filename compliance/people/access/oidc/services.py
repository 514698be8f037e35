"""Whose sign-in the directory's answer is, and which roles its groups give. Roles go through the acts of `staff`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from audit.actors import Acts, system
from audit.record import record, record_refusal
from compliance.people import staff
from compliance.people.access import identities, rights
from compliance.people.access.models import FROM_DIRECTORY, Emergency, Identity, Tenure
from compliance.people.access.oidc.provider import NotSaid
from compliance.people.contacts import normal_email
from compliance.people.models import Membership, Team, User
from compliance.people.permissions import MANAGE_STAFF, require
from compliance.people.roles import ROLES
from compliance.policy.directory import Grant, read
from compliance.policy.errors import PolicyBroken

LONGEST_SUBJECT, LONGEST_ADDRESS = 255, 254


@dataclass(frozen=True, slots=True)
class Said:
    """What the directory says of one person."""

    subject: str
    login: str  # the address as it stands: for the log only
    email: str  # only what it verified
    name: str
    groups: frozenset[str]
    second_step: bool  # by its word, where settings say to believe it
    signed_in_at: float  # seconds since 1970 when they last showed there who they are; 0 where it does not say

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> "Said":
        subject, email = str(claims["sub"]), str(claims.get("email") or "").strip().lower()
        name = str(claims.get("name") or email.partition("@")[0])
        if any(_is_no_text(said) for said in (subject, email, name)):
            raise NotSaid("not_understood")
        if len(subject) > LONGEST_SUBJECT:
            raise NotSaid("subject_too_long")
        if settings.OIDC_GROUPS_CLAIM in kept_elsewhere(claims):
            raise NotSaid("groups_elsewhere")  # too many to send: "in none" would be a guess
        groups = claims.get(settings.OIDC_GROUPS_CLAIM)
        if not isinstance(groups, str | list | None):
            raise NotSaid("not_understood")
        moment = claims.get("auth_time")
        return cls(
            subject=subject,
            login=email[:LONGEST_ADDRESS],
            email=email if claims.get("email_verified") in (True, "true") else "",
            name=name[:120],
            groups=frozenset(map(str, [groups] if isinstance(groups, str) else groups or ())),
            second_step=_is_believed(claims),
            signed_in_at=float(moment) if isinstance(moment, int | float) else 0.0,
        )


def kept_elsewhere(claims: Mapping[str, Any]) -> frozenset[str]:
    """Names of claims that the directory says it keeps somewhere else."""
    names = claims.get("_claim_names")
    if not isinstance(names, Mapping | None):
        raise NotSaid("not_understood")
    return frozenset(names or ())


def _is_no_text(said: str) -> bool:
    """What JSON can carry and no database keeps: a zero, and half of a pair of characters."""
    return "\x00" in said or said.encode(errors="replace").decode() != said


def _is_believed(claims: Mapping[str, Any]) -> bool:
    """Whether the directory asked for a second factor, in a word that settings name. Named none: never."""
    methods = claims.get("amr")
    shown = set(map(str, methods)) if isinstance(methods, list) else set()
    return bool(shown & set(settings.OIDC_AMR)) or str(claims.get("acr", "")) in settings.OIDC_ACR


def grants() -> tuple[Grant, ...]:
    """Which group has which role. PolicyBroken where a role is unknown or never comes from a directory."""
    if not settings.OIDC_ROLES:
        return ()
    found = read(settings.OIDC_ROLES)
    wrong = [one for one in found if one.role not in ROLES or one.role == "integration" or ROLES[one.role].aml]
    if wrong:
        roles = ", ".join(sorted({one.role for one in wrong}))
        raise PolicyBroken(
            [f"OIDC_ROLES: {roles} cannot come from a group. Roles of the AML side are given by the reporting officer."]
        )
    return found


def refusals() -> list[str]:
    """For the start in production: why the file of groups cannot be used."""
    try:
        grants()
    except PolicyBroken as broken:
        return broken.problems
    return []


@transaction.atomic
def whose(said: Said) -> User:
    """The sign-in of this person, with the roles of their groups. Raises NotSaid: then nobody signs in."""
    known = _known(said)
    found = known or _by_address(said)
    # Whoever closes the sign-in or gives a role meanwhile waits for us, or we for them.
    user = User.objects.select_for_update(of=("self",)).get(pk=found.pk)
    identity = Identity.objects.filter(user=user, issuer=settings.OIDC_ISSUER).first()
    if identity and identity.subject != said.subject:
        raise NotSaid("address_of_another")  # the directory gave the address to somebody new
    if not user.is_active:
        raise NotSaid("inactive")
    if Emergency.objects.filter(user=user).exists():
        raise NotSaid("emergency")
    if rights.has_aml_role(user):  # whoever looks after the directory is not let in there
        raise NotSaid("aml_side")
    if known and identity is None:  # forgotten while we waited: their address was not looked at
        raise NotSaid("address_of_another")
    if identity is None:
        Identity.objects.create(user=user, issuer=settings.OIDC_ISSUER, subject=said.subject)
        record("access.know_in_directory", by=system(), about=user)
    bring_roles(user, said.groups)
    return user


def named(said: Said) -> User | None:
    """Whom a refusal is about, for the log: nothing of it was believed."""
    return _known(said) or User.objects.filter(email=said.login).first()


def forget(user: User, *, by: Acts) -> bool:
    """Whom the directory knows as this sign-in is out, and nobody here any more. False when it knew nobody."""
    require(by, MANAGE_STAFF, action="access.forget_in_directory", about=user)
    return identities.forget(user, by=by)


def _known(said: Said) -> User | None:
    return User.objects.filter(identities__issuer=settings.OIDC_ISSUER, identities__subject=said.subject).first()


def _by_address(said: Said) -> User:
    """Somebody who signs in with the directory for the first time, known by an address that it verified."""
    if not said.email:
        raise NotSaid("address_not_verified")
    return User.objects.filter(email=said.email).first() or _added(said)


def _added(said: Said) -> User:
    if not settings.OIDC_PROVISION or not _wanted(said.groups):
        raise NotSaid("unknown_person")
    try:
        return staff.create_user(email=normal_email(said.email), name=said.name, by=system())
    except (ValidationError, IntegrityError) as error:  # the second: they were added at this very moment
        raise NotSaid("unknown_person") from error


def bring_roles(user: User, groups: Iterable[str]) -> None:
    """Take what the directory gave and gives no more, then give what is new. What people gave stays as it is."""
    wanted = _wanted(groups)
    given = Membership.objects.filter(user=user, tenure__given_by=FROM_DIRECTORY).select_related("team")
    for one in list(given):
        if (one.team.slug, one.role) not in wanted:
            staff.leave(user, one.team, one.role, by=system())
    held = set(Membership.objects.filter(user=user).values_list("team__slug", "role"))
    teams = {team.slug: team for team in Team.objects.filter(slug__in={slug for slug, _role in wanted})}
    for slug, role in sorted(wanted - held):
        if slug in teams:
            _give(user, teams[slug], role)


def _give(user: User, team: Team, role: str) -> None:
    """A role that must not be held together with another is not given, and the log says so."""
    try:
        membership = staff.join(user, team, role, by=system())
    except ValidationError:
        facts = {"team": team.slug, "role": role}
        record_refusal("people.join_team", by=system(), about=user, reason="kept_apart", details=facts)
    else:
        Tenure.objects.filter(membership=membership).update(given_by=FROM_DIRECTORY)


def _wanted(groups: Iterable[str]) -> set[tuple[str, str]]:
    of = set(groups)
    return {(one.team, one.role) for one in grants() if one.name in of}


def _cannot_give() -> Iterator[rights.Finding]:
    """A file of groups that cannot be read, and groups that give a role in a team that there is not."""
    try:
        named = {one.team for one in grants()}
    except PolicyBroken as broken:
        yield rights.Finding("directory_roles_broken", "", str(broken))
        return
    for slug in sorted(named - set(Team.objects.filter(slug__in=named).values_list("slug", flat=True))):
        yield rights.Finding("directory_unknown_team", "", slug)


rights.also_look(_cannot_give)
