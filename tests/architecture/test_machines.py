"""Every move says who may make it, every state can be reached, and the database knows the same states."""

import re
import uuid

import pytest
from django.db import connection

from audit.perform import StateMovesOnlyThroughPerform
from audit.registry import actions
from cases.models import Case
from tests.architecture.machines import machines, moves_of, stateful_models

every_machine = pytest.mark.parametrize("model", machines(), ids=lambda model: model.__name__)
every_stateful_model = pytest.mark.parametrize("model", stateful_models(), ids=lambda model: model.__name__)


def start_of(model):
    return str(model._meta.get_field("state").default)


def states_of(model):
    if hasattr(model, "State"):
        return {str(value) for value in model.State.values}
    named = {str(value) for value, _words in model._meta.get_field("state").choices or ()}
    return named or set().union(*(states_of(kind) for kind in model.__subclasses__()))


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


@every_stateful_model
def test_no_manager_moves_states_in_bulk(model, db):
    """Every way to a table: the model's managers, the base manager, and those of the rows that point at it."""
    start = start_of(model)
    elsewhere = next(iter(states_of(model) - {start}))
    for rows in ways_to(model):
        with pytest.raises(StateMovesOnlyThroughPerform):
            rows.update(state=elsewhere)
        with pytest.raises(StateMovesOnlyThroughPerform):
            rows.bulk_update([], ["version", "state"])
        with pytest.raises(StateMovesOnlyThroughPerform):
            rows.bulk_create([model(state=elsewhere)])
        with pytest.raises(StateMovesOnlyThroughPerform):
            rows.bulk_create([], update_conflicts=True, update_fields=["state"], unique_fields=["id"])
        assert rows.none().update(version=1) == 0, "what is no state may be changed in bulk"
    with pytest.raises(AttributeError):
        model(state=start).state = elsewhere


def ways_to(model):
    managers = [*model._meta.managers, model._default_manager, model._base_manager]
    concrete = model._meta.concrete_model
    related = [link for link in concrete._meta.get_fields() if link.many_to_one and link.remote_field.name != "+"]
    for link in related:
        if name := link.remote_field.get_accessor_name():
            managers.append(getattr(link.related_model(pk=uuid.uuid4()), name))
    return [manager.all() for manager in managers]
