"""Verified before play: the gate of who is not says so, and the approval that reaches the level opens it."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from audit.actors import system
from audit.models import Entry
from cases import texts
from cases.models import Message
from cases.types.verification import playing, rules, services, telling
from compliance.outbox.models import OutboxRow
from compliance.people.gate import permissions_of
from compliance.people.models import Account, Customer, Restriction
from compliance.people.restrictions import restrict
from compliance.people.sameness import services as sameness
from compliance.people.services import open_account, reach_level
from compliance.policy import policy_for
from compliance.proposals.models import Proposal
from tests.cases.test_api import PLAYER, platform
from tests.gaming.kept_out import stopped
from tests.papers import bring
from tests.world import World, _house, _person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def as_in_production(settings):
    settings.VERIFIED_BEFORE_PLAY = True


@pytest.fixture
def in_britain(in_context):
    licensee, brand, team = _house("gb", "GB")
    people = {name: _person(name, role, "gb", team) for name, role in [("alice", "agent"), ("bob", "officer")]}
    return World(licensee, brand, team, erin=None, carol=None, mallory=None, **people)


def accepted(case, world):
    """Everything that the level asks for is accepted."""
    case = services.review(case, by=world.alice)
    for rule in rules.asked(case):
        if rule.purpose in rules.missing_evidence(case):
            evidence = bring(case, rule.purpose, rule.any_of[0], by=world.alice, inspected=False)
            services.engine.accept(evidence, by=world.alice)
    return case


def approved(client, case, world):
    """Alice decides on the page; Bob confirms where two persons are needed."""
    accepted(case, world)
    client.force_login(world.alice)
    page = reverse("cases:verification-decide", args=[case.number, "approve"])
    seen = client.get(page).context["form"].initial["seen"]
    assert client.post(page, {"reason": "all_checks_met", "note": "", "seen": seen}).status_code == 302
    for proposal in Proposal.objects.parked().filter(subject_id=case.pk):
        client.force_login(world.bob)
        assert client.post(f"/approvals/{proposal.pk}/confirm/").status_code == 302
    case.refresh_from_db()
    assert case.outcome == "approved"


def test_the_gate_of_a_new_player_says_what_is_missing_and_withdrawals_stay_open(world, client):
    """TR.CDD.PLAY_NEEDS; TR.CDD.ONLINE_BET: before any service, so no deposit either."""
    api = platform(world, client, scopes=["customers:write", "accounts:write", "gate:read"])
    customer = api.post("/customers", PLAYER).json()["id"]
    assert api.post("/accounts", {"customer": customer, "brand": "brand", "reference": "P-1"}).status_code == 201
    gate = api.get("/accounts/P-1/gate").json()
    assert gate["play"] == gate["deposit"] == {"allowed": False, "code": "verification_needed", "until": None}
    assert gate["withdraw"]["allowed"] and gate["sign_in"]["allowed"]


def test_where_the_law_stops_play_only_deposits_open_once_the_player_was_told(in_britain):
    """GB.KYC.ID_BEFORE_GAMBLE, GB.KYC.TELL_BEFORE_DEPOSIT: told which documents may be needed, when and how."""
    account = in_britain.account()
    assert stopped(account) == {"play", "deposit"}
    case = services.open(account, level="L1", by=in_britain.alice)
    assert stopped(account) == {"play"}
    told = services.engine.message_text(Message.objects.get(case=case, code="documents_needed"))
    asked = {rule.purpose for rule in policy_for("GB", on=case.licensee.today()).verification.levels["L3"].required}
    assert len(asked) > 4 and all(texts.purpose_title(purpose, "tr") in told for purpose in asked)
    assert "Oyundan önce" in told and "yanıtlayın" in told and case.number in told
    services.withdraw(case, by=in_britain.alice)
    services.open(account, level="L1", by=in_britain.alice)
    assert Message.objects.filter(code="documents_needed").count() == 1, "once is enough"


def test_who_was_told_or_is_verified_pays_in_with_a_second_account(in_britain):
    """GB.KYC.TELL_BEFORE_DEPOSIT."""
    first = in_britain.account()
    services.open(first, level="L1", by=in_britain.alice)
    verified = in_britain.account(full_name="Ada Byron").customer
    reach_level(verified, "L2", by=in_britain.bob)
    Restriction.objects.filter(customer=verified).delete()
    for number, customer in enumerate((first.customer, verified)):
        facts = {"brand": in_britain.brand, "reference": f"P-2{number}", "by": in_britain.alice}
        second = open_account(customer=Customer.objects.get(pk=customer.pk), **facts)
        assert "deposit" not in stopped(second)


@pytest.mark.parametrize("declared", ["second account", "under age"])
def test_who_is_looked_at_already_is_told_at_once(rules_of_the_24th, in_britain, settings, declared):
    """GB.KYC.TELL_BEFORE_DEPOSIT: a case from before the rule was obeyed; one opened with the account."""
    settings.VERIFIED_BEFORE_PLAY = declared == "under age"
    today = in_britain.licensee.today()
    account = in_britain.account(**({"birth_date": today} if declared == "under age" else {}))
    if declared == "second account":
        services.open(account, level="L1", by=in_britain.alice)
        settings.VERIFIED_BEFORE_PLAY = True
        customer = Customer.objects.get(pk=account.customer_id)
        account = open_account(customer=customer, brand=in_britain.brand, reference="P-2", by=in_britain.alice)
    assert waits_to_be_told(account)
    players = Customer.objects.filter(pk=account.customer_id)
    players.update(erased_at=in_britain.licensee.day_starts(today))
    telling.tell_later(OutboxRow.objects.filter(kind=telling.TELL).first())
    assert waits_to_be_told(account), "nobody is left to tell"
    players.update(erased_at=None)
    for _twice in range(2):
        for row in OutboxRow.objects.filter(kind=telling.TELL):
            telling.tell_later(row)
    assert not waits_to_be_told(account)
    told = services.engine.message_text(Message.objects.get(code="documents_needed"))
    assert texts.purpose_title("wealth", "tr") in told, "enhanced measures may ask for it"


def waits_to_be_told(account):
    return Restriction.objects.filter(customer=account.customer_id, source="before_deposit", lifted_at=None).exists()


def test_an_approval_opens_deposits_that_nobody_was_told_of(in_britain, client):
    account = in_britain.account()
    case = services.open(account, level="L2", by=in_britain.alice)
    row = {"cover_code": "verification_needed", "source": "before_deposit", "by": system()}
    restrict(account.customer, stops=["deposit"], **row)
    approved(client, case, in_britain)
    assert stopped(account) == set()


def test_a_linked_player_does_not_wait_until_the_other_is_told(in_britain):
    first = in_britain.account(full_name="Ada Byron")
    reach_level(first.customer, "L2", by=in_britain.bob)
    Restriction.objects.all().delete()
    second = in_britain.account(full_name="Mary Hope")
    sameness.join(sameness.note(first.customer, second.customer, ["device"]), by=in_britain.bob, reason="same_papers")
    assert (stopped(first), stopped(second)) == (set(), {"deposit", "play"})


def test_the_approval_that_reaches_the_level_opens_play_and_a_lower_one_does_not(world, client):
    account = world.account()
    approved(client, services.open(account, level="L1", by=world.alice), world)
    assert stopped(account) == {"deposit", "play"}
    approved(client, services.open(account, level="L2", by=world.alice), world)
    assert stopped(account) == set()
    lifted = Entry.objects.filter(action="people.lift_restriction").count()
    assert lifted == 1


def test_a_first_approval_needs_no_more_persons_than_any_and_one_after_a_lapse_does(world):
    account = world.account()
    case = services.open(account, level="L1", by=world.alice)
    policy = policy_for("TR", on=world.licensee.today())
    expected = policy.need_two("verification.approve", level="L1", risk=case.customer.risk)
    assert services.needs_two(case, "verification.approve") == expected
    services.withdraw(case, by=world.alice)
    again = services.open(account, level="L1", by=world.alice)
    assert services.needs_two(again, "verification.approve") == policy.need_two("people.lift_restriction")


def test_what_else_stands_against_play_stays(world, client):
    account = world.account()
    restrict(account.customer, stops=["play"], cover_code="play_stopped", source="protection", by=world.alice)
    approved(client, services.open(account, level="L2", by=world.alice), world)
    assert stopped(account) == {"play"}
    assert permissions_of(world.licensee.pk, account.reference)["play"].code == "play_stopped"


def test_who_is_verified_opens_a_second_account_and_plays(world):
    customer = world.account().customer
    reach_level(customer, "L2", by=world.bob)
    Restriction.objects.all().delete()
    second = open_account(
        customer=Customer.objects.get(pk=customer.pk), brand=world.brand, reference="P-2", by=world.alice
    )
    assert stopped(second) == set()


def test_a_second_account_of_who_is_not_verified_adds_no_row(world):
    first = world.account()
    open_account(customer=first.customer, brand=world.brand, reference="P-2", by=world.alice)
    assert Restriction.objects.count() == 1


def test_one_of_a_linked_pair_who_is_verified_does_not_wait_for_the_other(world):
    first = world.account(full_name="Ayşe Kaya")
    reach_level(first.customer, "L2", by=world.bob)
    Restriction.objects.all().delete()
    second = world.account(full_name="Mehmet Demir")
    link = sameness.note(first.customer, second.customer, ["device"])
    sameness.join(link, by=world.bob, reason="same_papers")
    assert (stopped(first), stopped(second)) == (set(), {"deposit", "play"})


def test_a_player_of_a_test_licensee_is_what_the_reference_says(in_context):
    licensee, brand, team = _house("try", "TR", is_test=True)
    alice = _person("alice", "agent", "try", team)
    trying = World(licensee, brand, team, alice, bob=None, erin=None, carol=None, mallory=None)
    assert stopped(trying.account()) == set()


# ---------------------------------------------------------------------------------------------- who was here before
def run(world, *options):
    said = io.StringIO()
    call_command(
        "verification",
        "stop-unverified",
        "--licensee",
        world.licensee.slug,
        "--json",
        *options,
        stdout=said,
        stderr=io.StringIO(),
    )
    return json.loads(said.getvalue())


def test_the_command_stops_who_was_here_before_once_and_says_first_what_it_would_do(world, settings):
    settings.VERIFIED_BEFORE_PLAY = False
    known, verified, child = world.account(), world.account(), world.account()
    reach_level(verified.customer, "L2", by=world.bob)
    Customer.objects.filter(pk=child.customer_id).update(birth_date=world.licensee.today())
    before = Entry.objects.count()
    told = {"accounts": 3, "unverified": 2, "under_age": 1}
    assert run(world, "--dry-run") == told | {"dry_run": True}
    assert (Restriction.objects.count(), Entry.objects.count()) == (0, before)
    assert run(world) == told | {"dry_run": False}
    assert (stopped(known), stopped(verified)) == ({"deposit", "play"}, set())
    assert stopped(child) == set(Restriction.EFFECTS)
    assert run(world) == {"accounts": 3, "unverified": 0, "under_age": 0, "dry_run": False}


def test_the_command_goes_on_block_by_block_and_knows_its_licensees(world, settings, monkeypatch):
    settings.VERIFIED_BEFORE_PLAY = False
    monkeypatch.setattr("cases.types.verification.management.commands.verification.BLOCK", 2)
    for _each in range(3):
        world.account()
    assert run(world)["unverified"] == 3
    world.licensee.slug = "nobody"
    with pytest.raises(CommandError, match="there is no nobody"):
        run(world)


def test_a_level_that_the_policy_does_not_know_carries_nothing(world):
    policy = policy_for("TR", on=world.licensee.today())
    assert not playing.is_enough(policy, "L9") and playing.is_enough(policy, "L3")
    assert playing.stop_until_verified(world.account().customer, by=system()) is None
    assert Account.objects.count() == 1
