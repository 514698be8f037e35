"""An invented operator's platform: players who register, deposit and play as far as the gate lets them.

    python -m mizan_client.simulator --url http://127.0.0.1:8000 --key-file key.json --brand lale

Read it as the example of a platform that is connected: it asks the gate before each act and keeps no answer, ends a
session when a webhook or the gate says so, takes each webhook once and only a genuine one, and reads the events of the
time in which it heard nothing. Money is in minor units and nobody's; each movement of it is reported.
"""

import argparse
import contextlib
import json
import queue
import random
import secrets
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mizan_client import Mizan, NotGenuine, Problem, verify
from mizan_client.cashier import Cashier, Movement

GATE_CHANGED, STOP, LEVEL = "account.gate.changed", "account.stop", "customer.level.changed"
TO_BRING = frozenset({"missing", "returned", "expired"})  # what a player has to hand in, by the status of an item
LARGEST_WEBHOOK = 64 * 1024  # bytes; they are smaller than 20 kB
FIRST_NAMES = ("Ada", "Bora", "Cem", "Derya", "Ege", "Filiz", "Gizem", "Hakan", "Irmak", "Kaan")

Say = Callable[[str], None]


@dataclass
class Player:
    """One account. `playing`: a session runs; it ends when the player leaves, or at a stop. `to_bring` is what the site
    asks the player for, by case.
    """

    reference: str
    customer: str = ""
    level: str = ""
    to_bring: dict[str, list[str]] = field(default_factory=dict)
    balance: int = 0
    playing: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


