"""A heavy act on a team, and people: Alice proposes, Bob and Erin may confirm, Carol may do nothing."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from audit import context
from compliance.people.models import Licensee, Team, User
from compliance.platform.models import ApiKey
from compliance.platform.services import digest as key_digest
from compliance.policy.schema import Need
from compliance.proposals import acts
from compliance.proposals.acts import Act
from compliance.proposals.queries import require_second_person
from tests import database

NAME = "team.rename"


def facts(entry):
    """What an entry of the log says."""
    return json.loads(bytes(entry.entry))


@pytest.fixture
def in_context():
    with context.use(context.new("test")) as here:
        yield here


@dataclass
class Rename:
    """The act: it renames a team. Its evidence is the team's slug; who may is kept here."""

    makers: set = field(default_factory=set)
    checkers: set = field(default_factory=set)
    runs: list = field(default_factory=list)
    missing: list = field(default_factory=list)
    fails_with: Exception | None = None
    two: bool = True

    def run(self, team, *, by, reason, proposal, maker, **inputs):
        require_second_person(NAME, team, proposal=proposal)
        if self.fails_with:
            raise self.fails_with
        self.runs.append({"by": by, "reason": reason, "proposal": proposal, "maker": maker, **inputs})
        Team.objects.filter(pk=team.pk).update(name=f"{team.name}+")

    def act(self):
        return Act(
            name=NAME,
            title="Rename the team",
            run=self.run,
            load=lambda pk: Team.objects.select_for_update().get(pk=pk),
            digest=lambda team: team.slug.encode(),
            seen=lambda team: {"slug": team.slug},
            may_propose=lambda team, user: user.human_id in self.makers,
            may_confirm=lambda team, user: user.human_id in self.checkers,
            visible=lambda user: Team.objects.filter(pk__isnull=user.human_id not in self.checkers).values("pk"),
            need=lambda team, **inputs: Need(self.two, "teams are dear to us", "TR.TEAMS", "TR-2026-02-01"),
            unmet=lambda team, **inputs: self.missing,
            consequence=lambda team, **inputs: "The team gets a longer name.",
            subject_url=lambda team: f"/teams/{team.slug}/",
            facts=lambda team: [("Team", team.name)],
            sealed=frozenset({"message"}),
        )


@pytest.fixture
def rename(monkeypatch):
    rename = Rename()
    monkeypatch.setitem(acts._acts, NAME, rename.act())
    return rename


def people(tag="x"):
    """Alice has a second sign-in (a superuser) and a key; Bob has a key; Dave's sign-in was switched off."""

    def user(name, **extra):
        return User.objects.create_user(f"{name}-{tag}@example.com".lower(), name=name, **extra)

    alice, bob, erin, carol = user("Alice"), user("Bob"), user("Erin"), user("Carol")
    alice_again = user("Alice2", human=alice.human)
    alice_again.is_superuser = True  # in memory: the database allows none
    dave = user("Dave", is_active=False)
    licensee = Licensee.objects.create(name=f"L {tag}", slug=f"l-{tag}", jurisdiction="TR")

    def key(owner):
        return ApiKey.objects.create(
            name="robot",
            prefix=f"mzn_{secrets.token_hex(4)}",
            secret_hash=key_digest(f"{owner.pk}"),
            owner=owner,
            licensee=licensee,
            created_by=owner,
            expires_at=timezone.now() + timedelta(days=1),
        )

    return SimpleNamespace(
        alice=alice,
        alice_again=alice_again,
        alices_key=key(alice),
        bob=bob,
        bobs_key=key(bob),
        erin=erin,
        carol=carol,
        dave=dave,
    )


def allow(rename, who):
    """Everybody but Carol may propose and confirm, so that only four eyes stand in the way."""
    rename.makers = {who.alice.human_id, who.bob.human_id, who.erin.human_id}
    rename.checkers = {who.alice.human_id, who.bob.human_id, who.erin.human_id, who.dave.human_id}


@pytest.fixture
def who(db, in_context, rename):
    who = people()
    allow(rename, who)
    return who


@pytest.fixture
def team(db):
    return Team.objects.create(name="Desk", slug="desk")


@pytest.fixture(scope="session")
def copy_that_keeps(migrated):
    with database.a_copy(migrated, "proposals") as name:
        yield name


@pytest.fixture
def commits(copy_that_keeps, migrated, django_db_setup, django_db_blocker, in_context):
    """Connects this process to a database on which what is committed stays; every thread has connections of its own."""
    with django_db_blocker.unblock(), database.connected_to(copy_that_keeps, cluster=migrated):
        yield
