"""Which group of the operator's directory has which role in which team: a TOML file that OIDC_ROLES names.

[[group]]
name = "mizan-officers"
team = "verification"
role = "officer"
"""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from compliance.policy.errors import PolicyBroken


class Grant(BaseModel):
    """Who is in the group has the role in the team, for as long as they are in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="Of the group, as the directory sends it")
    team: str = Field(min_length=1, description="The team's short name")
    role: str = Field(min_length=1)


def read(path: str) -> tuple[Grant, ...]:
    """PolicyBroken with what is wrong. Read at each sign-in: a corrected file needs no restart."""
    try:
        said = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        return tuple(Grant(**one) for one in said["group"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PolicyBroken([f"OIDC_ROLES, {path}: {type(error).__name__} {error}. Correct the file."]) from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise PolicyBroken([f"OIDC_ROLES, {path}: {fault}. Correct the file." for fault in faults]) from error