class Platform:
    """What the operator's own server would do. All of it may be called from several threads."""

    def __init__(
        self, mizan: Mizan, *, brand: str, secret: str = "", currency: str = "EUR", say: Say = lambda line: None
    ) -> None:
        self._mizan, self._brand, self._secret, self._say = mizan, brand, secret, say
        self.players: dict[str, Player] = {}
        self.counted: Counter[str] = Counter()
        self._cashier = Cashier(mizan, currency, self._count)
        self.problems: Counter[str] = Counter()
        self.gate_seconds: list[float] = []
        self.stop_seconds: list[float] = []
        self._seen: dict[str, float] = {}  # ids of webhooks, kept for a week
        self._last = ""  # the newest event that was read
        self._told: queue.Queue[Mapping[str, Any]] = queue.Queue()
        self._lock = threading.Lock()
        threading.Thread(target=self._work_off, daemon=True).start()

    # ---------------------------------------------------------------------------------------------- players
    def open(self, reference: str) -> Player:
        """Register a player and open an account. The same reference again does it once: the keys are made of it."""
        number = int.from_bytes(reference.encode()[-3:], "big")
        customer = self._mizan.register_customer(
            full_name=f"{FIRST_NAMES[number % len(FIRST_NAMES)]} Örnek",
            birth_date=f"{1960 + number % 40}-01-{1 + number % 28:02d}",
            nationality="TR",
            idempotency_key=f"customer-{reference}",
        )
        self._mizan.open_account(
            customer=customer, brand=self._brand, reference=reference, idempotency_key=f"account-{reference}"
        )
        player = Player(reference, customer)
        with self._lock:
            self.players[reference] = player
        self._count("accounts")
        self._say(f"{reference} opens an account")
        return player

    def visit(self, player: Player, chance: random.Random) -> None:
        """One act of the player's: signs in, or with a session that runs deposits, plays, withdraws or leaves."""
        if not player.playing:
            if self.may(player, "sign_in"):
                player.playing = True
                self._say(f"{player.reference} signs in")
            return
        act = chance.choices(["deposit", "play", "withdraw", "leave"], weights=[4, 5, 1, 1])[0]
        amount = chance.randrange(1_000, 20_000)
        if act == "leave":
            player.playing = False
        elif (act == "deposit" or player.balance >= amount) and self.may(player, act):
            self._pay(player, Movement(player.reference, act, amount))

    def _pay(self, player: Player, movement: Movement) -> None:
        deposits, amount = movement.act == "deposit", movement.amount
        if deposits and not self._cashier.has_room(movement):
            self._say(f"{player.reference} may not deposit {amount / 100:.2f}: a limit")
            return
        with player.lock:
            player.balance += amount if deposits else -amount
        self._cashier.tell(movement)
        self._say(f"{player.reference} {movement.act}s {amount / 100:.2f}")

    def may(self, player: Player, effect: str) -> bool:
        """Ask the gate, do what it says about a running session, and say whether this is allowed."""
        gate = self._gate(player.reference)
        if gate["stop"]:
            self._stop(player, gate["play"]["code"])
        allowed = bool(gate[effect]["allowed"])
        self._count(f"{effect}.{'allowed' if allowed else 'refused'}")
        return allowed

    def _gate(self, reference: str) -> Mapping[str, Any]:
        began = time.monotonic()
        try:
            gate: Mapping[str, Any] = self._mizan.gate(reference)
        except Problem as problem:  # an account that is not known there: nothing is allowed
            self.problems[problem.code] += 1
            gate = {"stop": True, **dict.fromkeys(("sign_in", "deposit", "play", "withdraw", "marketing"), _CLOSED)}
        else:
            if gate["stop"] and gate["play"]["code"] is None and not gate["withdraw"]["allowed"]:
                self._count("unanswered")  # the client's own answer when there was none
        with self._lock:
            self.gate_seconds.append(time.monotonic() - began)
        return gate

    def _stop(self, player: Player, code: str | None, *, since: float | None = None) -> None:
        if not player.playing:
            return
        player.playing = False
        self._count("stopped")
        after = ""
        if since is not None:
            with self._lock:
                self.stop_seconds.append(time.time() - since)
            after = f", {time.time() - since:.1f} s after the event"
        self._say(f"{player.reference} STOP ({code or 'no answer'}): the session ended{after}")

    # ---------------------------------------------------------------------------------------------- events
    def hear(self, headers: Mapping[str, str], body: bytes) -> int:
        """A webhook came: the status to answer with. The work follows later, so that the answer is quick."""
        try:
            event = verify(self._secret, headers, body)
        except NotGenuine as refused:
            self._count("forged")
            self._say(f"a webhook was refused: {refused}")
            return 400
        if not self._is_new(event["id"]):
            self._count("repeats")
            return 204
        self._count("heard")
        self._told.put(event)
        return 204

    def catch_up(self, *, act: bool = True) -> int:
        """Read what happened since the last time, and do what no webhook told of. How many events that were."""
        missed = 0
        for event in self._mizan.events(after=self._last):
            self._last = event["id"]
            if act and self._is_new(event["id"]):
                missed += 1
                self._told.put(event)
        self._count("caught_up", missed)
        return missed

    def settle(self, within: float = 10.0) -> None:
        """Wait until what was told is done, and what could not be reported is."""
        ends = time.monotonic() + within
        while self._told.unfinished_tasks and time.monotonic() < ends:
            time.sleep(0.02)
        self._cashier.settle()

    def _is_new(self, event_id: str) -> bool:
        with self._lock:
            if event_id in self._seen:
                return False
            self._seen[event_id] = time.time()
            return True

    def _work_off(self) -> None:
        while True:
            event = self._told.get()
            try:
                self._obey(event)
            except (OSError, Problem) as error:
                self.problems[error.code if isinstance(error, Problem) else type(error).__name__] += 1
            finally:
                self._told.task_done()

    def _obey(self, event: Mapping[str, Any]) -> None:
        """Order is not promised: what is asked for now is true, whatever the event was. An event that it does not know,
        or of somebody else's player, it leaves alone.
        """
        about = event["data"]
        if event["type"] == LEVEL:
            self._learn_level(about["customer"])
        elif (player := self.players.get(about.get("account", ""))) is not None:
            if event["type"].startswith("case."):
                self._read_case(player, about["case"])
            elif event["type"] in (GATE_CHANGED, STOP):
                self._obey_gate(player, event)

    def _learn_level(self, customer: str) -> None:
        mine = [player for player in list(self.players.values()) if player.customer == customer]
        for player in mine:
            player.level = str(self._mizan.customer(customer)["level"])
            self._count("levels")
            self._say(f"{player.reference} is at level {player.level}")

    def _read_case(self, player: Player, number: str) -> None:
        """Show the player what the case asks for now; nothing once it is finished."""
        case = self._mizan.case(number)
        over = case["state"] == "finished"
        player.to_bring[number] = [] if over else [i["purpose"] for i in case["items"] if i["status"] in TO_BRING]
        self._count("cases_read")
        self._say(
            f"{player.reference} {number} {case['state']}: {', '.join(player.to_bring[number]) or 'nothing'} to bring"
        )

    def _obey_gate(self, player: Player, event: Mapping[str, Any]) -> None:
        """What the gate says now is true. An order to stop is confirmed once it is done."""
        gate = self._gate(player.reference)
        if gate["stop"] or event["type"] == STOP:
            self._stop(player, gate["play"]["code"], since=datetime.fromisoformat(event["timestamp"]).timestamp())
        if event["type"] == STOP:  # it has no bonuses, open bets or mail of its own: ended is ended
            self._mizan.confirm_stop(event["data"]["order"], event["data"]["ends"])
            self._count("confirmed")

    # ---------------------------------------------------------------------------------------------- what came of it
    def _count(self, name: str, number: int = 1) -> None:
        with self._lock:
            self.counted[name] += number

    def report(self, seconds: float) -> dict[str, Any]:
        """Counts by name, and how long things took; `ok` when the gate always answered and nothing went wrong."""
        calls = sorted(self.gate_seconds)
        return {
            "ok": not self.problems and not self.counted["unanswered"] and not self._cashier.untold,
            **dict(sorted(self.counted.items())),
            "balance": sum(player.balance for player in self.players.values()),
            "problems": dict(self.problems),
            "gate_calls": len(calls),
            "gate_calls_per_s": round(len(calls) / seconds, 1) if seconds else 0.0,
            "gate_median_ms": round(1000 * statistics.median(calls), 1) if calls else None,
            "gate_p99_ms": round(1000 * calls[int(len(calls) * 0.99)], 1) if calls else None,
            "slowest_stop_s": round(max(self.stop_seconds), 2) if self.stop_seconds else None,
        }


