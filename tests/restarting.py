"""A process that begins anew, for tests of what must outlive it: what it remembered of the database is forgotten."""

import sys
from functools import _lru_cache_wrapper

OURS = ("audit", "cases", "compliance", "documents")
FILES = "compliance.policy"  # read from files that never change while a product is installed: dear, and nothing to lose


def restart():
    """Forget everything that any function of ours remembers. How many memories there were."""
    modules = [
        one for name, one in list(sys.modules.items()) if name.split(".")[0] in OURS and not name.startswith(FILES)
    ]
    found = {id(one): one for module in modules for one in vars(module).values() if isinstance(one, _lru_cache_wrapper)}
    for one in found.values():
        if not one.__module__.startswith(FILES):
            one.cache_clear()
    return len(found)
