"""The tree's hashes in tiles of 256, as C2SP tlog-tiles lays them out.

Tile (L, i) holds the roots of 256 subtrees of 256^L leaves.
Only the last tile of a level is partial, and it only ever grows. Everything else of the tree is computed from these.
"""

from collections.abc import Callable, Iterable, Mapping

from audit.tree import EMPTY, leaf_hash, root_of

WIDTH = 256
HASH = 32

Fetch = Callable[[int, int], bytes]


class MissingTile(LookupError):
    """A tile that the tree's size promises is absent or too short: the tables were changed behind the log's back."""

    def __init__(self, level: int, index: int) -> None:
        super().__init__(f"tile {level}/{index} is missing or too short")
        self.level, self.index = level, index


class Nodes:
    """Hashes of any complete subtree, from tiles that `fetch(level, index)` returns; called as `tree.Node`."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        tile_level, inside = divmod(level, 8)
        first = index << inside
        tile, offset = divmod(first, WIDTH)
        data = self._tile(tile_level, tile)[offset * HASH : (offset + (1 << inside)) * HASH]
        if len(data) != HASH << inside:
            raise MissingTile(tile_level, tile)
        return root_of(hashes(data))

    def _tile(self, level: int, index: int) -> bytes:
        key = (level, index)
        if key not in self._tiles:
            if len(self._tiles) >= 1024:  # 8 MiB; a proof needs a few dozen
                self._tiles.clear()
            self._tiles[key] = self._fetch(level, index)
        return self._tiles[key]


class Edge:
    """The right edge of a growing tree: the last, partial tile of each level."""

    def __init__(self, size: int = 0, partial: Mapping[int, bytes] | None = None) -> None:
        self.size = size
        self._partial = [bytearray((partial or {}).get(level, b"")) for level in range(levels(size))]
        for level, data in enumerate(self._partial):
            if len(data) != width(size, level) * HASH:
                raise MissingTile(level, size >> 8 * level + 8)

    def append(self, entries: Iterable[bytes]) -> dict[tuple[int, int], bytes]:
        """Add entries as leaves; the changed tiles by (level, index), each whole from its first hash."""
        return self.append_hashes(leaf_hash(entry) for entry in entries)

    def append_hashes(self, leaves: Iterable[bytes]) -> dict[tuple[int, int], bytes]:
        changed: dict[tuple[int, int], bytes] = {}
        touched = -1
        for leaf in leaves:
            touched = max(touched, self._push(0, leaf, changed))
            self.size += 1
        for level in range(touched + 1):
            if self._partial[level]:
                changed[level, self.size >> 8 * level + 8] = bytes(self._partial[level])
        return changed

    def _push(self, level: int, value: bytes, changed: dict[tuple[int, int], bytes]) -> int:
        """Returns the highest level that was touched."""
        if level == len(self._partial):
            self._partial.append(bytearray())
        tile = self._partial[level]
        tile += value
        if len(tile) < WIDTH * HASH:
            return level
        changed[level, self.size >> 8 * level + 8] = bytes(tile)
        self._partial[level] = bytearray()
        return self._push(level + 1, root_of(hashes(tile)), changed)

    def partial(self) -> dict[tuple[int, int], bytes]:
        """The partial tiles by (level, index)."""
        begun = enumerate(self._partial)
        return {(level, self.size >> 8 * level + 8): bytes(data) for level, data in begun if data}

    def root(self) -> bytes:
        below: list[bytes] = []
        for tile in self._partial:
            row = hashes(tile) + below
            below = [root_of(row)] if row else []
        return below[0] if below else EMPTY


def hashes(data: bytes | bytearray) -> list[bytes]:
    return [bytes(data[at : at + HASH]) for at in range(0, len(data), HASH)]


def levels(size: int) -> int:
    """How many levels of tiles a tree of this size has begun."""
    count = 0
    while size >> 8 * count:
        count += 1
    return count


def width(size: int, level: int) -> int:
    """How many hashes the last, partial tile of a level holds; 0 when there is none."""
    return (size >> 8 * level) % WIDTH


def tiles_of(size: int) -> Iterable[tuple[int, int, int]]:
    """Every tile of a tree of this size as (level, index, hashes in it)."""
    for level in range(levels(size)):
        nodes = size >> 8 * level
        for index in range((nodes + WIDTH - 1) // WIDTH):
            yield level, index, min(WIDTH, nodes - index * WIDTH)


def path(level: int | str, index: int, hashes_in_it: int = WIDTH) -> str:
    """The tile's name in an export: `tile/0/x001/234`, a partial one `tile/0/x001/234.p/17` (tlog-tiles)."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    name = f"tile/{level}/{'/'.join(groups)}"
    return name if hashes_in_it == WIDTH else f"{name}.p/{hashes_in_it}"
