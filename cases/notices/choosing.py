"""How each person is told of what: their own choice, else their teams' default, else the product's.

A manager sets the default of a team and may fix single kinds in it; who is in several teams is told what any of them
tells. What the product fixes (words that may mean self-harm) nobody changes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.perform import Denied
from audit.record import record, record_refusal
from cases.notices.hours import DAYS, NORMAL_HOURS, checked
from cases.notices.kinds import KINDS
from cases.notices.models import NoticePreferences, TeamNotices
from compliance.people.models import Team, User

Choices = dict[str, tuple[bool, bool]]  # kind: (on the page, by e-mail)


def choices_of(user: User) -> Choices:
    return choices_of_each([user])[user.pk]


def choices_of_each(people: Iterable[User]) -> dict[Any, Choices]:
    """`choices_of` by person, in two queries."""
    ids = [user.pk for user in people]
    rows, teams = NoticePreferences.objects.in_bulk(ids), _teams_of(ids)
    return {pk: _chosen(rows[pk].choices if pk in rows else {}, teams.get(pk, [])) for pk in ids}


def defaults_of(user: User) -> Choices:
    """What they are told of as long as they choose nothing."""
    return _chosen({}, _teams_of([user.pk]).get(user.pk, []))


def fixed_for(user: User) -> set[str]:
    """The kinds that they cannot change: the product's, and those of their teams."""
    teams = _teams_of([user.pk]).get(user.pk, [])
    return {name for name, kind in KINDS.items() if kind.fixed} | {name for team in teams for name in team.fixed}


def _teams_of(ids: Sequence[Any]) -> dict[Any, list[TeamNotices]]:
    found: dict[Any, list[TeamNotices]] = {}
    rows = TeamNotices.objects.filter(team__memberships__user__in=ids)
    for row in rows.annotate(member=F("team__memberships__user")).filter(member__in=ids).distinct():
        found.setdefault(row.member, []).append(row)
    return found


def _chosen(own: Mapping[str, Any], teams: Sequence[TeamNotices]) -> Choices:
    found: Choices = {}
    for name, kind in KINDS.items():
        of_teams = [team.choices[name] for team in teams if name in team.choices]
        page, mail = (any(each[0] for each in of_teams), any(each[1] for each in of_teams))
        if not of_teams:
            page, mail = kind.page, kind.mail
        if kind.fixed:
            page, mail = kind.page, kind.mail
        elif name in own and not any(name in team.fixed for team in teams):
            page, mail = own[name]
        found[name] = (bool(page), bool(mail))
    return found


def hours_of(user: User) -> dict[str, Any]:
    row = NoticePreferences.objects.filter(pk=user.pk).first()
    return dict(row.hours) if row and row.hours else dict(NORMAL_HOURS)


@transaction.atomic
def choose(user: User, choices: Mapping[str, tuple[bool, bool]], hours: Mapping[str, Any]) -> NoticePreferences:
    """Keep what a person wants to be told of. Only what differs from the defaults is kept, so that those may improve.

    Raises ValidationError for hours that are none.
    """
    defaults, fixed = defaults_of(user), fixed_for(user)
    kept = {
        name: [page, mail]
        for name, (page, mail) in choices.items()
        if name in KINDS and name not in fixed and (page, mail) != defaults[name]
    }
    said = {"days": [day for day in DAYS if day in hours["days"]], "from": hours["from"], "to": hours["to"]}
    checked(said, "UTC")
    row, _made = NoticePreferences.objects.update_or_create(user=user, defaults={"choices": kept, "hours": said})
    hours_said = f"{','.join(said['days'])} {said['from']}-{said['to']}"
    record("notices.set_preferences", by=user, about=row, details={"choices": _flat(kept), "hours": hours_said})
    return row


def teams_led_by(user: User) -> list[Team]:
    """Where this person sets the defaults."""
    return list(Team.objects.filter(memberships__user=user, memberships__role="manager").distinct().order_by("name"))


@transaction.atomic
def set_defaults(
    team: Team, choices: Mapping[str, tuple[bool, bool]], *, fixed: Iterable[str], by: User
) -> TeamNotices:
    """What a team is told of; nobody in it changes what is `fixed`. For its managers; own choices stay otherwise."""
    if not by.is_active or team not in teams_led_by(by):
        record_refusal("notices.set_defaults", by=by, about=team, reason="no_right")
        raise Denied("no_right")
    kept = {
        name: [page, mail]
        for name, (page, mail) in choices.items()
        if name in KINDS and not KINDS[name].fixed and (page, mail) != (KINDS[name].page, KINDS[name].mail)
    }
    locked = sorted(name for name in fixed if name in KINDS and not KINDS[name].fixed)
    # What is fixed is written down even where it is the product's own default.
    kept |= {name: list(choices[name]) for name in locked if name in choices}
    facts = {"choices": kept, "fixed": locked, "set_at": timezone.now()}
    row, _made = TeamNotices.objects.update_or_create(team=team, defaults=facts)
    details = {"team": team.slug, "choices": _flat(kept), "fixed": locked}
    record("notices.set_defaults", by=by, about=team, details=details)
    return row


def _flat(kept: Mapping[str, Sequence[bool]]) -> list[str]:
    return [f"{name}:{'page' if page else ''}{'+mail' if mail else ''}" for name, (page, mail) in sorted(kept.items())]
