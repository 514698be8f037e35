"""What the log says of itself: who read, searched, exported, verified it; who was refused; how its sequencer fares."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

register(
    Action("access.deny", _("{actor} was refused {object}"), {}),
    Action("audit.read", _("{actor} read {object} for {purpose}"), {"purpose": Kept.PUBLIC, "view": Kept.PUBLIC}),
    Action(
        "audit.search",
        _("{actor} searched the log"),
        {"digest": Kept.PUBLIC, "query": Kept.SEALED, "found": Kept.PUBLIC},
    ),
    Action("audit.view", _("{actor} looked at entry {seq} of the log"), {"seq": Kept.PUBLIC}),
    Action(
        "audit.export",
        _("{actor} exported {entries} entries of the log"),
        {
            "entries": Kept.PUBLIC,
            "kind": Kept.PUBLIC,
            "manifest": Kept.PUBLIC,
            "of": Kept.PUBLIC,
            "size": Kept.PUBLIC,
        },
    ),
    Action(
        "audit.verify",
        _("{actor} verified the log up to entry {size}: {result}"),
        {"findings": Kept.PUBLIC, "result": Kept.PUBLIC, "size": Kept.PUBLIC},
    ),
    Action("audit.start", _("The sequencer of the log started"), {"size": Kept.PUBLIC}),
    Action("audit.stop", _("The sequencer of the log stopped"), {"size": Kept.PUBLIC}),
    Action("audit.beat", _("The log is alive"), {"size": Kept.PUBLIC}),
    Action(
        "audit.flag",
        _("Entry {seq} was not written by this product: {flaw}"),
        {"seq": Kept.PUBLIC, "flaw": Kept.PUBLIC},
    ),
    Action(
        "audit.regress",
        _("The clock went back by {seconds} seconds before entry {seq}"),
        {"seq": Kept.PUBLIC, "seconds": Kept.PUBLIC},
    ),
    Action("audit.weaken", _("The protection of the log is incomplete"), {"missing": Kept.PUBLIC}),
    Action("audit.make_key", _("{actor} made the key of the log: {vkey}"), {"vkey": Kept.PUBLIC}),
)
