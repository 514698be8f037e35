from datetime import date

import pytest

from audit import context
from cases import services as engine
from cases.types.verification import services
from compliance.policy import country_ways
from compliance.policy.book import Book
from tests.papers import bring
from tests.world import a_world


@pytest.fixture
def in_context():
    with context.use(context.new("test")) as here:
        yield here


@pytest.fixture
def world(db, in_context):
    return a_world()


@pytest.fixture
def rules_of_the_24th(monkeypatch):
    """What begins on 2026-11-24 holds already: enhanced due diligence, checks in place of documents, countries."""
    in_force, first = Book.in_force, date(2026, 11, 24)
    monkeypatch.setattr(Book, "in_force", lambda book, place, *, on: in_force(book, place, on=max(on, first)))
    ways_on = country_ways.version_on
    monkeypatch.setattr(country_ways, "version_on", lambda day: ways_on(max(day, first)))


@pytest.fixture
def case(world):
    return world.verification("L1")


@pytest.fixture
def complete(case, world):
    """In review, everything accepted."""
    return completed(case, by=world.alice)


def completed(case, *, by):
    for purpose in ("identity_front", "identity_back"):
        bring(case, purpose, "national_id", by=by, inspected=False)
    case = services.review(case, by=by)
    for evidence in case.evidence.all():
        engine.accept(evidence, by=by)
    return case


@pytest.fixture
def waiting(case, world):
    return asked(case, by=world.alice)


def asked(case, *, by):
    """The player has to bring a better front."""
    bring(case, "identity_front", "national_id", by=by, inspected=False)
    case = services.review(case, by=by)
    engine.ask_again(case.evidence.get(), by=by, reasons=["image_glare"])
    return services.ask(case, by=by)
