"""Nobody outside the compartment can tell a player with a flag, an investigation, a freeze and a filed report from one
whom chance holds.

Two players alike. About the first everything is done that the AML side does; the second is held by chance at the same
moment. For each role outside, every address that can name a player answers the same about both, and every address that
names none answers as it did before (in a world in which chance held both).

All roles run by hand (`-m ""`, minutes each); with MIZAN_PART=1 (tests/whole.py) agent, officer and auditor, on the
addresses that can be about the player.
"""

import difflib
import json
import re
import secrets
import uuid
from contextlib import suppress
from datetime import timedelta
from functools import cache

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from audit import queries
from audit.access import Rule, rule_of
from audit.actors import system
from audit.models import Entry
from cases.types.monitoring import acts, basket, freezes, reminders, requests, routine, services
from cases.types.monitoring.models import Freeze
from cases.types.monitoring.reports import services as reports
from cases.types.monitoring.reports import statutory
from cases.types.monitoring.rules import counting
from cases.types.monitoring.rules.models import Flag
from cases.types.monitoring.transactions.services import accept
from cases.types.verification import services as verification
from compliance.api import api
from compliance.outbox.delivery import deliver as deliver_row
from compliance.outbox.kinds import handler_of
from compliance.outbox.models import OutboxRow
from compliance.people.models import User
from compliance.people.services import create_user, join
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from compliance.platform.webhooks.models import Event
from compliance.proposals.services import propose
from tests.cases.test_suspicions import TestTwins as Suspected
from tests.monitoring.conftest import suspicion, the_aml_side
from tests.monitoring.histories import a_rule, row
from tests.monitoring.test_reports import approved
from tests.papers import bring
from tests.whole import PART

pytestmark = pytest.mark.django_db
ROLES = ("agent", "officer", "auditor", "manager", "admin", "privacy_officer", "rg_officer")
# Files that leave are made anew each time, under keys and moments of their own: their entries are compared instead.
LEFT_OUT = {"aml", "logout", "original"}


class Undo(Exception):
    """Ends a block whose writes are not to stay."""


@pytest.fixture
def outside(world):
    """One person of each role outside."""
    people = {"agent": world.alice, "officer": world.bob, "auditor": world.carol}
    for role in ROLES[3:]:
        user = create_user(email=f"{role}-{secrets.token_hex(4)}@example.com", name=role, by=system())
        join(user, world.team, role, by=system())
        people[role] = User.objects.get(pk=user.pk)
    return people


@pytest.fixture
def twins(world):
    pair = []
    for _ in range(2):
        case = world.verification("L1")
        bring(case, "identity_front", "passport", by=world.alice)
        pair.append(verification.review(case, by=world.alice))
    accept(world.licensee, money_of(pair), by=world.alice)
    return pair


def money_of(pair):
    """Of both alike, and accepted before anything happens: only the amounts say more to a rule."""
    suspect, other = pair
    ours = [row(suspect.account, n, amount=990_000, after=timedelta(hours=n)) for n in range(3)]
    return ours + [row(other.account, n, amount=20_000, after=timedelta(hours=n)) for n in range(3)]


def everything_happens_to(case, world, judy, lara, ken, *, by_a_rule=False):
    """A rule fires at what the platform reported, a suspicion is filed, an investigation begins, money is frozen: by a
    person, or since the rule says so. The investigation and the freeze's row."""
    when = {"ge": [{"sum": "deposits", "within": "24h"}, {"param": "most"}]}
    most = {"most": {"type": "money", "value": {"EUR": 2_000_000}, "words": "at most"}}
    held = {"holds_withdrawals": True} if by_a_rule else {}
    a_rule("R99", by=ken, severity="critical", when=when, parameters=most, **held)
    counting.count_waiting()
    flag = Flag.objects.get()
    assert flag.customer_id == case.customer_id
    found = services.look_into("suspicion", suspicion(world, case.customer).pk, by=judy)
    services.look_into("flag", flag.pk, by=ken)
    if by_a_rule:
        sent = OutboxRow.objects.filter(kind=reminders.REMIND)  # that of the flag, so that the hold asks for its own
        assert sent.update(done_at=timezone.now())
        plan_and_deliver()
        return found, Freeze.objects.select_related("restriction").get()
    return found, freezes.place(found, by=judy, reason="report_follows")


def plan_and_deliver():
    routine.draw()
    for planned in OutboxRow.objects.filter(kind=routine.HOLD, done_at=None):
        handler_of(planned.kind)(planned)
        OutboxRow.objects.filter(pk=planned.pk).update(done_at=timezone.now())


