"""The page of a request about play in each state, as each person sees it: one thing to do next, or none."""

import re

import pytest
from django.urls import reverse

from cases.types.gaming import orders, services
from cases.types.gaming.models import GamingRequest, StopOrder
from tests.gaming.kept_out import a_player
from tests.gaming.test_requests import kept_out


def opened(house):
    return kept_out(house, a_player(house, "Ada Su"))[1]


def in_review(house):
    return services.review(opened(house), by=house.grace)


def settled(house):
    case = in_review(house)
    services.write_interaction(
        case, by=house.grace, signs=["losses"], advice=["help_line"], outcome="accepted", note="x"
    )
    for order in StopOrder.objects.all():
        orders.confirm(order, order.left, by=house.key)
    return services.settle(GamingRequest.objects.get(pk=case.pk), by=house.grace)


# What the one primary button says: to an agent, to who looks after players, to an auditor.
PRIMARY = {
    opened: ("Look after it", "Look after it", None),
    in_review: (None, "Note an interaction", None),
    settled: (None, None, None),
}


@pytest.mark.parametrize("make", PRIMARY, ids=lambda make: make.__name__)
def test_one_primary_button_that_fits_state_and_person(make, house, client):
    case = make(house)
    for user, label in zip((house.alice, house.grace, house.carol), PRIMARY[make], strict=True):
        client.force_login(user)
        answer = client.get(reverse("cases:case", args=[case.number]))
        assert answer.status_code == 200
        buttons = re.findall(r'class="btn primary"[^>]*>(.*?)</(?:a|button)>', answer.content.decode(), re.S)
        said = [re.sub(r"<svg.*?</svg>|<kbd.*?</kbd>|\s+", " ", button, flags=re.S).strip() for button in buttons]
        assert said == ([label] if label else []), (make.__name__, user)


def test_whether_an_earlier_one_helped_is_kept_and_shown(house, client):
    case = in_review(house)
    client.force_login(house.grace)
    page = reverse("cases:gaming-interaction", args=[case.number])
    noted = {"signs": ["losses"], "advice": ["limits"], "outcome": "accepted"}
    for helped in ("", "no", "yes"):
        assert client.post(page, noted | {"helped": helped}).status_code == 302
    kept = list(case.interactions.order_by("written_at", "pk").values_list("helped", flat=True))
    assert kept == [None, False, True]
    shown = client.get(page).content.decode()
    assert (shown.count("An earlier one helped"), shown.count("An earlier one did not help")) == (1, 1)
