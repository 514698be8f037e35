"""People who use the running product: a browser each, or an HTTP client each, and the platform with its key."""

import http.cookiejar
import re
import time
import urllib.error
import urllib.parse
import urllib.request

from tests.waiting import PATIENCE
from tests.world import PASSWORD


def eventually(true, *, within=PATIENCE, every=0.25):
    """Wait for something that a worker or the sequencer does."""
    ends = time.monotonic() + within
    while not (value := true()):
        assert time.monotonic() < ends, f"not within {within} s"
        time.sleep(every)
    return value


def sign_in(stack, new_context, user, *, at=""):
    """A page of a fresh browser profile in which this person signed in."""
    page = new_context(base_url=at or stack.url).new_page()
    page.set_default_timeout(180_000)  # a busy machine is no fault of the product
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button").first.click()
    page.wait_for_url(re.compile(r"^(?!.*/accounts/login/)"))
    return page


class Client:
    """A person without a browser: cookies, CSRF, no redirects followed unless asked."""

    def __init__(self, stack, user):
        self.base = stack.url
        self.jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.jar), urllib.request.ProxyHandler({}), _NoRedirect()
        )
        status, _body = self.post(
            "/accounts/login/", {"login": user.email, "password": PASSWORD}, page="/accounts/login/"
        )
        assert status == 302, f"{user.email} could not sign in: {status}"

    def get(self, path):
        return self._open(urllib.request.Request(self.base + path))

    def post(self, path, data=None, *, page="/cases/"):
        status, body = self.get(page)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', body)
        assert token, f"{page} answered {status} without a form"
        fields = {"csrfmiddlewaretoken": token[1], **(data or {})}
        return self._open(
            urllib.request.Request(self.base + path, data=urllib.parse.urlencode(fields, doseq=True).encode())
        )

    def token(self, page):
        return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(page)[1])[1]

    def post_raw(self, path, body, headers):
        return self._open(urllib.request.Request(self.base + path, data=body, headers=headers))

    def _open(self, request):
        request.add_header("Referer", self.base + "/")
        try:
            with self._opener.open(request, timeout=PATIENCE) as response:
                return response.status, response.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def multipart(fields, name, data, media_type="image/jpeg"):
    """Body and headers of a form with one file."""
    boundary = "mizan-test-boundary"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    head += f"Content-Type: {media_type}\r\n\r\n"
    body = b"".join(parts) + head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
