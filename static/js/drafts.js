// What is typed is never lost: not when the connection goes, the server restarts, or the session ends meanwhile.
//
// A line with [data-draft] keeps its field on the server (htmx). While that fails it says so, tries again every few seconds
// and leaves the page as it is: nobody is sent to the sign-in over a text that was not kept. After a sign-in in another
// window the form's token is an old one: it is fetched anew, so that the form itself can be sent, too.

const AGAIN = 5; // seconds
const waiting = new Map(); // line -> timer

const line = (event) => event.detail.elt?.closest?.("[data-draft]");

function tryAgain(draft, words) {
  draft.textContent = words;
  draft.classList.add("lost");
  clearTimeout(waiting.get(draft));
  waiting.set(draft, setTimeout(() => draft.isConnected && htmx.trigger(draft, "again"), AGAIN * 1000));
}

/** The token of this page as a fresh visit has it; nothing while nobody is signed in. */
async function freshToken() {
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" }, redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = page.querySelector("[name=csrfmiddlewaretoken]")?.value;
    for (const field of token ? document.querySelectorAll("[name=csrfmiddlewaretoken]") : []) field.value = token;
  } catch {
    // Not signed in or not connected: the next try asks again.
  }
}

// A session that ended answers with the way to the sign-in. Only what a person asked for leads there: what a page asks by
// itself (a draft, the bell, who else is here) must not take away a page that somebody is writing on.
const ASKED = new Set(["click", "submit", "change", "keydown", "keyup"]);

document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr, requestConfig } = event.detail;
  const draft = line(event);
  const ended = xhr.getResponseHeader("HX-Redirect");
  if (ended && !ASKED.has(requestConfig?.triggeringEvent?.type)) event.preventDefault();
  if (!draft) return;
  if (ended) {
    event.preventDefault();
    tryAgain(draft, draft.dataset.ended);
  } else if (xhr.status === 403) {
    event.preventDefault();
    tryAgain(draft, draft.dataset.ended);
    freshToken();
  } else if (xhr.status < 400 || xhr.status === 409) {
    draft.classList.remove("lost");
    clearTimeout(waiting.get(draft));
  } else {
    event.preventDefault();
    tryAgain(draft, draft.dataset.offline);
  }
});

for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    if (line(event)) tryAgain(line(event), line(event).dataset.offline);
  });
}
