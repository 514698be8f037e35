// Beside the viewer: more pixels for who looks closer, and two files that are zoomed and turned together.

let shown = { zoom: 1, turn: 0 }; // how the file that was touched last is shown

/** A picture with more pixels, once for each page that is in sight; the log keeps that somebody asked for it. */
function sharpen(image) {
  const { full } = image.dataset;
  const box = image.closest("figure").getBoundingClientRect();
  if (box.bottom < 0 || box.top > innerHeight) return;
  delete image.dataset.full;
  const plain = image.src;
  image.addEventListener("error", () => (image.src = plain), { once: true });
  image.src = full;
}

function follow() {
  for (const viewer of document.querySelectorAll("[data-viewer]")) {
    viewer.dispatchEvent(new CustomEvent("viewer:as", { detail: shown }));
  }
}

const link = () => document.querySelector("[data-together]");

document.addEventListener("viewer:shown", ({ target, detail }) => {
  if (detail.zoom > 1) target.querySelectorAll("img[data-full]").forEach(sharpen);
  if (detail.zoom === shown.zoom && detail.turn === shown.turn) return;
  shown = detail;
  if (link()?.getAttribute("aria-pressed") === "true") follow();
});

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-together]");
  if (!button) return;
  button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
  if (button.getAttribute("aria-pressed") === "true") follow();
});

if (link()) link().hidden = document.querySelectorAll("[data-viewer]:has(figure img)").length < 2;