def goes_on(found, freeze, judy, lara, ken):
    """Worked on, reported, filed and accepted; what follows takes no part in the moment of the hold."""
    services.take_up(found, by=ken)
    for kind, source_id in found.leads.values_list("kind", "source_id"):
        basket.put_in(found, kind, source_id, by=ken)
    basket.put_in(found, "document", found.customer.documents.get().pk, by=ken)
    basket.put_in(found, "transaction", basket.offered_transactions(found)[0][0], by=ken)
    services.judge(found, "pass_through", verdict="likely", words="In and out within the hour", by=ken)
    services.write(found, "A note", by=ken)
    services.mark_urgent(found, urgent=True, by=ken)
    requests.ask(found, by=ken)
    freezes.second(freeze, by=lara)
    report = reports.claim(approved(found, ken, judy), by=judy)
    reports.take(report, by=judy)
    reports.accepted(reports.submitted(report, reference="2026/77", receipt=b"%PDF", by=judy), by=judy)
    reports.draft(found, kind="STR", by=ken, follows=report)
    statutory.remind(now=timezone.now() + timedelta(days=60))
    words = "The relationship ends; reported separately by the officer."
    proposal = propose(acts.END, found, by=ken, reason="risk_not_borne", outcome="relationship_ended", words=words)
    assert proposal.log == "aml"
    propose(freezes.LIFT, freeze, by=judy, reason="cleared")


# ------------------------------------------------------------------------------------------------------- addresses
@cache
def routes():
    """(name, route, parameters) of every page of staff, whatever its rights."""
    return sorted(_walked(get_resolver().url_patterns))


