// The page of the API: sends what a form says with a key of a test licensee, and shows the answer as it came.
// The key stays in its field: it is stored nowhere, and a key of real players is not sent.

const KEY = /^mzt_[\w-]+$/;
const SHOWN = ["mizan-version", "ratelimit-remaining", "ratelimit-reset", "x-request-id", "idempotent-replayed", "etag"];

const key = document.getElementById("api-key");

function request(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const headers = { Accept: "application/json", Authorization: `Bearer ${key.value}` };
  const sent = { method: form.dataset.method, headers, credentials: "omit", redirect: "error", cache: "no-store" };
  for (const field of form.querySelectorAll("[data-where]")) {
    const { where, name } = field.dataset;
    if (where === "path") path = path.replace(`{${name}}`, encodeURIComponent(field.value));
    else if (where === "query" && field.value) query.set(name, field.value);
    else if (where === "header" && field.value) headers[name] = field.value;
    else if (where === "body") {
      sent.body = field.value;
      headers["Content-Type"] = "application/json";
    }
  }
  return [query.size ? `${path}?${query}` : path, sent];
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function show(form, text) {
  const place = form.querySelector("output pre");
  place.hidden = false;
  place.firstElementChild.textContent = text;
}

async function send(form) {
  if (!KEY.test(key.value)) {
    show(form, form.dataset.noKey);
    key.focus();
    return;
  }
  try {
    const answer = await fetch(...request(form));
    const lines = SHOWN.filter((name) => answer.headers.has(name)).map((name) => `${name}: ${answer.headers.get(name)}`);
    show(form, [`${answer.status} ${answer.statusText}`, ...lines, "", readable(await answer.text())].join("\n"));
  } catch {
    show(form, form.dataset.noAnswer);
  }
}

for (const hidden of document.querySelectorAll("[data-api-key], [data-api-try]")) hidden.hidden = false;
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-api-try]")) return;
  event.preventDefault();
  send(event.target);
});
// A link to an operation opens it.
document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
