// Where the focus is and what is said after htmx changes a part of the page, and the one live region of every page.
//
// - While a request runs its target is aria-busy.
// - A part that asks for itself again and again has [data-until], the text that is said once it stops. It works in silence.
// - Who leaves a page by keyboard starts the next one at [data-start], where the page goes on, instead of at its very top.
// - After a swap the focus is never lost to <body>: it goes to [autofocus], else to where it was (htmx keeps an element
//   with the same id), else to the heading of what came, else to what came.
// - Anything may say something: document.dispatchEvent(new CustomEvent("say", {detail: "Copied"})).

const SECONDS_SHOWN = 5;

/** Show a text for a moment and let a screen reader read it. */
function say(text) {
  const live = document.getElementById("live");
  if (!live || !text) return;
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.textContent = text;
  live.append(toast);
  setTimeout(() => toast.remove(), SECONDS_SHOWN * 1000);
}

let held = null; // the element that had the focus before the swap

/** Where a page, or the part of it that the address names, goes on. */
function start() {
  if (document.activeElement !== document.body || sessionStorage.getItem("moves") !== "keys") return;
  if (document.querySelector("[autofocus]")) return; // the browser gives it the focus a moment later
  const seen = (element) => element.checkVisibility();
  const named = [...document.querySelectorAll(":target")].find(seen);
  const places = (named ?? document).querySelectorAll(named ? "h1, h2, h3" : "[data-start]");
  const place = [...places].find(seen) ?? named ?? document.querySelector("h1");
  if (place && place.tabIndex < 0) place.setAttribute("tabindex", "-1");
  place?.focus();
}

/** Give the focus to what arrived, when the element that had it is gone. Somebody who only reads is not moved. */
function keepFocus(arrived) {
  if (!held || held.isConnected || document.activeElement !== document.body) return;
  if (!arrived?.isConnected) arrived = document.getElementById("main");
  const place = arrived.querySelector("[autofocus]") ?? arrived.querySelector("h1, h2, h3") ?? arrived;
  if (!place.hasAttribute("tabindex") && place.tabIndex < 0) place.setAttribute("tabindex", "-1");
  place.focus();
}

document.addEventListener("say", (event) => say(event.detail));

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (!detail.elt.dataset.until) detail.target?.setAttribute("aria-busy", "true");
});
document.addEventListener("htmx:afterRequest", ({ detail }) => detail.target?.removeAttribute("aria-busy"));
document.addEventListener("htmx:beforeSwap", () => {
  held = document.activeElement === document.body ? null : document.activeElement;
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  keepFocus(detail.elt);
  const until = detail.requestConfig?.elt.dataset.until;
  if (until && !detail.elt.dataset.until) say(until);
});

for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(failure, ({ detail }) => {
    if (!detail.elt.dataset.until) say(document.body.dataset.notLoaded);
  });
}

// A menu closes when one presses elsewhere or leaves it with Esc, and gives the focus back to what opened it.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.activeElement?.closest("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
  event.preventDefault();
});

// Nobody is signed out without a word. While nobody is at a page, what it asks by itself keeps no session open
// (people/access/sessions.py). The bell says how long is left; in the last minutes one key, or the button, keeps it.
const LAST_SECONDS = 240; // the bell asks every 60, so that three minutes are left at least when it is said
let atIt = false;

for (const doing of ["keydown", "pointerdown", "input"]) {
  document.addEventListener(doing, () => {
    atIt = true;
    const ending = document.getElementById("session-ends");
    if (ending && !ending.hidden && ending.dataset.stay) document.getElementById("bell").dispatchEvent(new Event("stay"));
  });
}
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const asked = detail.triggeringEvent && detail.triggeringEvent.type !== "load";
  if (!asked && !atIt) detail.headers["Mizan-By-Itself"] = "1";
  atIt = false;
});

function ending() {
  const bell = document.getElementById("bell");
  const box = document.getElementById("session-ends");
  if (!bell?.dataset.left || !box) return;
  const soon = Number(bell.dataset.left) <= LAST_SECONDS;
  box.dataset.stay = "stay" in bell.dataset ? "1" : "";
  for (const part of box.querySelectorAll("[data-if-stay]")) part.hidden = (part.dataset.ifStay === "1") !== Boolean(box.dataset.stay);
  if (soon && box.hidden) say(box.querySelector("[data-if-stay]:not([hidden])").textContent);
  box.hidden = !soon;
}

/** How many notices nobody read stands in the title of the tab, before what a swap may have made of it. */
function titled() {
  const unread = document.querySelector("#bell span")?.textContent.trim();
  const bare = document.title.replace(/^\(\S+\) /u, "");
  document.title = unread ? `(${unread}) ${bare}` : bare;
}

document.addEventListener("htmx:afterSettle", titled);
document.addEventListener("htmx:afterSettle", ending);
document.addEventListener("keydown", () => sessionStorage.setItem("moves", "keys"));
document.addEventListener("pointerdown", () => sessionStorage.setItem("moves", "pointer"));
start();
titled();
ending();
