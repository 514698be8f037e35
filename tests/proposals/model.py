"""Four eyes in a hundred lines of plain Python: what may happen to one proposal on one subject, whoever does what.

It is written from the words of the product, not from its code, and has no database: ten thousand histories take a
moment. test_histories.py holds both against each other, step by step.
"""

from dataclasses import dataclass, field

HUMANS = {
    "alice": "alice",
    "alice_again": "alice",
    "alices_key": "alice",
    "bob": "bob",
    "bobs_key": "bob",
    "erin": "erin",
    "carol": "carol",
    "dave": "dave",
    "system": None,
}
PERSONS = frozenset(HUMANS) - {"alices_key", "bobs_key", "system"}  # who signs in; a key or the product decides nothing
ACTIVE = frozenset(HUMANS) - {"dave"}
MAY_PROPOSE = frozenset({"alice", "bob", "erin"})
MAY_CONFIRM = frozenset({"alice", "bob", "erin", "dave"})


@dataclass
class Proposed:
    maker: str
    named: str | None
    seen: int
    state: str = "parked"


@dataclass
class Model:
    evidence: int = 0
    last: Proposed | None = None
    runs: list = field(default_factory=list)  # (maker, checker) of every effective heavy act
    protected: int = 0
    escalated: int = 0
    away: dict = field(default_factory=dict)  # human -> human who stands in

    def take(self, what, who, other=None):
        getattr(self, what)(who, other) if other is not None else getattr(self, what)(who)

    @property
    def parked(self):
        return self.last is not None and self.last.state == "parked"

    def propose(self, who, named=None):
        human = HUMANS[who]
        if human is None or who not in ACTIVE or human not in MAY_PROPOSE or self.parked:
            return
        if named is not None and (HUMANS[named] == human or named not in ACTIVE or HUMANS[named] not in MAY_CONFIRM):
            return
        self.last = Proposed(human, HUMANS[named] if named else None, self.evidence)

    def stands_in_for(self, human):
        found, layer = set(), {human}
        while layer:
            layer = {one for one, deputy in self.away.items() if deputy in layer} - found - {human}
            found |= layer
        return found

    def may_decide(self, who):
        human = HUMANS[who]
        if who not in PERSONS or who not in ACTIVE or human == self.last.maker or human not in MAY_CONFIRM:
            return False
        return self.last.named in (None, human) or self.last.named in self.stands_in_for(human)

    def confirm(self, who):
        if not self.parked or not self.may_decide(who):
            return
        if self.last.seen != self.evidence:
            self.last.state = "voided"
            return
        self.last.state = "performed"
        self.runs.append((self.last.maker, HUMANS[who]))

    def send_back(self, who):
        if self.parked and self.may_decide(who):
            self.last.state = "returned"

    def withdraw(self, who):
        if self.parked and who in ACTIVE and HUMANS[who] == self.last.maker:
            self.last.state = "withdrawn"

    def act_alone(self, who):
        """Nobody, ever."""

    def protect(self, who):
        """At once, by one person, whatever waits."""
        if who in ACTIVE and HUMANS[who] is not None:
            self.protected += 1

    def go_away(self, who, deputy):
        human = HUMANS[who]
        if (
            who in PERSONS & ACTIVE
            and human not in self.away
            and HUMANS[deputy] != human
            and deputy in PERSONS & ACTIVE
        ):
            self.away[human] = HUMANS[deputy]

    def come_back(self, who):
        if who in PERSONS & ACTIVE:
            self.away.pop(HUMANS[who], None)

    def change_evidence(self, _who):
        self.evidence += 1

    def report_change(self, _who):
        self.evidence += 1
        if self.parked:
            self.last.state = "voided"

    def write_note(self, _who):
        """No evidence."""

    def let_expire(self, _who):
        """It escalates and changes nothing."""
        if self.parked:
            self.last.state = "expired"
            self.escalated += 1
