"""How fast the platform learns how much a player may deposit, beside a no-op endpoint in the same run; and how soon
after a request to be kept out every worker's gate refuses.
"""

import http.client
import json
import statistics
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from itertools import count

from django.db import connection, transaction

from audit import context
from audit.actors import system
from bench import Row, _web
from bench import gate as web
from cases.queues import open_queue
from cases.types.gaming.limits.models import Ledger, LimitChange, MoneyEvent
from compliance.people.models import Account, Customer, Team
from compliance.platform.models import ApiKey

ACCOUNTS, EVENTS, CALLERS = 20_000, 30, 16
DATA = {
    "accounts": f"{ACCOUNTS} (--quick: 2000), each with three deposit limits and {EVENTS} events of the last 30 days",
    "server": f"gunicorn gthread, {web.WORKERS} workers of {web.THREADS} threads, one machine with client and database",
    "load": "as the gate's: closed loop beside /ping in slices of one run, p99 open loop at half the measured rate",
    "effect": "from the sending of a self-exclusion over the API to the last answer of the gate without it, asked on "
    f"{CALLERS} connections in turn; the worst of 20 players (--quick: 5)",
}


def rows(quick: bool) -> list[Row]:
    slices, seconds = (7, 0.5) if quick else (21, 1.5)
    with context.use(context.new("command")):
        token, references = web._house(2_000 if quick else ACCOUNTS)
        _limits(references)
    headers = {"Authorization": f"Bearer {token}"}
    paths = [f"/api/v1/accounts/{reference}/limit-checks" for reference in references[:997]]
    changes = 5 if quick else 20
    with _web.server(web.WORKERS) as (port, _pid):
        web._hammer(port, headers, paths, 2.0, _Caller)  # the workers load the product
        ratios, rates = [], []
        for _ in range(slices):
            noop = web._hammer(port, headers, ["/api/v1/ping"], seconds)
            rates.append(web._hammer(port, headers, paths, seconds, _Caller))
            ratios.append(rates[-1] / noop)
        rate = statistics.median(rates)
        late = web._open_load(port, headers, paths, rate / 2, 5.0 if quick else 20.0, _Caller)
        with context.use(context.new("command")):
            excluded = _players_of_their_own(references[-changes:])
        effect = max(_effect(port, headers, reference) for reference in excluded)
    DATA["measured"] = f"{rate:.0f} limit checks/s"
    return [
        Row("gaming.check_rate", statistics.median(ratios), ">=", 0.4, slices, "ratio"),
        Row("gaming.check_p99_ms", statistics.quantiles(late, n=100)[98] * 1000, "<=", 50, len(late), "ms"),
        Row("gaming.effect_s", effect, "<=", 1, changes, "s"),
    ]


class _Caller(web._Caller):
    """Posts a check where the gate's caller gets."""

    BODY = json.dumps({"act": "deposit", "currency": "EUR", "amount": 1_000})

    def get(self, path):
        if not path.endswith("/limit-checks"):
            return super().get(path)
        headers = self._headers | {"Content-Type": "application/json"}
        kept: http.client.HTTPConnection = self._connection
        kept.request("POST", path, body=self.BODY, headers=headers)
        answer = kept.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {body[:200]!r}")
        return body


def _players_of_their_own(references: list[str]) -> list[str]:
    """Names that nobody else has: else an exclusion would stop everybody who resembles the player, who are all alike.
    And a queue, so that a request opens its case.
    """
    with transaction.atomic():
        for place, one in enumerate(Account.objects.filter(reference__in=references).order_by("reference")):
            own = {"full_name": f"Bench {place}", "name_fold": f"bench {place}"}
            Customer.objects.filter(pk=one.customer_id).update(**own)
        licensee = Account.objects.select_related("licensee").get(reference=references[0]).licensee
        open_queue(Team.objects.get(slug="bench"), licensee, "gaming", by=system())
    return references


def _effect(port: int, headers: dict[str, str], reference: str) -> float:
    """Seconds from the sending of the request to when the last answer without the exclusion was asked for."""
    path = f"/api/v1/accounts/{reference}"
    callers = [web._Caller(port, headers) for _ in range(CALLERS)]
    for caller in callers:  # each has its connection before the request
        caller.get(f"{path}/gate")
    sending = threading.Thread(target=_keep_out, args=(port, headers, f"{path}/exclusions"))
    began = last = time.perf_counter()
    sending.start()
    alike = 0  # answers with the exclusion, one after the other: enough when every connection gave three
    while alike < 3 * CALLERS:
        for caller in callers:
            asked = time.perf_counter()
            stopped = b'"self_excluded"' in caller.get(f"{path}/gate")
            alike, last = (alike + 1, last) if stopped else (0, asked)
        if time.perf_counter() - began > 60:
            raise RuntimeError(f"{reference}: the gate never refused")
    sending.join()
    return last - began


def _keep_out(port: int, headers: dict[str, str], path: str) -> None:
    body = json.dumps({"kind": "self_exclusion", "period": {"amount": 6, "unit": "month"}})
    own = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    once = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    once.request("POST", path, body=body, headers=headers | own)
    answer = once.getresponse()
    said = answer.read()
    if answer.status != 201:
        raise RuntimeError(f"{path} answered {answer.status}: {said[:200]!r}")


def _limits(references: list[str]) -> None:
    """Limits and events written in bulk: the bench checks, it does not ask."""
    now = datetime.now(UTC)
    numbers = count()
    with transaction.atomic():
        ApiKey.objects.filter(name="bench").update(scopes=["ping", "limits:check", "gate:read", "exclusions:write"])
        accounts = list(Account.objects.filter(reference__in=references))
        Ledger.objects.bulk_create([Ledger(account=one, currency="EUR") for one in accounts], batch_size=5_000)
        limits = [
            LimitChange(account=one, measure="deposit", span=span, amount=amount, **_terms(now))
            for one in accounts
            for span, amount in (("day", 50_000), ("week", 100_000), ("month", 200_000))
        ]
        LimitChange.objects.bulk_create(limits, batch_size=5_000)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE limits_limitchange SET state = 'effective', effective_at = requested_at")
        MoneyEvent.objects.bulk_create(
            (
                MoneyEvent(
                    account=one,
                    kind=("deposit", "bet", "win")[place % 3],
                    amount=100 + place,
                    happened_at=now - timedelta(days=place),
                    source_id=f"B-{next(numbers)}",
                )
                for one in accounts
                for place in range(EVENTS)
            ),
            batch_size=10_000,
        )


def _terms(now: datetime) -> dict[str, object]:
    return {
        "window": "calendar",
        "basis": "gross",
        "currency": "EUR",
        "zone": "UTC",
        "anchor_at": now,
        "raises": False,
        "requested_at": now,
        "policy_version": "bench",
    }