_CLOSED = {"allowed": False, "code": None, "until": None}


@contextlib.contextmanager
def receiver(platform: Platform, host: str, port: int) -> Iterator[str]:
    """Where the webhooks come in: its address."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdigit()) or int(length) > LARGEST_WEBHOOK:
                self.send_response(413)
            else:
                self.send_response(platform.hear(dict(self.headers), self.rfile.read(int(length))))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://{host}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def play(platform: Platform, *, seconds: float, rate: float, seed: str, threads: int = 4) -> float:
    """Have the players act, about `rate` times a second in all, until the time is over. The seconds it took."""
    players, began = list(platform.players.values()), time.monotonic()

    def keep_on(number: int) -> None:
        chance, mine = random.Random(f"{seed}/{number}"), players[number::threads]
        while mine and (left := seconds - (time.monotonic() - began)) > 0:
            platform.visit(chance.choice(mine), chance)
            time.sleep(max(0.0, min(left, chance.uniform(0.5, 1.5) * threads / rate)))

    running = [threading.Thread(target=keep_on, args=(number,), daemon=True) for number in range(threads)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    return time.monotonic() - began


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="what `platform issue-key --json` printed")
    parser.add_argument(
        "--endpoint-file", type=Path, metavar="FILE", help="what `platform add-endpoint --json` printed"
    )
    parser.add_argument("--listen", default="127.0.0.1:9100", metavar="HOST:PORT", help="where webhooks come in")
    parser.add_argument("--brand", metavar="SLUG", help="where accounts are opened (the licensee's first)")
    parser.add_argument("--currency", default="EUR", metavar="CODE", help="of every deposit (EUR)")
    parser.add_argument("--accounts", type=int, default=10, help="how many are opened (10)")
    parser.add_argument(
        "--ending",
        default="",
        metavar="TEXT",
        help="what the first reference ends in: special values of a test licensee",
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long players act (60)")
    parser.add_argument("--rate", type=float, default=5.0, help="acts a second, of all players (5)")
    parser.add_argument("--seed", default="", help="the same again does the same; references begin with it")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end, nothing else")


def secret_of(file: Path | None) -> str:
    """The secret in a file that a command wrote, or in one that holds nothing else."""
    if file is None:
        return ""
    text = file.read_text().strip()
    return str(json.loads(text)["secret"]) if text.startswith("{") else text


def simulate(options: Mapping[str, Any], *, url: str, key: str, secret: str, write: Say) -> dict[str, Any]:
    """Open the accounts, act for a while, read what no webhook told of: what came of it. Not with real players."""
    mizan = Mizan(url, key=key)
    who = mizan.ping()
    if not (who["test"] or options.get("real")):
        raise SystemExit(f"{who['key']} sees real players. Use a key of a test licensee (people add-licensee --test).")
    brand = options["brand"] or mizan.brands()[0]["slug"]
    seed = options["seed"] or secrets.token_hex(3)
    say: Say = (lambda line: None) if options["json"] else write
    platform = Platform(mizan, brand=brand, secret=secret, currency=options["currency"], say=say)
    platform.catch_up(act=False)  # what was before is over
    host, _colon, port = options["listen"].rpartition(":")
    with receiver(platform, host, int(port)) if secret else contextlib.nullcontext():
        for number in range(options["accounts"]):
            platform.open(f"{seed}-{number}{options['ending'] if number == 0 else ''}")
        took = play(platform, seconds=options["seconds"], rate=options["rate"], seed=seed)
        platform.catch_up()
        platform.settle()
    return platform.report(took)


def told(report: Mapping[str, Any], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(report)
    return "\n".join(f"{name}: {value}" for name, value in report.items())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m mizan_client.simulator", description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="of Mizan, such as http://127.0.0.1:8000")
    add_arguments(parser)
    options = vars(parser.parse_args(arguments))
    if options["key_file"] is None:
        parser.error("--key-file: name the file with the key")
    key, secret = secret_of(options["key_file"]), secret_of(options["endpoint_file"])
    report = simulate(options, url=options["url"], key=key, secret=secret, write=print)
    print(told(report, as_json=options["json"]))
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
