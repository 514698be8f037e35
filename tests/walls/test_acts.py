"""Acts called past the pages, as a command or a task would: the act itself asks who calls, whatever stood before it."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.http import Http404
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import Denied
from cases import restricting
from cases.glass import services as glass
from cases.glass.models import Opening
from cases.queues import declare_conflict
from compliance.keys.services import Erased
from compliance.people import restrictions, risk, services, staff
from compliance.people.access.oidc import services as directory
from compliance.people.duty import services as duty
from compliance.people.exclusions import services as exclusions
from compliance.people.holders import holders_of
from compliance.people.models import Customer, User
from compliance.people.permissions import on_the_aml_side
from compliance.people.sameness.services import notice
from compliance.people.suspicions import services as suspicions
from compliance.policy import policy_for
from compliance.proposals import exports
from compliance.proposals.escalation import managers_of
from compliance.proposals.models import ExportRequest
from compliance.proposals.queries import SecondPersonNeeded, get_proposal
from compliance.proposals.services import propose
from compliance.rulebook import acts as rules
from compliance.rulebook import services as rulebook
from compliance.rulebook.models import may_change
from documents.keeping import acts as keeping
from documents.keeping import holds
from tests import once
from tests.monitoring.conftest import suspicion
from tests.walls.matrix import BACKEND, _person
from tests.world import a_world, an_administrator

TODAY = date(2026, 2, 3)


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker):
    with once.for_the_module(django_db_blocker):
        world = a_world()
        account = world.account()
        facts = {"stops": ["play"], "cover_code": "play_stopped", "source": "protection", "by": world.alice}
        known = {"source": "verification", "known_on": TODAY, "by": world.alice}
        yield SimpleNamespace(
            world=world,
            account=account,
            player=account.customer,
            restriction=restrictions.restrict(account.customer, **facts),
            fact=risk.learn(account.customer, "vip", **known),
            suspicion=suspicion(world, account.customer),
            privacy=_person(world, "privacy", "privacy_officer"),
            manager=_person(world, "manager", "manager"),
            gone=_gone(world),
        )


@pytest.fixture(autouse=True)
def nothing_stays(made):
    with once.undone():
        yield


def _gone(world):
    """Somebody whose sign-in was closed while a task of theirs still holds them, with the rights they had."""
    user = _person(world, "gone", "officer")
    user.is_active = False
    return user


def start_exclusion(made, by):
    policy = policy_for("TR", on=TODAY)
    return exclusions.start(made.player, policy=policy, kind="self_exclusion", period=None, asked_by="self", by=by)


def open_account(made, by):
    return services.open_account(customer=made.player, brand=made.world.brand, reference="P-x", by=by)


def restrict(made, by):
    return restrictions.restrict(made.player, stops=["play"], cover_code="x", source="protection", by=by)


def learn(made, by):
    return risk.learn(made.player, "pep", source="verification", known_on=TODAY, by=by)


def a_licensee(made, by):
    return services.create_licensee(name="N", slug="n", jurisdiction="TR", time_zone="UTC", by=by)


def a_brand(made, by):
    return services.create_brand(licensee=made.world.licensee, name="N", slug="n", by=by)


HERE = {
    "exclusion.start": start_exclusion,
    "people.open_account": open_account,
    "people.restrict": restrict,
    "people.lift_restriction": lambda made, by: restrictions.lift(made.restriction, by=by, reason="mistaken"),
    "people.learn_risk": learn,
    "people.end_risk": lambda made, by: risk.end(made.fact, by=by, reason="mistaken"),
    "people.reach_level": lambda made, by: services.reach_level(made.player, "L1", by=by),
}
HOLDER = {
    "people.create_team": lambda made, by: staff.create_team(name="N", slug="n", by=by),
    "people.join_team": lambda made, by: services.join(made.world.carol, made.world.team, "agent", by=by),
    "people.leave_team": lambda made, by: services.leave(made.world.carol, made.world.team, "auditor", by=by),
    "people.create_user": lambda made, by: services.create_user(email="n@example.com", name="N", by=by),
    "access.forget_in_directory": lambda made, by: directory.forget(made.world.carol, by=by),
    "people.deactivate_user": lambda made, by: services.deactivate_user(made.world.carol, by=by),
    "people.create_licensee": a_licensee,
    "people.create_brand": a_brand,
    "people.reactivate_user": lambda made, by: staff.reactivate_user(made.world.carol, by=by),
    "access.mark_emergency": lambda made, by: staff.mark_emergency(made.world.carol, by=by),
    "keeping.end_relationship": lambda made, by: holds.end_relationship(made.player, on=TODAY, by=by),
    "keeping.resume_relationship": lambda made, by: holds.resume_relationship(made.player, by=by),
    "keeping.place_hold": lambda made, by: holds.place_hold(made.player, by=by, reason="court"),
}


def newest_refusal():
    entry = Entry.objects.using("log").filter(outcome="refused").order_by("-id").first()
    return entry.action, entry.facts["reason"]["code"]


@pytest.mark.parametrize("action", HERE)
def test_whoever_left_does_nothing_any_more(made, action):
    with pytest.raises(Denied):
        HERE[action](made, made.gone)
    assert newest_refusal() == (action, "inactive")


@pytest.mark.parametrize("action", HOLDER)
def test_an_act_asks_for_its_right(made, action):
    with pytest.raises(Denied):
        HOLDER[action](made, made.world.bob)
    assert newest_refusal() == (action, "no_right")


def test_who_knows_the_player_holds_no_records_of_theirs(made):
    holds.end_relationship(made.player, on=TODAY, by=made.privacy)
    declare_conflict(made.privacy, made.player, by=made.world.bob)
    for action in ("keeping.place_hold", "keeping.end_relationship", "keeping.resume_relationship"):
        with pytest.raises(Denied):
            HOLDER[action](made, made.privacy)


def notice_a_device(made, by):
    return notice(made.account, "device", "a1b2c3d4e5", by=by)


@pytest.mark.parametrize("act", [open_account, HERE["people.reach_level"], notice_a_device])
def test_an_erased_player_gets_nothing_new(made, act):
    Customer.objects.filter(pk=made.player.pk).update(erased_at=timezone.now())
    with pytest.raises(Erased):
        act(made, made.world.alice)


def test_suspicions_are_nowhere_for_the_ordinary_side(made):
    with pytest.raises(Http404):
        suspicions.inbox(by=made.world.bob)
    with pytest.raises(Http404):
        suspicions.read(made.suspicion.pk, by=made.world.bob)
    reader = _person(made.world, "judy", "mlro")
    assert on_the_aml_side(reader) and not on_the_aml_side(made.world.bob)
    assert suspicions.read(made.suspicion.pk, by=reader)
    reader.is_active = False
    assert not on_the_aml_side(reader)


def test_what_waits_to_be_erased_or_exported_is_shown_to_who_may_decide(made):
    bob, privacy = User.objects.get(pk=made.world.bob.pk), made.privacy
    assert made.player.pk in keeping._visible_customers(privacy)
    assert not keeping._visible_customers(bob).exists()
    hold = holds.place_hold(made.player, by=privacy, reason="court")
    assert hold.pk in keeping._visible_holds(privacy)
    assert not keeping._visible_holds(bob).exists()


def test_exports_that_were_asked_for_are_shown_to_who_may_take_that_log(made):
    facts = {"kind": "full", "entries": 1, "asked_by": made.world.carol}
    asked = {log: ExportRequest.objects.create(log=log, **facts).pk for log in ("main", "aml")}
    inside = User.objects.get(pk=_person(made.world, "inside", "aml_auditor").pk)
    seen = {who.name: set(exports._visible(who)) for who in (made.world.bob, made.world.carol, inside)}
    assert seen == {"Bob": set(), "Carol": {asked["main"]}, "inside": set(asked.values())}
    with pytest.raises(SecondPersonNeeded):
        exports._allow(ExportRequest.objects.get(pk=asked["main"]))
    made.world.carol.memberships.all().delete()
    made.world.carol.groups.clear()
    with pytest.raises(Http404):  # what was asked for waits no longer for who lost the right
        exports.get_request(asked["main"], user=User.objects.get(pk=made.world.carol.pk))


def test_pages_about_staff_offer_each_their_own_acts_only(made):
    """The reporting officer looks at staff and gives the rights of that side; the administrator does the rest."""
    agent = made.world.alice
    addresses = [
        reverse("staff:people"),
        reverse("staff:person", args=[agent.pk]),
        reverse("staff:role", args=["agent"]),
    ]
    take = reverse("staff:take", args=[agent.memberships.get().pk])
    offered = [reverse("staff:add"), reverse("staff:close", args=[agent.pk]), take]
    shown = {}
    for name, role in (("admin", "admin"), ("mlro", "mlro"), ("agent", "agent")):
        browser = Client()
        browser.force_login(_person(made.world, name, role), backend=BACKEND)
        text = "".join(browser.get(address).content.decode() for address in addresses)
        shown[name] = [address in text for address in offered] + [agent.name in text]
    assert shown == {"admin": [True] * 4, "mlro": [False] * 3 + [True], "agent": [False] * 4}


def test_an_opening_is_read_by_its_own_supervisors_only(made):
    case = restricting.restrict(made.world.verification(), to=[], by=made.world.bob, because="sensitive")
    facts = {"because": "danger", "note": "Somebody is in danger.", "minutes": 15}
    opening = glass.open_case(case.number, by=made.world.erin, **facts)
    elsewhere = a_world()
    for leads, status in ((made.manager, 200), (_person(elsewhere, "elsewhere", "manager"), 404)):
        browser = Client()
        browser.force_login(leads, backend=BACKEND)
        assert browser.get(reverse("cases:opening", args=[opening.pk])).status_code == status
        assert (str(opening.pk) in browser.get(reverse("cases:openings")).content.decode()) == (status == 200)


def test_an_opening_is_reviewed_by_who_leads_or_holds_the_office(made):
    case = restricting.restrict(made.world.verification(), to=[], by=made.world.bob, because="sensitive")
    opening = glass.open_case(
        case.number, by=made.world.erin, because="danger", note="Somebody is in danger.", minutes=15
    )
    seen = {
        who: opening in Opening.objects.visible_to(User.objects.get(pk=getattr(made, who).pk))
        for who in ("manager", "privacy")
    }
    assert seen == {"manager": True, "privacy": True}
    made.world.bob.memberships.update(role="manager")  # leads in name: the right itself went with the role's group
    assert opening not in Opening.objects.visible_to(User.objects.get(pk=made.world.bob.pk))


def test_a_number_typed_in_full_is_a_masked_hit_for_who_may_open_it_only(made):
    case = restricting.restrict(made.world.verification(), to=[], by=made.world.bob, because="sensitive")
    assert [one.pk for one in glass.masked(case.number, user=made.world.erin)] == [case.pk]
    assert glass.masked(case.number, user=made.world.alice) == []
    with pytest.raises(Denied):
        glass.open_case(case.number, by=made.world.alice, because="danger", note="Somebody is in danger.", minutes=15)
    assert newest_refusal() == ("glass.open", "no_right")


def test_nobody_says_for_another_when_they_work(made):
    alice, bob = made.world.alice, made.world.bob
    tomorrow = timezone.now() + timedelta(days=1)
    for act in (duty.come, duty.go):
        with pytest.raises(Denied):
            act(alice, by=bob)
    with pytest.raises(Denied):
        duty.be_away(alice, deputy=bob, starts_at=tomorrow, ends_at=tomorrow + timedelta(days=1), by=bob)
    assert duty.come(alice, by=an_administrator(made.world))


def test_a_role_in_name_gives_no_right(made):
    """Rights lie on the role's group: who is called an officer and is not in that group changes no rules."""
    world = made.world
    named = _person(world, "named", "rg_officer")  # decides on cases of the same licensee
    named.memberships.update(role="officer")
    found = rulebook.draft(world.licensee, {}, effective_from=_tomorrow(world), by=world.bob)
    assert found.pk in set(rules._visible(User.objects.get(pk=world.bob.pk)))
    assert not set(rules._visible(named)) and not may_change(found, named)
    with pytest.raises(Denied):
        rulebook.draft(world.licensee, {}, effective_from=_tomorrow(world), by=named)
    page = reverse("rulebook:set", args=[found.code])
    offered = {}
    for who in (world.bob, named):
        browser = Client()
        browser.force_login(who, backend=BACKEND)
        offered[who.name] = browser.get(page).context["may_propose"]
    assert offered == {world.bob.name: True, named.name: False}
    named.memberships.update(role="admin")
    assert named not in holders_of("platform.manage_key")


