"""Who may give which role to whom, for how long; and what a nightly look finds."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone

from audit.actors import system
from audit.perform import Denied
from compliance.people import services as people
from compliance.people import staff
from compliance.people.access import alarms, rights
from compliance.people.access.models import Tenure
from compliance.people.models import Membership, User
from compliance.people.roles import ROLES
from compliance.policy.errors import PolicyBroken
from compliance.policy.staff import FILE, read, staff_rules


def fresh(user):
    return User.objects.get(pk=user.pk)


def in_days(days):
    return timezone.now() + timedelta(days=days)


@pytest.fixture
def ada(member):
    return member("ada", "admin")


@pytest.fixture
def selin(member):
    return member("selin", "mlro")


EVERYDAY = [name for name, role in ROLES.items() if not role.aml and name != "integration"]
AML = [name for name, role in ROLES.items() if role.aml]


@pytest.mark.parametrize("role", EVERYDAY)
def test_an_administrator_gives_everyday_roles_and_the_reporting_officer_does_not(house, member, ada, selin, role):
    nobody = member("nobody")
    with pytest.raises(Denied):
        people.join(nobody, house.team, role, by=selin)
    people.join(nobody, house.team, role, by=ada)
    assert Tenure.objects.get(membership__user=nobody).given_by == f"staff:{ada.pk}"


@pytest.mark.parametrize("role", AML)
def test_roles_of_the_aml_side_are_the_reporting_officers_to_give(house, member, ada, selin, role, entries):
    nobody, until = member("nobody"), in_days(7)
    with pytest.raises(Denied):
        people.join(nobody, house.team, role, by=ada, until=until)
    assert entries("people.join_team", using="log")[-1]["out"] == "refused"
    people.join(nobody, house.team, role, by=selin, until=until)
    with pytest.raises(Denied):
        people.leave(nobody, house.team, role, by=ada)
    people.leave(nobody, house.team, role, by=selin)
    assert not fresh(nobody).groups.exists()


def test_nobody_gives_themselves_a_role_under_any_sign_in(house, ada):
    again = people.create_user(email="ada2@example.com", name="Ada", human=ada.human, by=system())
    for user in (ada, again):
        with pytest.raises(Denied):
            people.join(user, house.team, "manager", by=ada)


def test_the_integration_role_is_for_no_person(house, alice):
    with pytest.raises(ValidationError, match="for API keys"):
        people.join(alice, house.team, "integration", by=system())


RULES = staff_rules(on=timezone.now().date())
PAIRS = [(one, other) for rule in RULES.separation.apart for one in rule.roles for other in rule.others]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_roles_that_the_rules_keep_apart_are_never_held_together(house, member, one, other):
    """In either order, and not under a second sign-in either."""
    user = member("nobody")
    until = {name: in_days(5) if ROLES[name].ends else None for name in (one, other)}
    for first, second in ((one, other), (other, one)):
        people.join(user, house.team, first, by=system(), until=until[first])
        again = people.create_user(email=f"{first}@example.com", name="Again", human=user.human, by=system())
        for sign_in in (user, again):
            with pytest.raises(ValidationError):
                people.join(sign_in, house.team, second, by=system(), until=until[second])
        people.leave(user, house.team, first, by=system())


def test_the_rules_name_roles_that_there_are():
    assert RULES.named_roles() <= set(ROLES)
    assert set(RULES.second_factor.roles) == set(ROLES) - {"integration"}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (("least_characters = 15", "least_characters = 4"), "password.least_characters"),
        (("idle_minutes = 60", "idle_minutes = 0"), "idle_minutes"),
        (('source = "N3"', 'source = "N9"'), "N9 is named and not listed"),
        (("[version.confirmation]", "[version.confirmations]"), "confirmation"),
    ],
)
def test_a_broken_file_says_where(broken, said):
    with pytest.raises(PolicyBroken, match=said):
        read(FILE.read_text().replace(*broken))


# ------------------------------------------------------------------------------------------------- for a time
@pytest.mark.parametrize("until", [None, 31, -1])
def test_an_auditor_sees_the_aml_side_for_some_days_only(house, member, until):
    with pytest.raises(ValidationError):
        people.join(member("nobody"), house.team, "aml_auditor", by=system(), until=until and in_days(until))


def test_when_its_time_is_over_a_role_gives_nothing_even_before_the_sweep(house, member, entries):
    user = member("nobody")
    people.join(user, house.team, "aml_auditor", by=system(), until=in_days(5))
    assert fresh(user).has_perm("audit.view_aml_entry")
    Tenure.objects.update(since=in_days(-6), until=in_days(-1))
    assert not fresh(user).has_perm("audit.view_aml_entry")
    assert staff.end_what_is_over() == 1
    assert staff.end_what_is_over() == 0
    assert not fresh(user).groups.exists()
    assert entries("people.leave_team")[0]["actor"]["t"] == "system"


def test_the_same_role_in_another_team_goes_on(house, member):
    user = member("nobody", "officer")
    other = people.create_team(name="Nöbet", by=system())
    people.join(user, other, "officer", by=system(), until=in_days(1))
    Tenure.objects.filter(membership__team=other).update(since=in_days(-6), until=in_days(-1))
    assert fresh(user).has_perm("people.reveal_customer")


# ------------------------------------------------------------------------------------------------- review
def test_a_role_is_reviewed_again_when_nobody_looked_for_long(house, alice, bob, ada, entries):
    assert not rights.to_review(by=ada).exists()
    Tenure.objects.filter(membership__user=alice).update(since=in_days(-91))
    [due] = rights.to_review(by=ada)
    assert due.user == alice
    assert not rights.to_review(by=alice).exists(), "not one's own"
    with pytest.raises(Denied):
        rights.keep(due, by=bob)
    rights.keep(due, by=ada)
    assert not rights.to_review(by=ada).exists()
    [entry] = entries("access.review")
    assert entry["data"] == {"team": house.team.slug, "role": "agent", "verdict": "keep"}


def test_a_membership_from_before_there_were_reviews_is_due(alice, ada):
    Tenure.objects.filter(membership__user=alice).delete()
    [due] = rights.to_review(by=ada)
    rights.keep(due, by=ada)
    assert not rights.to_review(by=ada).exists()


# ------------------------------------------------------------------------------------------------- nightly check
def test_all_is_well_in_a_house_made_by_its_own_acts(alice, bob, carol, ada, selin):
    alarms.ensure_rights_in_order()
    assert rights.check() == []
    alarms.ensure_rights_in_order()


def _stray(user, team):
    user.groups.add(Group.objects.get(name="role/auditor"))


def _lost(user, team):
    user.groups.clear()


def _own(user, team):
    user.user_permissions.add(Permission.objects.get(codename="manage_staff"))


def _closed(user, team):
    User.objects.filter(pk=user.pk).update(is_active=False)


def _unused(user, team):
    User.objects.filter(pk=user.pk).update(created_at=in_days(-46))


def _apart(user, team):
    membership = Membership.objects.create(
        user=user, team=team, role="auditor", group=staff.team_group(team, "auditor")
    )
    user.groups.add(membership.group, staff.role_group("auditor"))


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (_stray, "orphan_group"),
        (_lost, "role_without_group"),
        (_own, "own_right"),
        (_closed, "closed_with_roles"),
        (_unused, "unused"),
        (_apart, "roles_apart"),
    ],
)
def test_what_somebody_did_by_sql_is_found(house, alice, spoil, kind, entries, capsys):
    spoil(alice, house.team)
    assert kind in {one.kind for one in rights.findings()}
    with pytest.raises(SystemExit) as ended:
        call_command("people", "check-rights")
    assert ended.value.code == 1
    assert f"finding: {kind}: alice@example.com" in capsys.readouterr().out
    assert kind in entries("access.check_rights")[-1]["data"]["kinds"]
    with pytest.raises(alarms.NotInOrder):
        alarms.ensure_rights_in_order()
