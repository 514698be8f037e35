"""The day of deadlines and periods is the licensee's, and it is computed in one place."""

import re

from compliance.embedded.environment import ROOT

PACKAGES = ("audit", "cases", "compliance", "documents")
BY_HAND = re.compile(r"licensee\w*\.time_zone\)|localdate\(timezone=")


def test_nobody_computes_the_licensees_day_by_hand():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if BY_HAND.search(line)
    ]
    assert found == [], "ask the licensee: today(), day_of(moment), day_starts(day)"


def test_it_would_be_noticed():
    assert BY_HAND.search("today = timezone.localdate(moment, ZoneInfo(case.licensee.time_zone))")
    assert BY_HAND.search("timezone.localdate(timezone=zone)")
