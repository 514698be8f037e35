// Single keys of the desk. They move, open and choose; only Ctrl+Enter sends, so no single key decides anything.
//
// A page offers a key by naming it on the element: <a data-key="n">, <input data-key="/">, <button data-key="f">.
// - off in fields, with Ctrl, Alt, Meta or while a text is being composed, and for people who switched them off
// - the letter is read from event.key, so "/" works wherever a keyboard has it (Shift+7 in Turkish); on a keyboard
//   of another script (Cyrillic, Arabic) letters fall back to their place
// - AltGr arrives as Ctrl+Alt (AltGr+Q is @ in Turkish), so Ctrl+Alt is never a key of ours
// - i is bound to nothing: in its place a Turkish keyboard has ı

const PLACES = { "g q": "/cases/", "g a": "/approvals/" };
const FIELDS = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), select, textarea, [contenteditable]";
let first = ""; // the first key of two, such as the g of "g q"

// Keys of one's own (/profile/keys/): pairs of a key of ours and the one it has now, a space where it is switched off.
const OWN = new Map((document.body.dataset.keymap ?? "").match(/../gsu)?.map(([ours, own]) => [ours, own.trim()]));

/** The key of ours that a pressed one means; nothing for one that was given away or switched off. */
globalThis.keyOfOurs = (key) => [...OWN].find(([, own]) => own && own === key)?.[0] ?? (OWN.has(key) ? "" : key);

/** The key meant, whatever the keyboard: a sign or a Latin letter in lower case, else the name ("Enter"). */
function meant(event) {
  const { key, code } = event;
  if (key.length > 1) return key;
  const other = /^Key[A-Z]$/.test(code) && !/[\x20-\x7e]|\p{Script=Latin}/u.test(key);
  return globalThis.keyOfOurs(other ? code.slice(3).toLowerCase() : key.toLowerCase());
}

/** The keys that a page names beside its controls are those of whoever reads it. */
function nameOwn(part) {
  for (const each of part.querySelectorAll("kbd:not([data-own])")) {
    const own = OWN.get(each.textContent);
    if (own === undefined) continue;
    each.dataset.own = each.textContent;
    each.textContent = own || "–";
  }
}

if (OWN.size) {
  nameOwn(document);
  document.addEventListener("htmx:afterSettle", ({ target }) => nameOwn(target));
}

const visible = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? element.offsetParent !== null;

/** Do what a click or a visit of the element does: a field takes the focus, anything else acts. */
function use(element) {
  if (element.matches(FIELDS)) {
    element.focus();
    element.select?.();
  } else {
    element.click();
    if (element.matches("input")) element.focus();
  }
}

/** Move the mark to the next (1) or previous (-1) row of the list. */
function step(by) {
  const rows = [...document.querySelectorAll(".list tbody tr:has(.key)")].filter(visible);
  if (!rows.length) return false;
  const now = rows.findIndex((row) => row.classList.contains("here") || row.contains(document.activeElement));
  const next = rows[Math.min(Math.max(now + by, 0), rows.length - 1)];
  for (const row of rows) {
    row.classList.toggle("here", row === next);
    row.toggleAttribute("aria-current", false);
  }
  next.setAttribute("aria-current", "true");
  next.querySelector(".key").focus();
  return true;
}

// Who opens a case from a list and goes back finds the list as it was: the same row marked, at the same height.
const listed = () => `opened ${location.pathname}${location.search}`;

document.addEventListener("click", ({ target }) => {
  const row = target.closest?.(".list tbody .key")?.closest("tr");
  if (row) sessionStorage.setItem(listed(), JSON.stringify([row.querySelector(".key").pathname, scrollY]));
});

/** Mark the row that was opened from here, once. */
function returned() {
  const [opened, height] = JSON.parse(sessionStorage.getItem(listed()) ?? "[]");
  sessionStorage.removeItem(listed());
  const key = opened && [...document.querySelectorAll(".list tbody .key")].find((link) => link.pathname === opened);
  if (!key) return;
  key.closest("tr").classList.add("here");
  key.closest("tr").setAttribute("aria-current", "true");
  scrollTo(0, height);
  key.focus({ preventScroll: true });
}

returned();
addEventListener("pageshow", ({ persisted }) => persisted && returned());

/** Tick the box of the marked row, or take the tick away. */
function pick() {
  const row = document.querySelector(".list tbody tr.here") ?? document.activeElement?.closest(".list tbody tr");
  const box = row?.querySelector("input[type=checkbox]");
  box?.click();
  return Boolean(box);
}

/** What a key does when no element on the page claims it. Returns whether it did something. */
function act(key) {
  switch (key) {
    case "j":
      return step(1);
    case "k":
      return step(-1);
    case "x":
      return pick();
    case ".":
      document.querySelector(".idbar [data-copy]")?.click();
      return true;
    case "?":
      document.getElementById("keys-help")?.togglePopover();
      return true;
    default:
      return false;
  }
}

function claimed(key) {
  const all = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter(visible);
  if (all[0]) use(all[0]);
  return Boolean(all[0]);
}

/** Ctrl+Enter sends the form one is in, or presses the one button of the page that waits for it. */
function send(event) {
  const form = event.target.closest?.("form");
  if (form) form.requestSubmit(form.querySelector("[data-submit]"));
  else document.querySelector("[data-submit]")?.click();
  event.preventDefault();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.altKey) return send(event);
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const inField = event.target.matches?.(FIELDS);
  if (inField && event.key === "Escape") return event.target.blur();
  if (inField || document.body.dataset.keys === "off") return;
  const key = meant(event);
  if (key === "Enter" && event.target !== document.body && event.target.id !== "main" && !event.target.matches("h1")) return;
  const place = PLACES[`${first} ${key}`];
  first = key === "g" ? "g" : "";
  if (place) return location.assign(place);
  if (claimed(key) || act(key)) event.preventDefault();
});
