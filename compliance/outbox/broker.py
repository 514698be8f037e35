"""The queue of an installation without a broker: a folder of messages.

kombu's own filesystem transport shows a message before it is written whole, and a worker that meets half a one dies.
Here a message appears by a rename, whole, and is taken by a rename, by one worker. It may still be lost with whoever
took it: the sweeps find what waits.
"""

import logging
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

log = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **about: Any) -> None:  # type: ignore[override]  # its parents disagree
        """Names sort by time, so that the oldest is taken first."""
        name = f"{time.time_ns():020}_{uuid.uuid4()}"
        part = Path(self.data_folder_out) / f"{name}.part"
        part.write_text(dumps(payload))
        part.replace(part.with_name(f"{name}.{queue}.msg"))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for waiting in sorted(Path(self.data_folder_in).glob(f"*.{queue}.msg")):
            taken = waiting.with_name(f"{waiting.stem}.taken")
            try:
                waiting.rename(taken)
            except FileNotFoundError:
                continue  # another worker was faster
            try:
                return loads(taken.read_text())
            except ValueError:
                log.warning("A message that cannot be read was dropped. The sweep will find what waits.")
            finally:
                taken.unlink()
        raise Empty


class Transport(filesystem.Transport):
    Channel = Channel
