"""Every state x role x act of a verification, of its files and its electronic checks, held against a reviewed table.

`machine.csv` is what the machines and the permissions said when somebody last looked at it: may, no (no right), - (not
from this state). Cases are of the people's own team; the stranger is an officer of another licensee. After a change:

WRITE_MATRIX=1 python3 dev.py test tests/verification/test_machine_table.py -q
git diff tests/verification/machine.csv
"""

import csv
import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.test import RequestFactory
from django.utils import timezone

from audit.actors import system
from audit.perform import ConditionsNotMet, Denied, WrongState, perform
from cases import services as engine
from cases.models import Evidence
from cases.types.verification import services
from cases.types.verification.checks.models import Check
from cases.types.verification.models import Verification
from compliance.people.access.once import remember
from compliance.people.models import User
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from compliance.proposals.acts import acts
from tests import once
from tests.papers import bring
from tests.verification.conftest import asked, completed
from tests.walls import answers, matrix
from tests.world import a_world

FILE = Path(__file__).with_name("machine.csv")
ROLES = ("no_role", *matrix.PEOPLE, "stranger", "key", "system")
HEAD = ("act", "state", *ROLES)
MACHINES = {"verification": Verification, "evidence": Evidence, "checks": Check}


class Table:
    """One world with all roles and one object in each state; every cell is asked of the machine itself."""

    def __init__(self):
        self.world = a_world()
        self.walls = matrix.Walls(self.world)
        self.walls.requests["stranger"] = self.walls._of_staff(self.world.mallory)
        self.actors = {name: user for name, (user, _session) in self.walls.requests.items() if name in ROLES}
        self.actors |= {"key": self._key(), "system": system()}
        # As a page asks: rights are read once (tests/cases/test_asked_once.py holds that against how an act asks).
        self.asking = {name: _remembered(actor) for name, actor in self.actors.items()}
        self.subjects = {"verification": self._cases(), "evidence": self._files(), "checks": self._checks()}

    def _key(self):
        owner, until = self.world.bob, timezone.now() + timedelta(days=1)
        facts = {"owner": owner, "licensee": self.world.licensee, "name": "platform", "scopes": [*Scope]}
        key, _secret = issue_key(**facts, expires_at=until, created_by=owner, by=owner)
        return key

    def _cases(self):
        world = self.world
        return {
            "open": world.verification("L1"),
            "in_review": completed(world.verification("L1"), by=world.alice),
            "waiting": asked(world.verification("L1"), by=world.alice),
            "closed": services.withdraw(world.verification("L1"), by=world.alice),
        }

    def _files(self):
        case, by = self.world.verification("L3"), self.world.alice

        def file(purpose, paper):
            return bring(case, purpose, paper, by=by, inspected=False)

        found = {"superseded": file("identity_front", "passport"), "pending": file("identity_front", "passport")}
        found["accepted"] = engine.accept(file("identity_back", "national_id"), by=by)
        found["returned"] = engine.ask_again(file("address", "utility_bill"), by=by, reasons=["image_blurry"])
        found["rejected"] = engine.reject(file("funds", "payslip"), by=by, reasons=["document_altered"])
        late = engine.accept(file("payment_ownership", "bank_statement"), by=by)
        Evidence.objects.filter(pk=late.pk).update(good_until=date(2026, 1, 1))
        found["expired"] = late
        engine.expire_overdue()
        return {state: Evidence.objects.get(pk=found[state].pk) for state in Evidence.State.values}

    def _checks(self):
        case, now = self.world.verification("L1"), timezone.now()
        said = {"answered": {"result": "match", "said_at": now}}
        return {
            state: Check.objects.create(
                case=case, kind="idv", asked_at=now, asked_by="x", state=state, **said.get(state, {})
            )
            for state in Check.State.values
        }

    def rows(self):
        for machine, model in MACHINES.items():
            moves = {}
            for move in model._meta.get_field("state").get_all_transitions(model):
                moves.setdefault(move.name, {})[move.source] = move
            for name in sorted(moves):
                for state, subject in self.subjects[machine].items():
                    move = moves[name].get(state)
                    cells = {role: self._cell(move, subject, actor) for role, actor in self.asking.items()}
                    yield {"act": f"{machine}.{name}", "state": state} | cells
        yield from self._proposals()

    def _cell(self, move, subject, actor):
        return "-" if move is None else "may" if move.has_perm(subject, actor) else "no"

    def _proposals(self):
        """Who may ask for an act that takes two, and who may confirm what another one asked for; in whatever state."""
        for name, act in sorted(acts().items()):
            for part, may in (("propose", act.may_propose), ("confirm", act.may_confirm)):
                if name.startswith("verification."):
                    found = [
                        {role: "may" if may(case, actor) else "no" for role, actor in self.asking.items()}
                        for case in self.subjects["verification"].values()
                    ]
                    assert all(row == found[0] for row in found), name
                    yield {"act": f"{part} {name}", "state": "any", **found[0]}


def _remembered(actor):
    if not isinstance(actor, User):
        return actor
    request = RequestFactory().get("/")
    request.user = User.objects.get(pk=actor.pk)
    remember(request)
    return request.user


@pytest.fixture(scope="module")
def table(django_db_setup, django_db_blocker):
    with once.for_the_module(django_db_blocker):
        yield Table()


@pytest.fixture(scope="module")
def reviewed():
    with FILE.open(newline="", encoding="utf-8") as file:
        return {(row["act"], row["state"]): row for row in csv.DictReader(file)}


def test_every_state_role_and_act_is_as_somebody_reviewed_it(table):
    rows = list(table.rows())
    assert set(rows[0]) == set(HEAD) and not [row for row in rows if row["no_role"] == "may"]
    if os.environ.get("WRITE_MATRIX") == "1":
        with FILE.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, HEAD, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    with FILE.open(newline="", encoding="utf-8") as file:
        known = {(row["act"], row["state"]): row for row in csv.DictReader(file)}
    wrong = [row for row in rows if known.pop((row["act"], row["state"]), None) != row]
    assert wrong == [] and known == {}, "machine.csv: review these rows, and write the file anew"


def test_perform_says_what_the_table_says(table, reviewed):
    """In each row one who may and one who may not try it; nothing of it stays."""
    wrong = []
    for (act, state), row in reviewed.items():
        machine, _dot, move = act.partition(".")
        if machine not in MACHINES:
            continue
        for said in ("may", "no", "-"):
            role = next((role for role in ROLES if row[role] == said), None)
            if role and (found := tried(table.subjects[machine][state], move, table.actors[role])) != said:
                wrong.append((act, state, role, found, said))
    assert wrong == []


def tried(subject, move, actor):
    with once.undone():
        try:
            perform(getattr(subject, move), by=actor)
        except WrongState:
            return "-"
        except Denied:
            return "no"
        except (ConditionsNotMet, TypeError):  # allowed so far: what it needs besides was not given
            return "may"
    return "may"


def test_over_http_the_table_holds_for_every_role(table, reviewed):
    """Starting the review: who may is led on; who only sees the case is refused; for others it is not there."""
    row, case = reviewed["verification.review", "open"], table.subjects["verification"]["open"]
    asking = answers.Answers(table.walls, {"": {}}, {})
    found = {}
    for role in matrix.PEOPLE:
        found[role] = asking.ask(f"/cases/{case.number}/start/", role, "POST").status_code
    assert {role for role, status in found.items() if status == 302} == {r for r in found if row[r] == "may"}
    assert {status for role, status in found.items() if row[role] == "no"} <= {403, 404}
    assert found["auditor"] == 403 and found["admin"] == found["mlro"] == 404
