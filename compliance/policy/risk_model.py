"""How a customer's risk is reckoned, as dated data (policy/risk/op.toml), and the sum itself.

Every fact counts once. The sum gives the level; a fact may by itself give at least a level. What no line names
counts as `other`: in doubt the risk is higher.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, StrictInt, ValidationError

from compliance.policy.errors import PolicyBroken, PolicyMissing
from compliance.policy.records import Confidence, Frozen, Words
from compliance.policy.schema import RISKS

FILE = Path(__file__).parent / "risk" / "op.toml"
OTHER = "other"
Level = Literal["low", "medium", "high"]


class Factor(Frozen):
    rule: str = Field(pattern=r"^[A-Z]{2,3}(\.[A-Z0-9_]+)+$")
    group: Literal["country", "person", "product", "payment", "behaviour", "evidence", "other"]
    points: StrictInt = Field(gt=0, le=100)
    at_least: Level | None = None
    title: Words
    source: str
    confidence: Confidence


class Levels(Frozen):
    """From how many points on."""

    medium: StrictInt = Field(gt=0)
    high: StrictInt = Field(gt=1)


class RiskModel(Frozen):
    id: str = Field(pattern=r"^RISK-\d{4}-\d{2}-\d{2}$")
    effective_from: date
    levels: Levels
    factors: dict[str, Factor]

    def factor(self, code: str) -> Factor:
        return self.factors.get(code) or self.factors[OTHER]

    def enterable(self) -> Mapping[str, Factor]:
        """What a person may enter by hand: not what lists or other parts of the product say."""
        return {
            code: factor
            for code, factor in self.factors.items()
            if factor.group not in ("evidence", "other") and not code.startswith(("fatf_", "eu_"))
        }


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the arithmetic."""

    code: str
    rule: str
    points: int
    at_least: str


@dataclass(frozen=True, slots=True)
class Rating:
    """`level` from `score` by the model's levels, raised to what a part asks for at least."""

    level: Level
    score: int
    parts: tuple[Part, ...]
    model: str


def rate(model: RiskModel, codes: Iterable[str]) -> Rating:
    """The sum of what is known. The order and the number of times that something is known do not matter."""
    parts = []
    for code in sorted(set(codes)):
        factor = model.factor(code)
        parts.append(Part(code, factor.rule, factor.points, factor.at_least or ""))
    score = sum(part.points for part in parts)
    reached = "high" if score >= model.levels.high else "medium" if score >= model.levels.medium else "low"
    level = max([reached, *(part.at_least for part in parts if part.at_least)], key=RISKS.index)
    return Rating(level, score, tuple(parts), model.id)  # type: ignore[arg-type]


def risk_model(on: date) -> RiskModel:
    """The model of a day. PolicyMissing before the first."""
    begun = [one for one in models() if one.effective_from <= on]
    if not begun:
        raise PolicyMissing(f"No model of risk holds on {on}: the first is of {models()[0].effective_from}.")
    return begun[-1]


def risk_model_at(version: str) -> RiskModel:
    return next(one for one in models() if one.id == version)


def _laid_out(versions: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each version whole: over the earlier one that it names in `based_on`, it changes levels or adds factors."""
    known: dict[str, dict[str, Any]] = {}
    for one in versions:
        below = known[one["based_on"]] if "based_on" in one else {"factors": {}}
        if "based_on" in one and below["effective_from"] >= one["effective_from"]:
            raise PolicyBroken([f"{FILE.name}: {one['id']}: based_on {one['based_on']} is no earlier version."])
        factors = below["factors"] | one.get("factors", {})
        known[one["id"]] = {name: what for name, what in (below | one).items() if name != "based_on"}
        known[one["id"]]["factors"] = factors
        yield known[one["id"]]


@cache
def models() -> tuple[RiskModel, ...]:
    try:
        said = tomllib.loads(FILE.read_text(encoding="utf-8"))
        found = sorted((RiskModel(**one) for one in _laid_out(said["version"])), key=lambda one: one.effective_from)
    except (tomllib.TOMLDecodeError, ValidationError, KeyError) as error:
        raise PolicyBroken([f"{FILE.name}: {error}"]) from error
    wrong = [
        f"{model.id}.{code}"
        for model in found
        for code, factor in model.factors.items()
        if factor.source not in said["sources"]
    ]
    wrong += [one.id for one in found if OTHER not in one.factors or one.levels.medium >= one.levels.high]
    if wrong:
        raise PolicyBroken([f"{FILE.name}: {', '.join(wrong)}: source, `other` or levels are not consistent."])
    return tuple(found)
