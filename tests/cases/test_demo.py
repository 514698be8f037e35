"""The demo: what a newcomer meets after the first start."""

import pytest

from audit import context
from cases.demo.seed import open_trial, seed, sign_ins
from cases.models import Case, Queue
from cases.types.monitoring.rules.models import Rule
from cases.types.monitoring.rules.shipped import SHIPPED
from compliance.people.models import User
from compliance.people.suspicions.models import SuspicionReport

pytestmark = pytest.mark.django_db


def test_every_side_of_the_house_has_something_to_look_at_and_twice_is_once():
    given = sign_ins()
    for _start in range(2):
        with context.use(context.new("test")):
            seed(given)
        people = set(User.objects.filter(email__in=[each.email for each in given]).values_list("email", flat=True))
        assert people == {each.email for each in given}
        assert set(Case.objects.values_list("state", flat=True)) == {"open", "in_review", "waiting", "closed"}
        assert set(Queue.objects.values_list("kind", flat=True)) == {"gaming", "verification"}
        assert Rule.objects.count() == len(SHIPPED)
        assert SuspicionReport.objects.count() == 1
    the_simulator_has_a_test_licensee_of_its_own_once(given)


def the_simulator_has_a_test_licensee_of_its_own_once(given):
    with context.use(context.new("test")):
        first, second = open_trial(), open_trial()
    assert first == second and first.is_test and first.brands.count() == 1
    officer = User.objects.get(email=next(each.email for each in given if each.role == "officer"))
    assert Queue.objects.filter(licensee=first, team__memberships__user=officer).exists()
