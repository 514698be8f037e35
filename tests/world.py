"""A licensee with people in it, made through the product's own acts: what most tests start from."""

import secrets
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import time_machine
from django.db import connection

from audit import context
from audit.actors import system
from cases.queues import open_queue
from cases.types.verification import services as verification
from compliance.people.models import Brand, Team, User
from compliance.people.services import (
    create_brand,
    create_licensee,
    create_team,
    create_user,
    join,
    open_account,
    register_customer,
)
from compliance.rulebook.queries import _laid
from tests import database
from tests.once import QUICK

PASSWORD = "correct horse battery staple"
PEOPLE = ("alice", "bob", "erin", "carol", "mallory")
READY: dict[str, Any] = {}  # where a world lies ready, and the ids of what is in it


@dataclass
class World:
    """Alice is an agent, Bob and Erin are officers, Carol an auditor of one team; Mallory works elsewhere."""

    licensee: Any
    brand: Any
    team: Any
    alice: Any
    bob: Any
    erin: Any
    carol: Any
    mallory: Any

    def account(self, **facts):
        """A new player with an account."""
        given = {
            "full_name": "Işıl Yıldırım",
            "birth_date": date(1991, 3, 14),
            "nationality": "TR",
            "national_id": None,
            "address": "",
        }
        customer = register_customer(licensee=self.licensee, by=self.alice, **given | facts)
        return open_account(
            customer=customer,
            brand=self.brand,
            reference=f"P-{secrets.token_hex(5)}",
            email="isil@example.com",
            phone="+905321234567",
            language="tr",
            time_zone="Europe/Istanbul",
            by=self.alice,
        )

    def verification(self, level="L1", **facts):
        return verification.open(self.account(**facts), level=level, by=self.alice)


def a_world():
    """A licensee that no other test meets: on the database where one lies ready that one, else a fresh one."""
    return _laid_ready() or _made()


def lay_ready():
    """Commit a world that every test on this database finds untouched, because the one before was rolled back."""
    with QUICK:
        world = _made()
    READY.update({one.name: getattr(world, one.name).pk for one in fields(World)})


def _laid_ready():
    """The world that lies ready; None where it is not, where this test has it already, and on another day."""
    elsewhere = database.in_use() != "world" or not connection.in_atomic_block
    if elsewhere or time_machine.escape_hatch.is_travelling():
        return None
    with connection.cursor() as cursor:  # the mark goes with the transaction, as what the test does to the world
        cursor.execute("SELECT current_setting('tests.world', true), set_config('tests.world', 'taken', true)")
        if cursor.fetchone()[0] == "taken":
            return None
    _laid.cache_clear()  # sets of rules that another test approved for this licensee, under the codes of today's
    users = User.objects.in_bulk([READY[name] for name in PEOPLE])
    brand = Brand.objects.select_related("licensee").get(pk=READY["brand"])
    team = Team.objects.get(pk=READY["team"])
    return World(brand.licensee, brand, team, **{name: users[READY[name]] for name in PEOPLE})


def _made():
    tag = secrets.token_hex(4)
    with context.use(context.new("test")):
        licensee, brand, team = _house(tag, "TR")
        other, _brand, others = _house(f"{tag}-other", "GB")
        people = {
            name: _person(name, role, tag, group)
            for name, role, group in [
                ("alice", "agent", team),
                ("bob", "officer", team),
                ("erin", "officer", team),
                ("carol", "auditor", team),
                ("mallory", "officer", others),
            ]
        }
    return World(licensee, brand, team, **people)


def a_test_licensee():
    """A fresh licensee of invented players, with one brand, where nobody has to be verified before play."""
    slug = f"l-{secrets.token_hex(4)}"
    with context.use(context.new("test")):
        facts = {"name": slug, "slug": slug, "jurisdiction": "TR", "time_zone": "UTC"}
        licensee = create_licensee(**facts, is_test=True, by=system())
        create_brand(licensee=licensee, name=slug, slug="brand", by=system())
    return licensee


def _house(tag, jurisdiction, **more):
    facts = {"name": f"Licensee {tag}", "slug": f"l-{tag}", "jurisdiction": jurisdiction, **more}
    licensee = create_licensee(time_zone="Europe/Istanbul", by=system(), **facts)
    brand = create_brand(licensee=licensee, name=f"Brand {tag}", slug="brand", by=system())
    team = create_team(name=f"Team {tag}", slug=f"t-{tag}", by=system())
    open_queue(team, licensee, "verification", by=system())
    return licensee, brand, team


def _person(name, role, tag, team):
    user = create_user(email=f"{name}-{tag}@example.com", name=name.title(), password=PASSWORD, by=system())
    join(user, team, role, by=system())
    return user


def an_administrator(world):
    """Dave, who looks after people and the platform, and decides on no player."""
    with context.use(context.new("test")):
        return _person("dave", "admin", secrets.token_hex(4), world.team)
