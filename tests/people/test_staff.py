"""Sign-ins, teams and roles: rights come with a role and go with it."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from audit.actors import system
from audit.perform import Denied
from compliance.people import roles, staff
from compliance.people import services as people
from compliance.people.models import Membership, User


def fresh(user):
    """As the next request sees them: rights are kept on the object."""
    return User.objects.get(pk=user.pk)


def test_a_role_brings_its_rights(alice, carol):
    assert fresh(alice).has_perm("people.reveal_customer")
    assert not fresh(alice).has_perm("audit.view_entry")
    assert fresh(carol).has_perm("audit.view_entry")
    assert not fresh(carol).has_perm("people.reveal_customer")


def test_joining_twice_is_one_membership_and_one_entry(house, alice, entries):
    people.join(alice, house.team, "agent", by=system())
    assert Membership.objects.filter(user=alice).count() == 1
    assert len(entries("people.join_team")) == 1


def test_leaving_takes_the_rights_at_once(house, alice, entries):
    people.leave(alice, house.team, "agent", by=system())
    assert not fresh(alice).has_perm("people.reveal_customer")
    assert not fresh(alice).groups.exists()
    assert entries("people.leave_team")[0]["data"] == {"team": house.team.slug, "role": "agent"}


def test_a_role_in_another_team_keeps_the_right_that_holds_everywhere(house, alice):
    other = people.create_team(name="Nöbet", by=system())
    people.join(alice, other, "agent", by=system())
    people.leave(alice, house.team, "agent", by=system())
    assert fresh(alice).has_perm("people.reveal_customer")
    assert set(alice.groups.values_list("name", flat=True)) == {"role/agent", f"{other.slug}/agent"}


def test_leaving_a_role_one_does_not_have_is_refused(house, alice):
    with pytest.raises(ValidationError) as refused:
        people.leave(alice, house.team, "officer", by=system())
    assert list(refused.value.message_dict) == ["role"]


def test_an_unknown_role_names_the_known_ones(house, alice):
    with pytest.raises(ValidationError, match="There is no role boss. Known: agent, officer"):
        people.join(alice, house.team, "boss", by=system())


def test_a_closed_sign_in_has_no_rights_from_that_moment(alice, carol, entries):
    people.deactivate_user(carol, by=system())
    people.deactivate_user(carol, by=system())
    assert not fresh(carol).is_active
    assert not fresh(carol).has_perm("audit.view_entry")
    assert len(entries("people.deactivate_user")) == 1


@pytest.mark.parametrize("act", ["create", "join", "leave", "deactivate", "team"])
def test_staff_give_no_rights_to_each_other(house, alice, bob, entries, act):
    """Nobody has this right yet; the first administrator comes from the command line."""
    acts = {
        "create": ("people.create_user", lambda: people.create_user(email="d@example.com", name="Dan", by=alice)),
        "join": ("people.join_team", lambda: people.join(alice, house.team, "officer", by=alice)),
        "leave": ("people.leave_team", lambda: people.leave(bob, house.team, "officer", by=alice)),
        "deactivate": ("people.deactivate_user", lambda: people.deactivate_user(bob, by=alice)),
        "team": ("people.create_team", lambda: people.create_team(name="Mine", by=alice)),
    }
    action, do = acts[act]
    before = (User.objects.count(), Membership.objects.count(), Group.objects.count())
    with pytest.raises(Denied):
        do()
    assert (User.objects.count(), Membership.objects.count(), Group.objects.count()) == before
    assert fresh(bob).is_active
    [refusal] = entries(action, using="log")
    assert (refusal["out"], refusal["actor"]["id"]) == ("refused", str(alice.pk))


def test_two_sign_ins_of_one_human_are_one_person(alice, entries):
    again = people.create_user(email="alice2@example.com", name="Alice again", human=alice.human, by=system())
    stranger = people.create_user(email="dan@example.com", name="Dan", by=system())
    assert again.human_id == alice.human_id
    assert stranger.human_id != alice.human_id


def test_name_and_address_of_staff_are_sealed_in_the_log(alice, entries):
    [entry] = entries("people.create_user")
    assert entry["subject"] == {"t": "staff", "id": str(alice.pk)}
    assert "alice" not in str(entry).lower()


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"email": "alice"}, "email"),
        ({"email": "ALICE@example.com"}, "email"),
        ({"name": " "}, "name"),
        ({"language": "xx"}, "language"),
        ({"time_zone": "Nowhere"}, "time_zone"),
        ({"password": "short"}, "password"),
        ({"password": "correct-dan@example.com"}, "password"),
    ],
)
def test_what_is_wrong_is_named(alice, facts, field):
    with pytest.raises(ValidationError) as refused:
        people.create_user(by=system(), **{"email": "dan@example.com", "name": "Dan"} | facts)
    assert list(refused.value.message_dict) == [field]


def test_passwords_are_kept_as_argon2(house):
    user = people.create_user(email="dan@example.com", name="Dan", password="correct horse battery staple", by=system())
    assert user.password.startswith("argon2$argon2id$")


def test_without_a_password_nobody_signs_in(alice):
    assert not alice.has_usable_password()


def test_the_database_refuses_a_superuser(alice):
    with pytest.raises(IntegrityError, match="user_is_no_superuser"), transaction.atomic():
        User.objects.filter(pk=alice.pk).update(is_superuser=True)


def test_the_database_refuses_an_address_in_capitals(alice):
    with pytest.raises(IntegrityError, match="user_email_lower"), transaction.atomic():
        User.objects.filter(pk=alice.pk).update(email="Alice@example.com")


def test_a_team_has_a_group_for_every_role(house):
    names = {f"{house.team.slug}/{role}" for role in roles.ROLES}
    assert set(Group.objects.filter(name__startswith=f"{house.team.slug}/").values_list("name", flat=True)) == names


def test_syncing_roles_repairs_what_drifted_and_then_changes_nothing(house, alice, carol):
    people.sync_roles()
    auditors, agents = Group.objects.get(name="role/auditor"), Group.objects.get(name="role/agent")
    agents.permissions.add(*auditors.permissions.all())
    auditors.permissions.clear()
    Group.objects.get(name=f"{house.team.slug}/manager").delete()
    assert sorted(people.sync_roles()) == sorted(["role/agent", "role/auditor", f"{house.team.slug}/manager"])
    assert fresh(carol).has_perm("audit.view_entry")
    assert not fresh(alice).has_perm("audit.view_entry")
    assert people.sync_roles() == []


def test_a_role_with_an_unknown_right_stops_the_sync(db, monkeypatch):
    monkeypatch.setattr(roles.Manager, "permissions", ("people.fly",))
    with pytest.raises(staff.UnknownRight, match=r"manager: no model declares people\.fly"):
        people.sync_roles()


def test_the_groups_exist_after_a_migration(db):
    """post_migrate made them before any test ran."""
    assert Group.objects.get(name="role/auditor").permissions.filter(codename="view_entry").exists()
