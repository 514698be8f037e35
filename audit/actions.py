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
            "proposal": Kept.PUBLIC,
            "recipient": Kept.PUBLIC,
            "size": Kept.PUBLIC,
        },
    ),
    Action(
        "audit.save_query",
        _("{actor} saved a query of the log"),
        {"name": Kept.SEALED, "query": Kept.SEALED, "shared_with": Kept.PUBLIC},
    ),
    Action("audit.delete_query", _("{actor} removed a saved query of the log"), {"name": Kept.SEALED}),
    Action(
        "audit.prove",
        _("{actor} took the proof of entry {seq} of the log out"),
        {"seq": Kept.PUBLIC, "size": Kept.PUBLIC},
    ),
    Action(
        "audit.check_range",
        _("{actor} verified the entries {first} to {last} of the log: {result}"),
        {"first": Kept.PUBLIC, "last": Kept.PUBLIC, "result": Kept.PUBLIC, "findings": Kept.PUBLIC},
    ),
    Action(
        "audit.verify",
        _("{actor} verified the log up to entry {size}: {result}"),
        {"findings": Kept.PUBLIC, "result": Kept.PUBLIC, "size": Kept.PUBLIC},
    ),
    Action("audit.start", _("The sequencer of the log started"), {"protection": Kept.PUBLIC, "size": Kept.PUBLIC}),
    Action("audit.stop", _("The sequencer of the log stopped"), {"size": Kept.PUBLIC}),
    Action("audit.beat", _("The log is alive"), {"protection": Kept.PUBLIC, "size": Kept.PUBLIC}),
    Action(
        "audit.add_partition",
        _("The log got room for {rooms} more partitions"),
        {"rooms": Kept.PUBLIC, "size": Kept.PUBLIC},
    ),
    Action(
        "audit.reconcile",
        _("{actor} reconciled the log up to entry {size}: {result}"),
        {"findings": Kept.PUBLIC, "result": Kept.PUBLIC, "size": Kept.PUBLIC},
    ),
    Action(
        "audit.anchor",
        _("Confirmed outside up to entry {size}: {object}"),
        {"at": Kept.PUBLIC, "proof": Kept.PUBLIC, "size": Kept.PUBLIC},
    ),
    Action(
        "audit.renew_anchor",
        _("The time stamp over {size} entries was renewed: {object}"),
        {"at": Kept.PUBLIC, "proof": Kept.PUBLIC, "size": Kept.PUBLIC},
    ),
    Action("audit.lack_anchor", _("Not confirmed outside any more: {object}"), {"since": Kept.PUBLIC}),
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
    Action(
        "audit.announce_key",
        _("{actor} announced that the log will be signed with another key: {vkey}"),
        {"before": Kept.PUBLIC, "vkey": Kept.PUBLIC},
    ),
    Action(
        "audit.rotate_key",
        _("The log is signed with another key from entry {size} on: {vkey}"),
        {"number": Kept.PUBLIC, "size": Kept.PUBLIC, "vkey": Kept.PUBLIC},
    ),
)
