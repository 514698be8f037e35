"""A register for trials and tests: it answers from a file that anybody can edit.

`<data folder>/registers/<NAME>.json`: {"away": false, "listed": [{"full_name": "Ada Su", "birth_date": "1990-01-31"}]}.
Refused in production (settings).
"""

import json
from pathlib import Path

from django.conf import settings

from cases.types.gaming.registers.adapters import Answer, RegisterAway, Who
from compliance.people.queries import fold


class Simulator:
    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def file(self) -> Path:
        return Path(settings.DATA_DIR) / "registers" / f"{self.name}.json"

    def ask(self, who: Who) -> Answer:
        try:
            said = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            said = {}
        except (OSError, ValueError) as error:
            raise RegisterAway(f"{self.name}: {type(error).__name__}") from None
        if said.get("away"):
            raise RegisterAway(f"{self.name} is away, as its file says.")
        born = who.birth_date.isoformat() if who.birth_date else ""
        for one in said.get("listed", []):
            if fold(one["full_name"]) == fold(who.full_name) and one["birth_date"] == born:
                return Answer(True, str(one.get("reference", "")))
        return Answer(False)
