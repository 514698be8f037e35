"""ClamAV's daemon for the tests: the real one on a signature made by hand, and one that behaves as it is told."""

import shutil
import socket
import struct
import subprocess
import threading
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from documents.malware import EICAR
from tests.waiting import wait_until

PROGRAM = shutil.which("clamd") or "/usr/sbin/clamd"
INSTALLED = Path(PROGRAM).exists()


@contextmanager
def running(folder, **limits):
    """A real clamd; yields its address."""
    signatures = folder / "signatures"
    signatures.mkdir()
    (signatures / "tests.ndb").write_text(f"Eicar-Test-Signature:0:0:{EICAR.hex()}\n")
    path = folder / "clamd.socket"
    settings = {
        "LocalSocket": path,
        "DatabaseDirectory": signatures,
        "Foreground": "yes",
        "StreamMaxLength": "64M",
        "MaxFileSize": "64M",
        "MaxScanSize": "64M",
        "AlertEncrypted": "yes",
        "AlertExceedsMax": "yes",
        "TemporaryDirectory": folder,
    } | limits
    configuration = folder / "clamd.conf"
    configuration.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    program = subprocess.Popen([PROGRAM, "-c", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(path.exists)
        yield f"unix:{path}"
    finally:
        program.kill()  # asked to end, it waits two minutes for connections that a test left hanging
        program.wait()


def read_stream(connection):
    """The bytes of one INSTREAM command."""
    data, stream = connection.makefile("rb"), b""
    assert data.read(10) == b"zINSTREAM\0"
    while length := struct.unpack(">I", data.read(4))[0]:
        stream += data.read(length)
    return stream


@contextmanager
def fake(behave):
    """A scanner that does `behave(connection)` for each connection; yields its address."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with closing(connection), suppress(OSError, AssertionError, struct.error):
                    behave(connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
