"""An operator's directory for tests: OpenID Connect behind a small web server that really signs what it says."""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

START = "/accounts/directory/"
CLIENT, SECRET = "mizan", "the secret of tests, nobody else's"


class Directory:
    """`url` is its issuer. `claims` and `more` are what it says of whoever comes; `sign` may be replaced by a lie;
    `mute`, it speaks no HTTP."""

    def __init__(self):
        self.key, self.kid, self.asked = ec.generate_private_key(ec.SECP256R1()), "one", None
        self.claims, self.more, self.said, self.codes = {}, None, {}, {}
        self.calls, self.mute = [], False

    def __enter__(self):
        directory = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._answer(directory.get(urlsplit(self.path).path, self.headers))

            def do_POST(self):
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                self._answer(directory.token(form, self.headers))

            def _answer(self, said):
                if directory.mute:
                    self.wfile.write(b"whatever\r\n\r\n")
                    return
                body = json.dumps(said).encode()
                self.send_response(404 if said is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()

    def get(self, path, headers):
        self.calls.append(path)
        if path == "/.well-known/openid-configuration":
            doors = {"authorization_endpoint": "/in", "token_endpoint": "/token", "jwks_uri": "/keys"}
            doors |= {"userinfo_endpoint": "/person"} if self.more is not None else {}
            return {"issuer": self.url} | {name: self.url + door for name, door in doors.items()} | self.said
        if path == "/keys":
            key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
            return {"keys": [key | {"kid": self.kid, "alg": "ES256", "use": "sig"}]}
        if path == "/person" and headers["Authorization"] == "Bearer for-one-hour":
            return self.more
        return None

    def let_in(self, address, **claims):
        """Somebody signs in over there: the way back that their browser is sent."""
        asked = SimpleNamespace(**{name: values[0] for name, values in parse_qs(urlsplit(address).query).items()})
        self.asked, code = asked, f"code-{len(self.codes)}"
        now = int(time.time())
        facts = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "auth_time": now, "nonce": asked.nonce}
        self.codes[code] = (asked, facts | self.claims | claims)
        return f"{urlsplit(asked.redirect_uri).path}?{urlencode({'code': code, 'state': asked.state})}"

    def token(self, form, headers):
        """A code works once, for the client that asked, with the verifier of its challenge."""
        asked, claims = self.codes.pop(form["code"])
        pair = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        fits = (challenge.rstrip("="), form["redirect_uri"]) == (asked.code_challenge, asked.redirect_uri)
        if not fits or not pair.startswith(f"{CLIENT}:"):
            return {"error": "invalid_grant"}
        return {"access_token": "for-one-hour", "token_type": "Bearer", "id_token": self.sign(claims)}

    def sign(self, claims):
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": self.kid})


def come(directory, client=None, start=START, **claims):
    """Through the button, over there, and back. The browser and the last answer."""
    client = client or Client()
    gone = client.get(start)
    assert gone.status_code == 302 and gone.headers["Location"].startswith(directory.it.url + "/in?"), gone.headers
    return client, client.get(directory.it.let_in(gone.headers["Location"], **claims))


def roles_of(user):
    return sorted(user.memberships.values_list("role", flat=True))


def refused(entries):
    return [entry["reason"]["code"] for entry in entries("people.fail_sign_in", using="log")]
