"""Error pages: they need nothing, tell nothing, and fit where they arrive."""

import pytest
from django.http import Http404
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.views.defaults import page_not_found, server_error

PAGES = [
    "400.html",
    "403.html",
    "403_csrf.html",
    "404.html",
    "409.html",
    "422.html",
    "429.html",
    "500.html",
    "503.html",
]


@pytest.mark.parametrize("page", PAGES)
def test_an_error_page_needs_no_context(page):
    html = render_to_string(page)
    assert html.count("<h1") == 1
    assert "None" not in html and "<script src" not in html.partition("<body")[2]


def test_the_page_of_a_broken_server_asks_nobody_who_is_there(rf):
    """Without request context: no person, no rail, no database."""
    html = server_error(rf.get("/cases/")).content.decode()
    assert "Something failed on our side" in html
    assert "rail" not in html


@pytest.mark.parametrize("page", ["403.html", "404.html", "409.html", "422.html"])
def test_a_fragment_receives_a_fragment(rf, page):
    """A whole page inside a table would be worse than the error."""
    request = rf.get("/cases/")
    request.htmx = True
    html = render_to_string(page, {"request": request})
    assert "<html" not in html and "<h1" in html


def test_what_is_not_there_and_what_may_not_be_seen_answer_alike(rf, db):
    """The page shows nothing of the exception, which may know the difference."""
    there = page_not_found(rf.get("/cases/A/"), Http404("restricted: KYC-26-000001-9"))
    absent = page_not_found(rf.get("/cases/B/"), Http404("no such case"))
    assert there.content == absent.content
    assert b"restricted" not in there.content


def test_a_conflict_shows_both_texts():
    html = render_to_string("409.html", {"mine": "my note", "theirs": "<their note>", "changes": ["A file was added"]})
    assert all(
        text in html for text in ("my note", "&lt;their note&gt;", "A file was added", "nothing was overwritten")
    )


def test_what_is_missing_is_listed():
    assert "Not accepted yet: address" in render_to_string("422.html", {"reasons": ["Not accepted yet: address"]})


@pytest.mark.parametrize(
    ("referrer", "leads"),
    [
        ("http://testserver/cases/KYC-26-000001-9/", "http://testserver/cases/KYC-26-000001-9/"),
        ("https://elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_the_way_back_leads_to_a_page_of_ours(rf, settings, referrer, leads):
    settings.ALLOWED_HOSTS = ["testserver"]
    request = rf.post("/cases/KYC-26-000001-9/notes/", headers={"referer": referrer})
    request.htmx = False
    assert (
        f'href="{leads}"' in render_to_string("422.html", {"reasons": ["x"], "request": request}).partition("<main")[2]
    )


@pytest.fixture
def rf():
    return RequestFactory()
