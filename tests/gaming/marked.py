"""What markers of harm look at, brought about for tests: money that moved, sessions, notes; and what was made of it."""

import secrets
from datetime import timedelta

from django.utils import timezone

from audit.actors import system
from cases.patterns import feeds
from cases.types.gaming import services as gaming
from cases.types.gaming.limits import ledger
from cases.types.gaming.markers import services
from cases.types.gaming.markers.book import book_of
from cases.types.gaming.markers.reckoning import reckon
from cases.types.gaming.markers.signs import signs_of
from cases.types.monitoring.rules import counting
from cases.types.monitoring.transactions.reading import Row
from cases.types.monitoring.transactions.services import accept

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATELY = timezone.now() - timedelta(minutes=2)  # nothing lies in the future
NIGHT = (LATELY - LATELY.replace(hour=1, minute=0)) % DAY  # so long ago it was one o'clock
SOON = timedelta(minutes=5)


def moved(account, *given, count=True):
    """Transactions of a player: (kind, amount, before now) each, counted by the worker."""
    rows = []
    for kind, amount, ago, *more in given:
        name = f"t-{secrets.token_hex(6)}"
        rows.append(Row(name, account.reference, kind, amount, "EUR", LATELY - ago, **dict(*more)))
    accept(account.licensee, rows, by=system())
    if count:
        counting.count_waiting()


def recounted(account):
    score = services.recount(account.customer_id)
    services.act_waiting()
    return score


def met(account):
    """Codes of the markers that hold."""
    customer = account.customer
    book = book_of(customer.licensee)
    found = reckon(customer, book, feeds.counted(customer), signs_of(customer, now=timezone.now()))
    return set(found.met)


def events(house, account, *given):
    rows = [ledger.Reported(f"e-{secrets.token_hex(6)}", kind, amount, LATELY - ago) for kind, amount, ago in given]
    ledger.take(account, "EUR", rows, by=house.key)


def noted(house, account, *signs):
    _exclusion, case = gaming.keep_out(account, kind="time_out", period=first_time_out(account), by=house.key)
    gaming.write_interaction(case, by=house.grace, signs=signs, advice=["help_line"], outcome="thinking")
    return case


def first_time_out(account):
    return gaming.policy_of(account.licensee, on=account.licensee.today()).exclusions.time_outs.value[0]


def many(n, kind="deposit", amount=100, ago=HOUR, **more):
    return [(kind, amount, ago, more)] * n
