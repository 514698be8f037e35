"""What a role is, in words and in rights."""

import pytest

from cases.models import GRANTS
from compliance.people.roles import RIGHTS, ROLES

IN_USE = {
    *("agent", "manager", "officer", "analyst", "mlro", "deputy_mlro", "rg_officer", "privacy_officer"),
    *("auditor", "aml_auditor", "admin"),
}


def test_the_roles_are_those_of_the_house():
    assert list(ROLES) == [
        *("agent", "officer", "analyst", "mlro", "deputy_mlro", "rg_officer", "privacy_officer", "manager"),
        *("auditor", "aml_auditor", "admin", "integration"),
    ]


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_a_role_says_in_words_what_it_may(role):
    assert len(str(role.display_name)) > 3
    assert str(role.description).endswith(".")


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_only_the_roles_in_use_have_rights(role):
    assert bool(role.permissions or role.queue_permissions) is (role.name in IN_USE)


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_rights_on_queues_are_ones_that_queues_know(role):
    assert set(role.queue_permissions) <= {codename for codename, _name in GRANTS}


def test_only_officers_decide():
    assert [role.name for role in ROLES.values() if "decide_case" in role.queue_permissions] == [
        "officer",
        "rg_officer",
    ]


def test_an_auditor_changes_nothing():
    assert set(ROLES["auditor"].queue_permissions) == {"view_case"}
    seen = {"audit.view_entry", "audit.export_entry", "access.view_staff", "rulebook.view_rules", "looking.see_lookers"}
    assert set(ROLES["auditor"].permissions) == seen


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_every_right_of_a_role_is_said_in_words(role):
    """The page of the role is made of these."""
    assert set(role.permissions) | set(role.queue_permissions) <= set(RIGHTS)
