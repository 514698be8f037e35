"""Two people of the AML side beside the usual house: Judy, the reporting officer, and Ken, an analyst."""

import secrets
import uuid
from datetime import date

import pytest

from audit import context
from audit.actors import system
from cases.types.monitoring import services
from compliance.people.models import User
from compliance.people.services import create_user, join
from compliance.people.suspicions import services as suspicions
from tests.world import PASSWORD, a_world

WORDS = "Üç hesaptan para geliyor ve hemen çıkıyor, hiç oynamıyor."


@pytest.fixture
def in_context():
    with context.use(context.new("test")) as here:
        yield here


@pytest.fixture
def world(db, in_context):
    return a_world()


def of_the_aml_side(world, name, role):
    user = create_user(
        email=f"{name}-{secrets.token_hex(4)}@example.com", name=name.title(), password=PASSWORD, by=system()
    )
    join(user, world.team, role, by=system())
    return User.objects.get(pk=user.pk)


@pytest.fixture
def judy(world):
    return of_the_aml_side(world, "judy", "mlro")


@pytest.fixture
def lara(world):
    return of_the_aml_side(world, "lara", "deputy_mlro")


@pytest.fixture
def ken(world):
    return of_the_aml_side(world, "ken", "analyst")


def suspicion(world, customer=None, noticed_on=date(2026, 2, 3), by=None):
    return suspicions.file(
        by=by or world.alice, about="x", text=WORDS, noticed_on=noticed_on, token=uuid.uuid4(), customer=customer
    )


def an_investigation(world, by, account=None):
    """Of a player about whom a suspicion was filed."""
    account = account or world.account()
    return services.look_into("suspicion", suspicion(world, account.customer).pk, by=by)


def the_aml_side(world):
    """Judy, her deputy Lara, and Ken."""
    named = (("judy", "mlro"), ("lara", "deputy_mlro"), ("ken", "analyst"))
    return [of_the_aml_side(world, name, role) for name, role in named]


@pytest.fixture
def aml(ken, judy):
    """An analyst and the reporting officer, who may both write rules."""
    return ken, judy
