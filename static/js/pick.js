// <input type="search" data-pick="<id of a list>" hidden>: typing leaves the items whose data-words hold every word typed,
// by code or in any language they are named in. What is chosen stays in sight. Without script the whole list shows.

const fold = (text) =>
  text.replace(/[Iİı]/g, "i").toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[_-]/g, " ");

function narrow(input) {
  const wanted = fold(input.value).split(/\s+/).filter(Boolean);
  for (const item of document.getElementById(input.dataset.pick).children) {
    const words = fold(item.dataset.words ?? "").split(/\s+/);
    const found = wanted.every((part) => words.some((word) => word.startsWith(part)));
    item.toggleAttribute("data-away", !found && !item.querySelector(":checked"));
  }
}

/** Enter chooses the first that is left. */
function choose(event) {
  const input = event.target.closest?.("[data-pick]");
  if (!input || event.key !== "Enter" || event.ctrlKey) return;
  event.preventDefault();
  const items = [...document.getElementById(input.dataset.pick).children];
  const box = items.find((item) => !item.hasAttribute("data-away") && !item.querySelector(":checked"))?.querySelector("input");
  if (!box || !input.value.trim()) return;
  box.click();
  input.value = "";
  narrow(input);
}

for (const input of document.querySelectorAll("[data-pick]")) input.hidden = false;
document.addEventListener("input", ({ target }) => target.matches?.("[data-pick]") && narrow(target));
document.addEventListener("keydown", choose);
