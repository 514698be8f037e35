"""A stand-in for Vault's transit engine over HTTP: what its API documentation says of derived keys, no more.

POST /v1/transit/keys/:name              type, derived                     204
GET  /v1/transit/keys/:name              type, derived, latest_version, min_decryption_version, ...
POST /v1/transit/keys/:name/rotate
POST /v1/transit/keys/:name/config       min_decryption_version, min_encryption_version
POST /v1/transit/keys/:name/trim         min_available_version: not above the two of config
POST /v1/transit/encrypt|decrypt|rewrap/:name   plaintext or ciphertext, context; rewrap takes batch_input
POST /v1/transit/hmac/:name              input, key_version, algorithm
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "s.test-token"


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Transit:
    """Keys of one engine by name: {version: bytes}, and the settings of each."""

    def __init__(self):
        self.keys, self.about, self.calls = {}, {}, []

    def answer(self, method, path, asked):
        self.calls.append((method, path))
        verb, name, *rest = path.removeprefix("/v1/transit/").split("/")
        if verb == "keys":
            return self._keys(method, name, rest, asked)
        if name not in self.keys:
            # Vault answers 400 for an operation, 404 for reading the key.
            raise Refused(400, "encryption key not found")
        if verb == "hmac":
            assert (rest or [asked["algorithm"]]) == ["sha2-256"]
            version = asked["key_version"]
            mac = hmac.digest(self.keys[name][version], b"hmac" + base64.b64decode(asked["input"]), hashlib.sha256)
            return {"hmac": f"vault:v{version}:{base64.b64encode(mac).decode()}"}
        if "batch_input" in asked:
            return {"batch_results": [self._safely(verb, name, item) for item in asked["batch_input"]]}
        return getattr(self, f"_{verb}")(name, asked)

    def _keys(self, method, name, rest, asked):
        if method == "GET":
            if name not in self.keys:
                raise Refused(404, "")
            return {**self.about[name], "latest_version": max(self.keys[name]), "name": name}
        if not rest:
            assert asked["type"] == "aes256-gcm96"
            self.keys.setdefault(name, {1: secrets.token_bytes(32)})
            self.about.setdefault(name, {"type": asked["type"], "derived": asked.get("derived", False)})
            self.about[name] |= {"min_decryption_version": 1, "min_encryption_version": 0, "min_available_version": 0}
            return None
        if rest == ["rotate"]:
            self.keys[name][max(self.keys[name]) + 1] = secrets.token_bytes(32)
        elif rest == ["config"]:
            self.about[name] |= {key: value for key, value in asked.items() if key.startswith("min_")}
        elif rest == ["trim"]:
            least, about = asked["min_available_version"], self.about[name]
            if least > about["min_decryption_version"] or least > about["min_encryption_version"]:
                raise Refused(400, "minimum available version cannot be greater than minimum decryption version")
            about["min_available_version"] = least
            self.keys[name] = {version: key for version, key in self.keys[name].items() if version >= least}
        return None

    def _safely(self, verb, name, item):
        try:
            return getattr(self, f"_{verb}")(name, item)
        except Refused as refused:
            return {"error": str(refused)}

    def _cipher(self, name, version, asked):
        if not self.about[name]["derived"]:
            return AESGCM(self.keys[name][version])
        if not asked.get("context"):
            raise Refused(400, "missing 'context' for key derivation")
        return AESGCM(hmac.digest(self.keys[name][version], base64.b64decode(asked["context"]), hashlib.sha256))

    def _encrypt(self, name, asked):
        version, nonce = max(self.keys[name]), secrets.token_bytes(12)
        sealed = nonce + self._cipher(name, version, asked).encrypt(nonce, base64.b64decode(asked["plaintext"]), None)
        return {"ciphertext": f"vault:v{version}:{base64.b64encode(sealed).decode()}", "key_version": version}

    def _decrypt(self, name, asked):
        _vault, version, body = asked["ciphertext"].split(":")
        version, sealed = int(version[1:]), base64.b64decode(body)
        if version < self.about[name]["min_decryption_version"] or version not in self.keys[name]:
            raise Refused(400, "ciphertext or signature version is disallowed by policy (too old)")
        try:
            plain = self._cipher(name, version, asked).decrypt(sealed[:12], sealed[12:], None)
        except (InvalidTag, ValueError):
            raise Refused(400, "cipher: message authentication failed") from None
        return {"plaintext": base64.b64encode(plain).decode()}

    def _rewrap(self, name, asked):
        return self._encrypt(name, {**asked, **self._decrypt(name, asked)})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _handle(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            if self.headers.get("X-Vault-Token") != TOKEN:
                raise Refused(403, "permission denied")
            data = self.server.transit.answer(self.command, self.path, json.loads(body or b"{}"))
        except Refused as refused:
            return self._send(refused.status, {"errors": [str(refused)] if str(refused) else []})
        return self._send(200 if data is not None else 204, {"data": data} if data is not None else None)

    do_GET = do_POST = do_PUT = _handle

    def _send(self, status, body):
        raw = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass


class Server:
    """`url`, `transit` (its state), and `stop()`: from then on nobody answers."""

    def __init__(self):
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.transit = self._http.transit = Transit()
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self._http.shutdown()
        self._http.server_close()
