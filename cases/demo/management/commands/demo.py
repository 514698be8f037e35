"""`manage.py demo seed | show | crowd`: demo data for a first look, and for the size of a real operator."""

import json
import os
import secrets
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import context
from audit.actors import system
from cases.demo.crowd import generate
from cases.demo.seed import LICENSEE, TEAM, SignIn, seed, sign_ins
from cases.models import Queue
from compliance.people.models import Brand, Licensee


class Command(BaseCommand):
    help = (
        "Demo data. `seed` fills an empty installation once, `show` prints its sign-ins, `crowd` adds invented players"
        " and cases in bulk."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["seed", "show", "crowd"])
        parser.add_argument("--customers", type=int, default=10_000, help="crowd: how many players (default 10,000)")
        parser.add_argument("--cases", type=int, default=2_000, help="crowd: how many open cases (default 2,000)")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        if settings.IN_PRODUCTION:
            raise CommandError("Demo data is refused in production (MIZAN_ENV=production).", returncode=2)
        if verb == "crowd":
            return self._crowd(options["customers"], options["cases"])
        if verb == "seed" and not self._is_done():
            self._seed()
        for each in self._kept():
            self.stdout.write(f"{each.role:10}{each.email:24}{each.password}")

    def _seed(self) -> None:
        """Once; a run that was cut off goes on with the same passwords."""
        if not self._file.exists():
            if Licensee.objects.exists():
                raise CommandError(
                    "This installation has data already. Demo data goes into an empty one.", returncode=2
                )
            self._keep(sign_ins(), done=False)
        with context.use(context.new("command")):
            seed(self._kept())
        self._keep(self._kept(), done=True)

    def _crowd(self, customers: int, cases: int) -> None:
        queue = Queue.objects.filter(team__slug=TEAM, licensee__slug=LICENSEE).first()
        if queue is None:
            raise CommandError("There is no demo queue. Run `manage.py demo seed` first.", returncode=2)
        if not 0 <= cases <= customers:
            raise CommandError("--cases: at most as many as --customers; a player has one at a time.", returncode=2)
        began = time.monotonic()

        def say(what: str, so_far: int) -> None:
            rate = so_far / max(time.monotonic() - began, 0.001)
            self.stderr.write(f"{what}: {so_far:,} ({rate:,.0f}/s)")

        brand = Brand.objects.get(licensee=queue.licensee)
        with context.use(context.new("command")):
            generate(queue, brand, customers=customers, cases=cases, by=system(), seed=secrets.token_hex(3), say=say)
        self.stdout.write(f"Added {customers:,} players and {cases:,} cases.")

    @property
    def _file(self) -> Path:
        return Path(settings.DATA_DIR) / "demo.json"

    def _is_done(self) -> bool:
        return self._file.exists() and json.loads(self._file.read_text())["done"]

    def _keep(self, given: list[SignIn], *, done: bool) -> None:
        """In the data folder, readable by its owner only: the passwords are random and belong to this folder."""
        part = self._file.with_suffix(".part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump({"done": done, "sign_ins": [asdict(each) for each in given]}, file)
        part.replace(self._file)

    def _kept(self) -> list[SignIn]:
        if not self._file.exists():
            return []
        return [SignIn(**each) for each in json.loads(self._file.read_text())["sign_ins"]]
