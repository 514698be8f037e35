"""One put into a folder, as a program whose system calls strace can let fail: `python -m ... FOLDER`.

Says `stored` or `refused` at the end. Its temporary file has a name that is known beforehand.
"""

import sys
from pathlib import Path
from uuid import UUID

from documents import storage
from documents.storage import LocalStorage
from documents.vault import KEY, Header, Sealing

DOCUMENT, CUSTOMER, LICENSEE = (UUID(int=number) for number in (1, 2, 3))
HEADER = Header(DOCUMENT, CUSTOMER, 1)
CANARY = b"CANARY-IN-THE-CLEAR"
PLAIN = b"%PDF-1.7 " + CANARY * 60_000


def put(root: Path) -> None:
    written = LocalStorage(root).begin(DOCUMENT)
    sealing = Sealing(bytes(KEY), HEADER, LICENSEE, written.write)
    sealing.update(PLAIN)
    sealing.finish()
    written.commit()


if __name__ == "__main__":
    storage.secrets.token_hex = lambda length: "known"
    try:
        put(Path(sys.argv[1]))
    except OSError as error:
        print("refused", error.errno, flush=True)
    else:
        print("stored", flush=True)
