"""What the tests of exports share: the verifier as an outsider runs it, a forger, an inserted entry."""

import io
import json
import subprocess
import sys
import zipfile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.actors import SubjectRef
from audit.bundles import write_zip
from audit.checkpoints import Signer
from audit.verifier import verify as outside
from tests.waiting import PATIENCE

CASE, CUSTOMER = "KYC-26-004813-9", SubjectRef("customer", "0b0c9f6e-7f0e-4f0c-9d5e-2f5f3c2b1a00")
CASE_ENTRIES = 12


def check(bundle, vkey, *more):
    """Exit status and report of the verifier, isolated from the project and its packages."""
    command = [sys.executable, "-I", "-S", outside.__file__, str(bundle), "--vkey", vkey, "--json", *map(str, more)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else done.stderr


def check_here(bundle, vkey, *more):
    """The same in this process, for many rounds."""
    return outside.main([str(bundle), "--vkey", vkey, *map(str, more)])


def with_the_library(key, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def refuse_each(data, places, vkey, file, chance):
    for place in places:
        file.write_bytes(changed(data, place, chance))
        assert check_here(file, vkey) in (1, 2), f"byte {place} of {len(data)}"


def changed(data, place, chance):
    return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]


class Forger:
    """Has everything but the log's key: rewrites files, manifest and container, and signs with a key of his own."""

    def __init__(self, bundle, folder):
        archive = zipfile.ZipFile(io.BytesIO(bundle))
        self.files = {name: archive.read(name) for name in archive.namelist()}
        self.signer = Signer.create(
            folder / "forged", "main", outside.json.loads(self.files["manifest.json"])["origin"]
        )

    def seal(self, file, *, sign=False):
        manifest = json.loads(self.files["manifest.json"])
        listed = {name: data for name, data in self.files.items() if name not in ("manifest.json", "manifest.note")}
        manifest["files"] = {
            name: {"bytes": len(data), "sha256": outside.hashlib.sha256(data).hexdigest()}
            for name, data in listed.items()
        }
        self.files["manifest.json"] = outside.canonical(manifest)
        if sign:
            digest = outside.hashlib.sha256(self.files["manifest.json"]).hexdigest()
            self.files["manifest.note"] = self.signer.note(
                f"mizan.bundle/v1\n{manifest['origin']}\n7\n{digest}\n"
            ).encode()
        with file.open("wb") as out:
            write_zip(out, self.files)
        return file


def manifest_of(forger):
    return json.loads(forger.files["manifest.json"])
