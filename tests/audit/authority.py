"""A time-stamp authority for tests: `openssl ts` behind a small web server."""

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[tsa]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[ts]
default_tsa = ts_default
[ts_default]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/{tsa}.pem
signer_key = {folder}/{tsa}.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """`url` answers RFC 3161 requests; `chain` is its root. `certify(days)` gives it a certificate of that length."""

    def __init__(self, folder):
        folder.mkdir()
        self._folder, self._serial, self.down = folder, 0, False
        self.chain = folder / "ca.pem"
        self._configure("tsa")
        self._run(
            *[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "3650",
                "-subj",
                "/CN=root",
            ],
            *("-keyout", folder / "ca.key", "-out", self.chain, "-config", folder / "config", "-extensions", "ca"),
        )
        (folder / "serial").write_text("01\n")
        self.certify(days=365)

    def certify(self, days):
        self._serial += 1
        name = f"tsa{self._serial}"
        at = self._folder / name
        self._run(
            *["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
            "-subj",
            f"/CN={name}",
            "-keyout",
            f"{at}.key",
            "-out",
            f"{at}.csr",
            "-config",
            self._folder / "config",
        )
        self._run(
            "x509",
            "-req",
            "-in",
            f"{at}.csr",
            "-CA",
            self.chain,
            "-CAkey",
            self._folder / "ca.key",
            "-set_serial",
            str(100 + self._serial),
            "-days",
            str(days),
            "-out",
            f"{at}.pem",
            "-extfile",
            self._folder / "config",
            "-extensions",
            "tsa",
        )
        self._configure(name)

    def __enter__(self):
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                query = self.rfile.read(int(self.headers["Content-Length"]))
                body = b"" if authority.down else authority.reply(query)
                self.send_response(503 if authority.down else 200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()

    def reply(self, query):
        (self._folder / "query").write_bytes(query)
        self._run(
            "ts",
            "-reply",
            "-config",
            self._folder / "config",
            "-section",
            "ts_default",
            "-queryfile",
            self._folder / "query",
            "-out",
            self._folder / "reply",
        )
        return (self._folder / "reply").read_bytes()

    def _configure(self, tsa):
        (self._folder / "config").write_text(CONFIG.format(folder=self._folder, tsa=tsa))

    def _run(self, *arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
