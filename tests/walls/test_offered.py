"""No page offers what is refused: each link and form of every page that somebody is shown, followed as that person.

In a world with one object of each kind; as who changes nothing, and as who works and decides nothing, on both sides.
"""

from html.parser import HTMLParser

import pytest
from django.urls import resolve

from tests import once
from tests.walls import answers, matrix, seeded
from tests.walls.matrix import PEOPLE
from tests.whole import by_hand
from tests.world import a_world

REFUSED = (403, 404, 405)
NEEDS_WORDS = {"/audit/main/continues/"}  # forms that are not there without what is typed into them


class Offers(HTMLParser):
    """(method, address) of everything on a page that can be followed or sent."""

    def __init__(self, page):
        super().__init__()
        self.found, self.here = set(), ("", "")
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        one = {name: value or "" for name, value in attrs}
        if tag == "form" and "action" in one:
            self._note(one.get("method", "get").upper(), one["action"])
        if tag == "a":
            self._note("GET", one.get("href", ""))
        for name, method in (("hx-get", "GET"), ("hx-post", "POST"), ("formaction", "POST")):
            self._note(method, one.get(name, ""))

    def _note(self, method, address):
        if address.startswith("/") and not address.startswith(("/static/", "/accounts/", "//")):
            self.found.add((method, address.partition("#")[0]))


@pytest.fixture(scope="module")
def asks(django_db_setup, django_db_blocker, tmp_path_factory):
    with once.for_the_module(django_db_blocker):
        world = a_world()
        walls = matrix.Walls(world)
        people = {role: walls.requests[role][0] for role in PEOPLE}
        known = seeded.seeded(world, people, tmp_path_factory.mktemp("mail") / "box")
        yield answers.Answers(walls, known, {})


@by_hand
@pytest.mark.slow
@pytest.mark.parametrize("who", ["auditor", "agent", "analyst"])
def test_no_page_offers_what_is_refused(asks, who):
    """Of several addresses of one view the first is followed."""
    offered, pages = {}, 0
    for route in answers.asked():
        shown = None if route.operations else asks.ask(asks.path_of(route), who)
        if shown is not None and shown.status_code == 200 and "html" in shown.headers["Content-Type"]:
            pages += 1
            for method, address in sorted(Offers(shown.content.decode()).found):
                path = address.partition("?")[0]
                offered.setdefault((method, resolve(path).view_name), (address, route.name, path))
    refused = {}
    with once.undrawn():
        for (method, _view), (address, page, path) in offered.items():
            status = asks.ask(address, who, method).status_code
            if status in REFUSED and path not in NEEDS_WORDS:
                refused[method, address] = (page, status)
    assert refused == {}
    assert pages > 20 and len(offered) > 20, (pages, len(offered))
