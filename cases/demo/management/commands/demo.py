"""`manage.py demo seed | show | trial`: demo data for a first look. For a real operator's size: `cases generate`."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import context
from cases.demo.seed import SignIn, open_trial, seed, sign_ins
from compliance.people.models import Licensee


class Command(BaseCommand):
    help = (
        "Demo data. `seed` fills an empty installation once, `show` prints its sign-ins, `trial` adds the test licensee"
        " of `dev.py run --simulate`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["seed", "show", "trial"])

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        if settings.IN_PRODUCTION:
            raise CommandError("Demo data is refused in production (MIZAN_ENV=production).", returncode=2)
        if verb == "trial":
            self._trial()
            return
        if verb == "seed" and not self._is_done():
            self._seed()
        for each in self._kept():
            self.stdout.write(f"{each.role:12}{each.email:24}{each.password}")

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

    def _trial(self) -> None:
        """Print where the simulator acts and who owns its key."""
        if not self._is_done():
            raise CommandError("The test licensee stands beside the demo, which is not here.", returncode=2)
        with context.use(context.new("command")):
            licensee = open_trial()
        owner = next(each.email for each in self._kept() if each.role == "admin")
        self.stdout.write(f"{licensee.slug} {owner}")

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
