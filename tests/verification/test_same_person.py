"""Players who may be one person: found by what they agree in, linked and parted by two; no parting restores play."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.actors import system
from audit.perform import Denied
from cases import protection, same
from cases.queues import open_queue
from cases.types.gaming import services as gaming
from compliance.outbox.models import OutboxRow
from compliance.people.exclusions import clock, suppression
from compliance.people.exclusions.carrying import carry
from compliance.people.exclusions.models import Duplicate, Exclusion
from compliance.people.gate import permissions_of
from compliance.people.models import Account, Customer, Restriction, RiskFact
from compliance.people.restrictions import in_force, lift, restrict
from compliance.people.sameness import services
from compliance.people.sameness.models import Link, Trait
from compliance.people.services import open_account, register_customer
from compliance.proposals.models import Proposal
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import confirm, propose
from tests.cases.test_api import platform
from tests.gaming.kept_out import a_player, excluded, period
from tests.papers import a_file, bring

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(world):
    """Two players with a case each, and nothing in common."""
    first = world.verification("L1", full_name="Ayşe Kaya", birth_date=date(1980, 1, 1))
    second = world.verification("L1", full_name="Mehmet Demir", birth_date=date(1990, 2, 2))
    Account.objects.filter(pk=second.account_id).update(email_index=None, phone_index=None)
    return first, second


def found(case):
    return {tuple(link.agrees_in) for link in services.find(Customer.objects.get(pk=case.customer_id))}


def joined(two, world):
    link = services.note(two[0].customer, two[1].customer, ["device"])
    confirm(propose(same.JOIN, link, by=world.alice, reason="same_papers"), by=world.bob)
    return Link.objects.get(pk=link.pk)


def stopped(case):
    return {
        effect for row in in_force(case.customer) for effect in Restriction.EFFECTS if getattr(row, f"stops_{effect}")
    }


# -------------------------------------------------------------------------------------------------------- finding
def test_what_two_players_agree_in_is_named(two, world):
    first, second = two
    assert found(first) == set()
    mine = Account.objects.get(pk=first.account_id)
    Account.objects.filter(pk=second.account_id).update(phone_index=mine.phone_index)
    assert found(first) == {("phone",)}
    Account.objects.filter(pk=second.account_id).update(email_index=mine.email_index)
    Customer.objects.filter(pk=second.customer_id).update(full_name="KAYA AYSE", birth_date=date(1980, 1, 1))
    assert found(second) == {("email", "name_birth", "phone")}
    for case in two:
        services.notice(case.account, "device", "d3v1ce-0001", by=system())
        services.notice(case.account, "payment_instrument", "tok_5f3c9a1b7e", by=system())
    Customer.objects.filter(pk=first.customer_id).update(national_id_index=b"n" * 32, national_id_sealed=b"x")
    Customer.objects.filter(pk=second.customer_id).update(
        national_id_index=b"n" * 32, national_id_sealed=b"x", nationality="BG"
    )
    everything = ("device", "email", "name_birth", "national_id", "payment_instrument", "phone")
    assert found(first) == {everything}
    assert Link.objects.count() == 1


def test_opening_a_case_and_the_same_file_lead_to_a_look(two, world):
    data = a_file()
    for case in two:
        bring(case, "identity_front", "national_id", by=world.alice, data=data, inspected=False)
    assert Link.objects.get().agrees_in == ["document"]
    Link.objects.all().delete()
    for case in two:
        services.notice(case.account, "device", "d3v1ce-0001", by=system())
    for row in OutboxRow.objects.filter(kind=services.LOOK):
        services.look(row)
    assert Link.objects.get().agrees_in == ["device"]


def test_the_platform_reports_traits_and_no_card_number_is_kept(two, world, client):
    path = f"/accounts/{two[0].account.reference}/traits"
    api = platform(world, client)
    assert api.post(path, {"what": "payment_instrument", "value": "tok_5f3c9a1b7e"}).status_code == 204
    assert api.post(path, {"what": "payment_instrument", "value": "4111 1111 1111 1111"}).status_code == 422
    assert api.post(path, {"what": "face", "value": "tok_5f3c9a1b7e"}).status_code == 422
    with pytest.raises(ValidationError, match="value"):
        services.notice(two[0].account, "device", "short", by=system())
    for nobody in ("00000000-0000-0000-0000-000000000000", "--------", "abcdabcdabcd"):
        assert api.post(path, {"what": "device", "value": nobody}).status_code == 422
    assert bytes(Trait.objects.get().digest_index) != b"tok_5f3c9a1b7e"


def test_another_licensee_s_player_is_nobody_s_to_know(two, world):
    stranger = world.account(full_name="Ayşe Kaya", birth_date=date(1980, 1, 1))
    Customer.objects.filter(pk=stranger.customer_id).update(
        licensee=world.mallory.memberships.get().team.queues.get().licensee
    )
    assert found(two[0]) == set()


# ------------------------------------------------------------------------------------------------------- deciding
def test_two_persons_link_and_what_restricts_one_restricts_the_other_now_and_later(two, world, client):
    first, second = two
    before = restrict(first.customer, stops=["deposit"], cover_code="routine_check", source="staff", by=world.alice)
    secret = restrict(
        first.customer, stops=["withdraw"], cover_code="routine_check", source="x", by=world.bob, log="aml"
    )
    link = services.note(first.customer, second.customer, ["device"])
    client.force_login(world.alice)
    page = reverse("cases:same", args=[first.number])
    assert second.account.reference in client.get(page).content.decode()
    assert client.post(page, {"link": link.pk, "act": same.JOIN, "reason": "same_papers"}).status_code == 302
    with pytest.raises(SecondPersonNeeded):
        same.join(link, by=world.bob, reason="same_papers")
    confirm(Proposal.objects.parked().get(act=same.JOIN), by=world.bob)
    assert stopped(second) == {"deposit"}, "what the AML side stopped is not told by a row elsewhere"
    restrict(second.account, stops=["play"], cover_code="play_stopped", source="staff", by=world.alice)
    assert stopped(first) == {"deposit", "play", "withdraw"}
    assert not permissions_of(world.licensee.pk, first.account.reference)["play"].allowed
    restrict(first.customer, stops=["marketing"], cover_code="routine_check", source="x", by=world.bob, log="aml")
    assert "marketing" not in stopped(second)
    facts = set(RiskFact.objects.filter(code="second_account").values_list("customer_id", flat=True))
    assert facts == {first.customer_id, second.customer_id}
    assert before.lifted_at is None and secret.lifted_at is None


def test_parting_takes_two_and_restores_nothing(two, world):
    restrict(two[0].customer, stops=["play"], cover_code="routine_check", source="staff", by=world.alice)
    link = joined(two, world)
    with pytest.raises(SecondPersonNeeded):
        same.part(link, by=world.bob, reason="mistaken")
    confirm(propose(same.PART, link, by=world.alice, reason="mistaken"), by=world.erin)
    assert Link.objects.get().state == "parted"
    assert stopped(two[1]) == {"play"}
    lift(Restriction.objects.get(customer=two[0].customer), by=world.bob, reason="mistaken")
    assert (stopped(two[0]), stopped(two[1])) == (set(), {"play"})
    restrict(two[0].customer, stops=["deposit"], cover_code="routine_check", source="staff", by=world.alice)
    assert "deposit" not in stopped(two[1])


def test_what_is_carried_begins_and_ends_with_its_origin_and_is_carried_once(two, world):
    first, second = (case.customer for case in two)
    joined(two, world)
    soon, later = timezone.now() + timedelta(hours=1), timezone.now() + timedelta(days=1)
    given = {"cover_code": "routine_check", "by": world.alice}
    row = restrict(first, stops=["deposit"], source="staff", starts_at=soon, until=later, **given)
    [copy] = Restriction.objects.filter(customer=second)
    assert (copy.starts_at, copy.until, stopped(two[1])) == (soon, later, set())
    for source in ("routine", "register", "gaming"):
        restrict(first, stops=["withdraw"], source=source, **given | {"cover_code": "routine_check"})
    held = {row.source for row in Restriction.objects.filter(customer=first)} - {"routine", "register"}
    assert Restriction.objects.filter(customer=second).count() == len(held), "machines of their own are not carried"
    play = restrict(first, stops=["play"], source="staff", **given)
    theirs = Restriction.objects.get(customer=second, stops_play=True)
    assert protection.is_ours(theirs) and protection._unmet(theirs), "it ends with its origin"
    lift(play, by=world.bob, reason="mistaken")
    lift(row, by=world.bob, reason="mistaken")
    theirs.refresh_from_db()
    copy.refresh_from_db()
    assert theirs.lifted_at and copy.lifted_at and "play" not in stopped(two[1])
    assert not Restriction.objects.filter(customer=first, source="sameness").exists()


def test_who_is_excluded_excludes_the_linked_player_too_once_and_from_the_start(two, world):
    clock.tick()
    joined(two, world)
    out = excluded(two[0].account, term="6 month")
    [twin] = Exclusion.objects.of(two[1].customer.person_id)
    assert (twin.carried_from, twin.term_ends_at) == (out, out.term_ends_at)
    carry(two[1].customer.person_id, two[0].customer.person_id, by=system())
    assert Exclusion.objects.of(two[0].customer.person_id).get() == out, "nobody is out twice for one reason"
    assert not Restriction.objects.filter(source="sameness").exists()


@pytest.mark.parametrize("what", ["device", "payment_instrument"])
def test_who_shares_a_device_or_instrument_with_somebody_kept_out_is_stopped_with_the_report(two, world, client, what):
    excluded(two[0].account)
    services.notice(two[0].account, what, "tok_5f3c9a1b7e", by=system())
    api = platform(world, client)
    assert stopped(two[1]) == set()
    gate = f"/accounts/{two[1].account.reference}/traits"
    assert api.post(gate, {"what": what, "value": "tok_5f3c9a1b7e"}).status_code == 204
    assert {"play", "deposit"} <= stopped(two[1]) and "withdraw" not in stopped(two[1])
    assert not permissions_of(world.licensee.pk, two[1].account.reference)["play"].allowed
    assert Duplicate.objects.get(customer=two[1].customer).by == [what]


def test_the_same_file_as_somebody_kept_out_stops_with_the_upload_and_no_dismissal_frees(two, world, client):
    excluded(two[0].account)
    data = a_file()
    for case in two:
        bring(case, "identity_front", "national_id", by=world.alice, data=data, inspected=False)
    held = stopped(two[1])
    assert "play" in held
    client.force_login(world.bob)
    page = reverse("cases:same", args=[two[1].number])
    link = Link.objects.get()
    assert client.post(page, {"link": link.pk, "act": "dismiss", "reason": "relative"}).status_code == 302
    assert stopped(two[1]) == held


def test_a_name_nearly_like_that_of_somebody_kept_out_stops_with_the_account_and_two_clear_it(world, client):
    open_queue(world.team, world.licensee, "gaming", by=system())
    first = a_player(world, "Mehmet Demirkan")
    _out, case = gaming.keep_out(first, kind="self_exclusion", period=period("6 month"), by=world.alice, via="phone")
    born = Customer.objects.get(pk=first.customer_id).birth_date
    other = register_customer(
        licensee=world.licensee, full_name="Mehmet Demirkam", birth_date=born, nationality="TR", by=world.alice
    )
    account = open_account(customer=other, brand=world.brand, reference="P-near", by=world.alice)
    assert not permissions_of(world.licensee.pk, "P-near")["play"].allowed
    duplicate = Duplicate.objects.get(customer=other)
    client.force_login(world.alice)
    assert "P-near" in client.get(reverse("cases:case", args=[case.number])).content.decode()
    page = reverse("cases:gaming-duplicate", args=[case.number, duplicate.pk])
    answer = client.post(page, {"reason": "another_person", "note": "Passport seen"})
    assert answer.status_code == 302, answer.content
    assert not permissions_of(world.licensee.pk, "P-near")["play"].allowed
    confirm(Proposal.objects.parked().get(subject_id=duplicate.pk), by=world.bob)
    assert permissions_of(world.licensee.pk, "P-near")["play"].allowed
    services.notice(account, "device", "d3v1ce-0001", by=system())
    services.notice(first, "device", "d3v1ce-0001", by=system())
    assert permissions_of(world.licensee.pk, "P-near")["play"].allowed, "two persons looked at this pair"


def test_who_was_found_alike_before_is_stopped_when_the_other_is_kept_out(two, world):
    services.note(two[0].customer, two[1].customer, ["device"])
    third = world.verification("L1", full_name="Third", birth_date=date(1970, 3, 3))
    services.dismiss(services.note(two[0].customer, third.customer, ["device"]), by=world.bob, reason="relative")
    Account.objects.filter(pk=third.account_id).update(email_index=None, phone_index=None)
    excluded(two[0].account)
    assert "play" in stopped(two[1])
    assert not Duplicate.objects.filter(customer=third.customer).exists(), "somebody decided: they are two persons"
    assert OutboxRow.objects.filter(kind=services.LOOK, payload__customer_id=str(two[0].customer_id)).exists()


def test_more_than_a_request_takes_are_stopped_by_the_worker(two, world, monkeypatch):
    third = world.verification("L1", full_name="Third", birth_date=date(1970, 3, 3))
    Account.objects.filter(pk=third.account_id).update(email_index=None, phone_index=None)
    OutboxRow.objects.filter(kind=services.LOOK).delete()
    for other in (two[1], third):
        services.note(two[0].customer, other.customer, ["document"])
    monkeypatch.setattr(services, "MOST", 1)
    excluded(two[0].account)
    assert Duplicate.objects.count() == 1
    [row] = OutboxRow.objects.filter(kind=services.LOOK)
    services.look(row)
    services.look(row)
    assert {"play"} <= stopped(two[1]) & stopped(third) and Duplicate.objects.count() == 2


def test_a_dismissal_does_not_hold_where_more_agrees_since(two, world):
    link = services.note(two[0].customer, two[1].customer, ["name_birth"])
    services.dismiss(link, by=world.bob, reason="relative")
    excluded(two[0].account)
    services.note(two[0].customer, two[1].customer, ["name_birth"])
    assert stopped(two[1]) == set(), "nothing new: what was decided stays decided"
    for case in two:
        services.notice(case.account, "device", "d3v1ce-0001", by=system())
    assert "play" in stopped(two[1])
    assert Duplicate.objects.get().by == ["device", "name_birth"]


def test_a_pair_that_another_process_stopped_a_moment_ago_is_stopped_once(two, world, monkeypatch):
    excluded(two[0].account)
    real, first = suppression.effects_of, []

    def meanwhile(restriction):
        if not first:
            first.append(None)
            first[0] = suppression.stop(two[1].customer, two[0].customer.person_id, ["phone"], by=system())
        return real(restriction)

    monkeypatch.setattr(suppression, "effects_of", meanwhile)
    assert suppression.stop(two[1].customer, two[0].customer.person_id, ["device"], by=system()) is None
    assert first == [Duplicate.objects.get()] and Restriction.objects.filter(customer=two[1].customer).count() == 1


def test_who_is_new_is_looked_at_again_for_an_exclusion_of_this_moment(world):
    account = a_player(world, "Mehmet Demirkan")
    assert OutboxRow.objects.filter(kind=services.LOOK, payload__customer_id=str(account.customer_id)).exists()


def test_who_is_kept_out_is_found_among_any_number_who_share_a_device(two, world, monkeypatch):
    monkeypatch.setattr(services, "MOST", 0)
    for case in two:
        services.notice(case.account, "device", "d3v1ce-0001", by=system())
    assert services.find(two[1].customer) == []
    excluded(two[0].account)
    [link] = services.find(Customer.objects.get(pk=two[1].customer_id))
    assert link.agrees_in == ["device"] and "play" in stopped(two[1])


def test_one_who_decides_dismisses_and_what_was_decided_stays(two, world, client):
    link = services.note(two[0].customer, two[1].customer, ["device"])
    with pytest.raises(Denied):
        same.dismiss(link, by=world.alice, reason="relative")
    client.force_login(world.bob)
    page = reverse("cases:same", args=[two[1].number])
    assert client.post(page, {"link": link.pk, "act": "dismiss", "reason": "relative"}).status_code == 302
    services.note(two[0].customer, two[1].customer, ["phone"])
    link = Link.objects.get()
    assert (link.state, link.agrees_in) == ("dismissed", ["device", "phone"])
    assert client.post(page, {"link": link.pk, "act": "x", "reason": "relative"}).status_code in (409, 422)
    client.force_login(world.mallory)
    assert client.get(page).status_code == 404


def test_who_resembles_only_the_linked_player_is_cleared_on_the_request_of_the_first(two, world, client):
    open_queue(world.team, world.licensee, "gaming", by=system())
    joined(two, world)
    terms = {"kind": "self_exclusion", "period": period("6 month"), "asked_by": "self"}
    _out, request = gaming.keep_out(two[0].account, **terms, by=system())
    services.notice(two[1].account, "device", "tok_5f3c9a1b7e", by=system())
    third = a_player(world, "Sibel Kurt")
    services.notice(third, "device", "tok_5f3c9a1b7e", by=system())
    alike = Duplicate.objects.get(customer=third.customer, person=two[1].customer.person_id)
    client.force_login(world.bob)
    assert third.reference in client.get(reverse("cases:case", args=[request.number])).content.decode()
    client.force_login(world.bob)
    assert client.get(reverse("cases:gaming-duplicate", args=[request.number, alike.pk])).status_code in (200, 302)


def test_who_is_linked_to_a_third_is_one_of_three(two, world):
    third = world.verification("L1", full_name="Third", birth_date=date(1970, 3, 3))
    joined(two, world)
    link = services.note(two[1].customer, third.customer, ["device"])
    restrict(two[0].customer, stops=["deposit"], cover_code="routine_check", source="staff", by=world.alice)
    services.join(link, by=world.bob, reason="same_papers")
    assert stopped(third) == {"deposit"}
    restrict(third.customer, stops=["play"], cover_code="routine_check", source="staff", by=world.alice)
    assert stopped(two[0]) == {"deposit", "play"}


ACTS = st.lists(
    st.sampled_from(["restrict_first", "restrict_second", "join", "part", "dismiss"]), min_size=2, max_size=7
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(ACTS)
def test_no_history_of_links_ever_allows_what_was_stopped(world, acts):
    """Whatever is linked, parted and dismissed: what was stopped for a player stays stopped until it is lifted."""
    cases = [world.verification("L1", full_name=name) for name in ("Ayşe Kaya", "Mehmet Demir")]
    link = services.note(cases[0].customer, cases[1].customer, ["device"])
    effects = iter(Restriction.EFFECTS * 2)
    for act in acts:
        before = [stopped(case) for case in cases]
        if act.startswith("restrict"):
            mine = cases[act == "restrict_second"]
            restrict(mine.customer, stops=[next(effects)], cover_code="c", source="staff", by=world.alice)
        else:
            fresh = Link.objects.get(pk=link.pk)
            moves = {"join": ("found", "dismissed", "parted"), "part": ("linked",), "dismiss": ("found",)}
            if fresh.state in moves[act]:
                getattr(services, act)(fresh, by=world.bob, reason="mistaken")
        after = [stopped(case) for case in cases]
        assert all(old <= new for old, new in zip(before, after, strict=True))
        if Link.objects.get(pk=link.pk).state == "linked":
            assert after[0] == after[1]
