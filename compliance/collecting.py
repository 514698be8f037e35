"""How often Python looks for objects that only refer to each other.

A page makes tens of thousands of objects. Python's own pace, every 700, searched them and all that was loaded at the
start, again and again.
"""

import gc


def seldom() -> None:
    """Search after 20,000 new objects: some megabytes more, and a tenth less of the processor for a page."""
    gc.set_threshold(20_000, 10, 10)


def loaded() -> None:
    """To be called once all is imported: what is there by now stays, and no later search walks through it.

    A server that forks shares that memory with its workers for as long as nobody writes to it.
    """
    gc.collect()
    gc.freeze()
    seldom()
