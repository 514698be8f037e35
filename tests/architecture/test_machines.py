"""Every move says who may make it, every state can be reached, and the database knows the same states."""

import re

import pytest
from django.db import connection

from audit.registry import actions
from cases.models import Case
from cases.queries import CaseQuerySet, StateMovesOnlyThroughPerform
from tests.architecture.machines import machines, moves_of

every_machine = pytest.mark.parametrize("model", machines(), ids=lambda model: model.__name__)


def start_of(model):
    return str(model._meta.get_field("state").default)


def states_of(model):
    if hasattr(model, "State"):
        return {str(value) for value in model.State.values}
    return {str(value) for value, _words in model._meta.get_field("state").choices}


@every_machine
def test_every_move_says_who_may_make_it(model):
    assert [str(move) for move in moves_of(model) if move.permission is None] == []


@every_machine
def test_every_state_can_be_reached(model):
    reached = {start_of(model)}
    while True:
        more = {str(move.target) for move in moves_of(model) if move.source in reached or move.source in ("*", "+")}
        if more <= reached:
            break
        reached |= more
    assert reached == states_of(model)


@every_machine
def test_every_move_has_its_sentence_in_the_log(model):
    known = actions()
    assert [str(move) for move in moves_of(model) if f"{model.audit_prefix}.{move.name}" not in known] == []


@every_machine
def test_the_database_knows_the_same_states(model, db):
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass",
            [table],
        )
        checks = [row[0] for row in cursor.fetchall()]
    kind = getattr(model, "audit_prefix", "")
    listing = [check for check in checks if re.search(r"\(?state\)?(::text)?\)? = ANY", check)]
    if model._meta.proxy:
        listing = [check for check in listing if f"(kind)::text <> '{kind}'" in check]
    else:
        listing = [check for check in listing if " OR " not in check]
    assert len(listing) == 1, f"{table}: expected one CHECK that lists the states, found {checks}"
    quoted = set(re.findall(r"'([a-z_]+)'", listing[0])) - ({kind} if model._meta.proxy else set())
    assert quoted == states_of(model)


def test_the_base_case_has_no_moves_of_its_own():
    assert moves_of(Case) == []


@pytest.mark.parametrize("model", [Case, *Case.__subclasses__()], ids=lambda model: model.__name__)
def test_every_manager_of_a_case_guards_the_state(model, db):
    managers = [*model._meta.managers, model._base_manager]
    assert [manager for manager in managers if not isinstance(manager.get_queryset(), CaseQuerySet)] == []
    with pytest.raises(StateMovesOnlyThroughPerform):
        model._default_manager.update(state="closed")
    with pytest.raises(AttributeError):
        model(state="open").state = "closed"