def _walked(patterns, prefix="", names=""):
    for pattern in patterns:
        route = prefix + str(getattr(pattern.pattern, "_route", pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _walked(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and "<" + "drf" not in route:
            match = type("Match", (), {"func": pattern.callback, "view_name": pattern.name})
            if rule_of(match) not in (Rule.PUBLIC, Rule.KEY, Rule.CLOSED, None) and not _is_left_out(route):
                yield pattern.name or "", route, tuple(re.findall(r"<(?:(\w+):)?(\w+)>", route))


def _is_left_out(route):
    return bool(LEFT_OUT & set(route.strip("/").split("/")))


def known_ids(case, restriction):
    """What a parameter of this name stands for where it is about the player; where nothing is, an id of nobody."""
    evidence = case.evidence.get()
    return {
        "number": case.number,
        "evidence_id": evidence.pk,
        "document_id": evidence.document_id,
        "restriction_id": restriction.pk,
        "customer_id": case.customer_id,
        "person_id": case.customer.person_id,
        "account_id": case.account_id,
        "reference": case.account.reference,
        "ref": case.account.reference,
        "field": "birth_date",
        "act": "approve",
        "page": 1,
        "log": "main",
    }


NOBODY = {"uuid": uuid.UUID(int=7), "int": 1, "slug": "x", "str": "x", "path": "x", "": "x"}


def address(route, parameters, known):
    for converter, name in parameters:
        value = known.get(name, NOBODY.get(converter, "x"))
        route = re.sub(rf"<(?:\w+:)?{name}>", str(value), route)
    return "/" + route


def about_players():
    return [(name, route, parameters) for name, route, parameters in routes() if parameters]


def about_these():
    """Without those that ask for something that no player has: they answer about nobody."""
    known = {
        "field",
        "act",
        "page",
        "log",
        "number",
        "evidence_id",
        "document_id",
        "restriction_id",
        "reference",
        "ref",
    }
    known |= {"customer_id", "person_id", "account_id"}
    return [place for place in about_players() if {name for _c, name in place[2]} <= known - {"log"}]


def about_nobody():
    return [route for _name, route, parameters in routes() if not parameters]


def searches(case):
    """Pages that find a player by what one types."""
    player = case.account.reference
    found = [("cases:search", {"q": player}), ("cases:queue", {"view": "all", "q": player})]
    return [*found, ("audit:entries", {"case": case.number}), ("audit:entries", {"customer": player})]


def told(client, user, case, restriction, places):
    """Status and text of each address for this person, alike for both players."""
    client.force_login(user)
    found = {}
    for _name, route, parameters in places:
        answer = client.get(address(route, parameters, known_ids(case, restriction)))
        found[f"{user.name} {route}"] = (answer.status_code, masked(answer, case, restriction))
    for name, query in searches(case):
        answer = client.get(reverse(name), query)
        found[f"{user.name} {name} {list(query)}"] = (answer.status_code, masked(answer, case, restriction))
    return found


def masked(answer, case, restriction):
    if answer.streaming or answer.status_code in (403, 404, 405) or answer["Content-Type"].startswith("image/"):
        return ""
    text = answer.content.decode(errors="replace").replace(str(restriction.pk), "ID")
    headers = {name: value for name, value in answer.headers.items() if name in ("ETag", "Last-Modified", "Location")}
    text = re.sub(r"/page/1/[^/\"]+/", "/page/1/LINK/", text + json.dumps(headers))  # signed, for a minute
    return Suspected.alike(text, case)


def through_the_api(client, world, case):
    keys = {"owner": world.bob, "licensee": world.licensee, "name": "platform", "created_by": world.bob}
    expires = timezone.now() + timedelta(days=1)
    _key, token = issue_key(**keys, by=world.bob, scopes=[str(scope) for scope in Scope], expires_at=expires)
    said, known, ids = {}, {"number": case.number, "ref": case.account.reference}, ids_of(case)
    for path, verbs in api.get_openapi_schema()["paths"].items():
        parameters, of = set(re.findall(r"{(\w+)}", path)), path.removesuffix("/{id}").rpartition("/")[2]
        here = known | ({"id": ids[of]} if path.endswith("/{id}") and of in ids else {})
        if "get" in verbs and parameters and parameters <= here.keys():
            said[path] = answered(client, token, case, path.format(**here))
    reported = "&".join(f"source_id={one.source_id}" for one in money_of([case, case])[:3])
    said["transactions"] = answered(client, token, case, f"/api/v1/transactions?{reported}")
    shown = [status for path, (status, _text) in said.items() if path.endswith(("/{id}", "transactions"))]
    assert shown == [200] * 5, said.keys()
    return said


def ids_of(case):
    """What {id} stands for, by the word before it."""
    evidence = case.evidence.get().pk
    customer = case.customer
    return {"evidence": evidence, "documents": evidence, "customers": customer.pk, "persons": customer.person_id}


def answered(client, token, case, path):
    """What the platform itself reported of the amounts may differ."""
    answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
    text = re.sub(r'"amount": \d+', "AMOUNT", answer.content.decode())
    return answer.status_code, Suspected.alike(text, case)


def compared(one, other):
    assert one.keys() == other.keys() and one
    different = [name for name in one if one[name] != other[name]]
    assert not different, "\n".join(
        [
            *different,
            *difflib.unified_diff(*(which[different[0]][1].splitlines() for which in (one, other)), lineterm="", n=0),
        ]
    )
    return len(one)


@pytest.fixture
def happened(request, world, twins, monkeypatch):
    """(investigated, held by chance), each with the row of its hold, set at the same moment."""
    by_a_rule = getattr(request, "param", "person") == "rule"
    monkeypatch.setattr(routine, "IN_STEP", 0.0)
    monkeypatch.setattr(routine, "SHARE_A_DAY", 0)
    monkeypatch.setattr(routine, "SHARE_ASKED_A_DAY", 0)
    people = judy, lara, ken = the_aml_side(world)
    suspect, other = twins
    found, freeze = everything_happens_to(suspect, world, judy, lara, ken, by_a_rule=by_a_rule)
    drawn = routine.hold(other.customer)
    letters = OutboxRow.objects.filter(kind=reminders.REMIND).values_list("due_at", flat=True)
    monkeypatch.setattr(world, "letters_due", list(letters), raising=False)
    goes_on(found, freeze, judy, lara, ken)
    monkeypatch.setattr(world, "inside", {one.email for one in people}, raising=False)
    return (suspect, freeze.restriction), (other, drawn)


class TestTwins:
    @pytest.mark.parametrize("happened", ["person", "rule"], indirect=True)
    def test_what_leaves_the_house_is_alike(self, world, happened):
        """Letters, events of the platform, the outbox, the main log: frozen by a person, or since a rule says so."""
        (suspect, frozen), (other, drawn) = happened
        for row_id in list(OutboxRow.objects.deliverable().order_by("position").values_list("pk", flat=True)):
            deliver_row(row_id)
        for of, one, two in ((entries_of, suspect, other), (outbox_of, frozen, drawn), (events_of, suspect, other)):
            assert of(one) == of(two) and of(one)
        assert letters_of(suspect) == letters_of(other)
        inside = [letter for letter in mail.outbox if set(letter.to) & world.inside]
        outside = [letter for letter in mail.outbox if not set(letter.to) & world.inside]
        assert inside and {letter.subject for letter in inside} == {"Something waits for you"}
        told = " ".join(str(letter.message()) for letter in outside)
        assert not [word for word in ("AML-", "suspic", "freeze", "Something waits") if word in told]
        assert not OutboxRow.objects.filter(kind=routine.HOLD).exclude(payload={"licensee_id": str(world.licensee.pk)})

    @pytest.mark.parametrize("happened", ["person", "rule"], indirect=True)
    def test_no_letter_goes_when_the_hold_begins(self, world, happened):
        """Whoever reads the mail server's log knows when letters go; a hold by chance sends none."""
        (_suspect, frozen), _other = happened
        assert len(world.letters_due) >= 2
        assert min(world.letters_due) > frozen.starts_at + timedelta(minutes=4)

    def test_who_works_with_players_sees_two_alike(self, client, world, happened):
        """The quick part: an officer and an auditor on what names a player, and the API."""
        (suspect, frozen), (other, drawn) = happened
        named = about_these()
        matter = [place for place in named if place[0] == "case"]
        with time_machine.travel(timezone.now(), tick=False):  # of one moment: pages say how long something takes yet
            for user, places in ((world.bob, named), (world.carol, matter)):
                compared(told(client, user, suspect, frozen, places), told(client, user, other, drawn, places))
        with time_machine.travel(timezone.now(), tick=False):
            compared(through_the_api(client, world, suspect), through_the_api(client, world, other))

    @pytest.mark.slow
    @pytest.mark.parametrize("role", ROLES[:3] if PART else ROLES)
    def test_every_role_on_every_address(self, client, happened, outside, role):
        (suspect, frozen), (other, drawn) = happened
        places, user = about_these() if PART else about_players(), outside[role]
        with time_machine.travel(timezone.now(), tick=False):
            seen = compared(told(client, user, suspect, frozen, places), told(client, user, other, drawn, places))
        assert seen > 40

    @pytest.mark.slow
    @pytest.mark.skipif(PART, reason="run whole, by hand")
    def test_what_names_nobody_answers_as_it_did_before(self, client, world, twins, outside):
        judy, lara, ken = the_aml_side(world)
        suspect, other = twins

        def seen():
            found = {}
            for role, user in outside.items():
                client.force_login(user)
                for route in about_nobody():
                    answer = client.get("/" + route)
                    text = masked(answer, suspect, drawn).replace(other.number, "NAME")
                    found[f"{role} {route}"] = (answer.status_code, text)
            return found

        with suppress(Undo), transaction.atomic():
            routine.hold(suspect.customer)
            drawn = routine.hold(other.customer)
            before = seen()
            raise Undo
        found, freeze = everything_happens_to(suspect, world, judy, lara, ken)
        drawn = routine.hold(other.customer)
        goes_on(found, freeze, judy, lara, ken)
        compared(before, seen())

    def test_the_comparison_notices_a_difference(self, client, world, happened):
        """Else the tests above could not fail: a hold that names its kind, set by a person."""
        (suspect, frozen), (other, drawn) = happened
        places = [place for place in about_players() if place[0] == "case"]
        type(frozen).objects.filter(pk=frozen.pk).update(stops_deposit=True)
        one, two = told(client, world.bob, suspect, frozen, places), told(client, world.bob, other, drawn, places)
        assert [name for name in one if one[name] != two[name]]


def entries_of(case):
    """What the main log, and so every export of it, says of the player: all but names, moments and digests."""
    said = []
    entries = [*queries.of_matter(case.number), *queries.of_subject("customer", str(case.customer_id))]
    for entry in entries:
        if entry.action.startswith("sameness."):
            continue  # that the twins are alike is found of whoever is looked at second
        facts = {key: entry.facts.get(key) for key in ("action", "actor", "src", "reason", "out", "data", "diff")}
        text = json.dumps(facts, sort_keys=True, default=str)
        said.append(Suspected.alike(re.sub(r'"size": \d+', "SIZE", text), case))  # of papers that are never the same
    return said


def outbox_of(restriction):
    rows = OutboxRow.objects.filter(payload__restriction_id=str(restriction.pk))
    return [(one.kind, one.attempts, one.done_at is None) for one in rows.order_by("position")]


def events_of(case):
    """What the platform is told of the player, as its endpoints get it."""
    rows = Event.objects.filter(data__account=case.account.reference).order_by("position")
    return [(one.type, Suspected.alike(json.dumps(one.data, sort_keys=True), case)) for one in rows]


def letters_of(case):
    texts = [f"{letter.to} {letter.subject} {letter.body}" for letter in mail.outbox]
    names = (case.account.reference, case.number)
    return [Suspected.alike(text, case) for text in texts if any(name in text for name in names)]


def test_nothing_of_it_all_stands_in_the_main_log(happened):
    (suspect, frozen), _other = happened
    aml = {"monitoring", "freezes", "suspicions", "reports"}
    rows = Entry.objects.filter(log="main").values_list("action", flat=True)
    assert not {action for action in rows if action.split(".")[0] in aml}
    texts = [json.dumps(row.facts) for row in Entry.objects.filter(log="main")]
    assert not [text for text in texts if "AML-" in text]
