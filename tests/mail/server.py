"""An IMAP server small enough to read: what Imap of cases/mail/sources.py asks, and nothing else (RFC 3501)."""

import re
import socketserver
import threading
from contextlib import contextmanager


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.folder = None
        self._say(b"* OK ready")
        for line in self.rfile:
            tag, _space, command = line.strip().decode().partition(" ")
            word = command.upper().removeprefix("UID ").split(" ")[0]
            answer = getattr(self, f"do_{word.lower()}", None)
            said = "BAD unknown" if answer is None else answer(command) or "OK done"
            self._say(f"{tag} {said}".encode())
            if word == "LOGOUT":
                return

    @property
    def box(self):
        return self.server.folders[self.folder]

    def _say(self, line):
        self.wfile.write(line + b"\r\n")

    def do_capability(self, command):
        self._say(b"* CAPABILITY IMAP4rev1")

    def do_login(self, command):
        return None if command.split(" ")[1:] == ["mizan", '"secret"'] else "NO refused"

    def do_logout(self, command):
        self._say(b"* BYE")

    def do_select(self, command):
        name = command.split(" ")[1].strip('"')
        if name not in self.server.folders:
            return "NO such folder"
        self.folder = name
        self._say(f"* {len(self.box)} EXISTS".encode())

    def do_search(self, command):
        self._say(f"* SEARCH {' '.join(str(uid) for uid in self.box)}".strip().encode())

    def do_fetch(self, command):
        uid = int(command.split(" ")[2])
        letter = self.box[uid]
        if "RFC822.SIZE" in command:
            self._say(f"* 1 FETCH (UID {uid} RFC822.SIZE {len(letter)})".encode())
            return
        if part := re.search(r"<0\.(\d+)>", command):
            letter = letter[: int(part[1])]
        self._say(f"* 1 FETCH (UID {uid} BODY[] {{{len(letter)}}}".encode())
        self.wfile.write(letter)
        self._say(b")")

    def do_store(self, command):
        self.server.deleted.add((self.folder, int(command.split(" ")[2])))

    def do_expunge(self, command):
        for folder, uid in list(self.server.deleted):
            self.server.folders[folder].pop(uid, None)

    def do_create(self, command):
        self.server.folders.setdefault(command.split(" ")[1].strip('"'), {})

    def do_copy(self, command):
        uid, name = command.split(" ")[2:4]
        self.server.folders[name.strip('"')][int(uid)] = self.box[int(uid)]


@contextmanager
def imap(*letters):
    """A running server; its `folders` hold what is there, `port` where it listens."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.folders, server.deleted = {"INBOX": dict(enumerate(letters, 1))}, set()
        server.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()
