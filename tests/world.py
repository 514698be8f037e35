"""A licensee with people in it, made through the product's own acts: what most tests start from."""

import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any

from audit import context
from audit.actors import system
from cases.queues import open_queue
from cases.types.verification import services as verification
from compliance.people.services import (
    create_brand,
    create_licensee,
    create_team,
    create_user,
    join,
    open_account,
    register_customer,
)

PASSWORD = "correct horse battery staple"


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
    """A fresh licensee, so that tests on a shared database do not meet."""
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
