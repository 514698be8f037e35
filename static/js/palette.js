// The command palette (Ctrl+K): everything one can go to or do from this page, by its words. It reads them off the page,
// so it offers what the person may do and nothing else. What fits nothing is searched for.

const root = document.getElementById("palette");
const input = root?.querySelector("input");
const list = root?.querySelector("[role=listbox]");
const SOURCES = [
  ["here", "main .do a, main .do button, main .tabs a, main details.more > summary, main [data-command]"],
  ["go", ".rail a, .topbar .end a, .me a, .me button"],
];
let items = []; // [{words, group, run}]
let chosen = 0;

/** As people type it: no capitals, no marks, and one i. */
const fold = (text) => text.replace(/[Iİı]/g, "i").toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

/** The words of a control, without its count and its key. */
function wordsOf(element) {
  const copy = element.cloneNode(true);
  for (const extra of copy.querySelectorAll("kbd, svg, a > span:last-child:not(:only-child)")) extra.remove();
  return (copy.textContent.trim() || element.getAttribute("aria-label") || "").replace(/\s+/g, " ");
}

function collect() {
  const found = new Map();
  for (const [group, selector] of SOURCES) {
    for (const element of document.querySelectorAll(selector)) {
      const words = wordsOf(element);
      if (words && !element.disabled && !found.has(words)) found.set(words, { words, group, run: () => use(element) });
    }
  }
  return [...found.values()];
}

function use(element) {
  if (element.matches("input, textarea, select")) element.focus();
  else element.click();
}

function search(words) {
  const form = document.querySelector(".topbar .search");
  if (form) location.assign(`${form.getAttribute("action")}?q=${encodeURIComponent(words)}`);
}

function show() {
  const asked = fold(input.value.trim()).split(/\s+/).filter(Boolean);
  const fits = items.filter(({ words }) => asked.every((part) => fold(words).includes(part)));
  const typed = input.value.trim();
  const shown = typed ? [...fits, { words: `${root.dataset.search} ${typed}`, group: "search", run: () => search(typed) }] : fits;
  chosen = Math.min(chosen, Math.max(shown.length - 1, 0));
  list.replaceChildren(...shown.flatMap((item, place) => rowsOf(item, place, shown[place - 1]?.group)));
  input.setAttribute("aria-activedescendant", shown.length ? `command-${chosen}` : "");
  list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  return shown;
}

/** The row of one command, after the name of its group where that begins. */
function rowsOf(item, place, before) {
  const row = document.createElement("li");
  Object.assign(row, { id: `command-${place}`, textContent: item.words });
  row.setAttribute("role", "option");
  row.setAttribute("aria-selected", String(place === chosen));
  row.addEventListener("click", () => run(item));
  if (item.group === before || !root.dataset[item.group]) return [row];
  const head = document.createElement("li");
  head.setAttribute("role", "presentation");
  head.className = "group";
  head.textContent = root.dataset[item.group];
  return [head, row];
}

function run(item) {
  root.close();
  item.run();
}

function open() {
  items = collect();
  [input.value, chosen] = ["", 0];
  root.showModal();
  show();
  input.focus();
}

document.addEventListener("keydown", (event) => {
  if (!root || event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  if (root.open) root.close();
  else open();
});
document.addEventListener("click", (event) => {
  if (root && event.target.closest?.("[data-palette]")) open();
});
input?.addEventListener("input", () => {
  chosen = 0;
  show();
});
input?.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const shown = step || event.key === "Enter" ? show() : [];
  if (step) chosen = (chosen + step + shown.length) % Math.max(shown.length, 1);
  else if (event.key !== "Enter") return;
  event.preventDefault();
  event.stopPropagation();
  if (step) show();
  else if (shown[chosen]) run(shown[chosen]);
});