def _tomorrow(world):
    return world.licensee.today() + timedelta(days=1)


def test_what_waits_is_found_and_told_by_who_may_decide_it_and_does_not_know_the_player(made):
    """Two privacy officers and a hold; the second leads the team too, who hears of what nobody decided."""
    second = _person(made.world, "second", "privacy_officer")
    services.join(second, made.world.team, "manager", by=system())
    second = User.objects.get(pk=second.pk)
    hold = holds.place_hold(made.player, by=made.privacy, reason="court")
    with pytest.raises(Denied):
        propose(holds.LIFT, hold, by=made.world.bob, reason="no_longer_needed")
    proposal = propose(holds.LIFT, hold, by=made.privacy, reason="no_longer_needed")
    assert managers_of(proposal) == [second]  # the other manager may not decide it
    assert get_proposal(proposal.pk, user=second) and get_proposal(proposal.pk, user=made.privacy)
    for stranger in (made.manager, made.world.bob):
        with pytest.raises(Http404):
            get_proposal(proposal.pk, user=stranger)
    other = holds.place_hold(made.player, by=made.privacy, reason="court")
    declare_conflict(second, made.player, by=made.world.bob)
    with pytest.raises(Denied):
        propose(holds.LIFT, other, by=second, reason="no_longer_needed")
    assert managers_of(proposal) == []
    with pytest.raises(Http404):
        get_proposal(proposal.pk, user=second)
    services.leave(made.privacy, made.world.team, "privacy_officer", by=system())
    with pytest.raises(Http404):
        get_proposal(proposal.pk, user=User.objects.get(pk=made.privacy.pk))


def test_only_who_reads_the_log_of_that_side_asks_for_an_export_of_it(made):
    inside = _person(made.world, "inside", "aml_auditor")
    logs = {}
    for who in (made.world.carol, inside):
        browser = Client()
        browser.force_login(who, backend=BACKEND)
        logs[who.name] = "log" in browser.get(reverse("proposals:export")).context["form"].fields
    assert logs == {"Carol": False, "inside": True}
