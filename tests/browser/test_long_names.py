"""The queue in the narrowest window, with names and numbers as long as they may be and nowhere to break."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit import context
from cases.models import Case, SavedView
from cases.presence import services as presence
from cases.tags.models import Tag, Tagging
from compliance.people.models import Account, Customer, Licensee, Team, User
from tests.browser.looking import no_sideways_scroll, serve
from tests.world import a_world

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
LONG = "W" * 60  # the widest letter


@pytest.fixture
def queue(client):
    """The queue with three filters, one row, and all that somebody named as long as it may be."""
    with context.use(context.new("test")):
        world = a_world()
        case = world.verification("L1")
        presence.look(case, by=world.bob)
    for rows in (User.objects.filter(pk__in=[world.alice.pk, world.bob.pk]), Licensee.objects, Team.objects):
        rows.update(name=LONG)
    Customer.objects.update(full_name=LONG)
    Account.objects.filter(pk=case.account_id).update(reference=LONG)
    long_ago = timezone.now() - timedelta(days=40_000)
    Case.objects.filter(pk=case.pk).update(assignee=world.bob, priority=3, due_at=long_ago, opened_at=long_ago)
    tag = Tag.objects.create(licensee=world.licensee, name=LONG[:30])
    Tagging.objects.create(case=case, tag=tag, tagged_by=world.alice)
    SavedView.objects.create(owner=world.alice, name=LONG[:40], query="?view=free")
    client.force_login(world.alice)
    filters = {"view": "all", "by": str(world.bob.pk), "tag": str(tag.pk), "licensee": str(world.licensee.pk)}
    return client.get(reverse("cases:queue"), filters).content.decode()


def test_nothing_that_somebody_named_makes_it_scroll_sideways(queue, new_context):
    page = new_context().new_page()
    page.set_viewport_size({"width": 320, "height": 640})
    counted = re.sub(r'(<a href="\?view=[^"]*"[^>]*>[^<]*<span>)\d+', r"\g<1>1 234 567", queue)
    page.goto(serve(page, counted))
    page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
    no_sideways_scroll(page)
    page.locator("tbody input").check()
    no_sideways_scroll(page)
    assert page.locator("tbody .chip").bounding_box()["width"] > 200  # a tag has the room there is
