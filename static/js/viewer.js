// The document viewer: larger, smaller, fit, rotate, move. By buttons, keys (+ - 0 r, arrows), wheel, pointer and two
// fingers. It changes how the picture is shown, never the file. Style is set through the style object, which a strict
// content security policy allows, and not through attributes, which it refuses.

const STEPS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8];
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const STRIDE = 48; // px an arrow moves the page

/** One file: its pages share size and rotation, and each is moved by itself. */
class Viewer {
  constructor(root) {
    this.root = root;
    this.scale = root.querySelector("[data-zoom]");
    this.percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
    this.fingers = new Map();
    this.sheets = [...root.querySelectorAll("figure:has(img)")].map((figure) => ({ figure, image: figure.querySelector("img") }));
    this.fit();
    root.querySelector("[data-tools]").hidden = false;
    root.addEventListener("click", (event) => this.press(event.target.closest("[data-view]")?.dataset.view));
    root.addEventListener("viewer:as", ({ detail: { zoom, turn } }) => (zoom === this.zoom && turn === this.turn) || ((this.turn = turn), this.to(zoom)));
    for (const sheet of this.sheets) this.listen(sheet);
  }

  listen(sheet) {
    const on = (name, does, options) => sheet.figure.addEventListener(name, does, options);
    sheet.figure.dataset.grab = "";
    on("wheel", (event) => this.wheel(event, sheet), { passive: false });
    on("pointerdown", (event) => this.down(event, sheet));
    on("pointermove", (event) => this.drag(event, sheet));
    on("pointerup", (event) => this.fingers.delete(event.pointerId));
    on("pointercancel", (event) => this.fingers.delete(event.pointerId));
    on("dblclick", () => (this.zoom === 1 ? this.to(2) : this.fit()));
    on("dragstart", (event) => event.preventDefault());
  }

  press(what) {
    const does = { in: () => this.step(1), out: () => this.step(-1), fit: () => this.fit(), rotate: () => this.rotate() };
    does[what]?.();
    return what in does;
  }

  fit() {
    [this.zoom, this.turn] = [1, 0];
    for (const sheet of this.sheets) [sheet.x, sheet.y] = [0, 0];
    this.show();
  }

  rotate() {
    this.turn = (this.turn + 90) % 360;
    this.show();
  }

  step(by) {
    const next = by > 0 ? STEPS.find((step) => step > this.zoom + 0.01) : STEPS.findLast((step) => step < this.zoom - 0.01);
    this.to(next ?? this.zoom);
  }

  /** Show at a size: 1 is the whole page. What is in the middle stays in the middle. */
  to(zoom) {
    const before = this.zoom;
    this.zoom = Math.min(Math.max(zoom, STEPS[0]), STEPS.at(-1));
    for (const sheet of this.sheets) {
      sheet.x *= this.zoom / before;
      sheet.y *= this.zoom / before;
    }
    this.show();
  }

  move(sheet, x, y) {
    sheet.x += x;
    sheet.y += y;
    this.show();
  }

  show() {
    for (const sheet of this.sheets) this.place(sheet);
    this.root.dispatchEvent(new CustomEvent("viewer:shown", { bubbles: true, detail: { zoom: this.zoom, turn: this.turn } }));
    if (this.scale) this.scale.textContent = this.percent.format(this.zoom);
  }

  /** Part of the page always stays in sight, whatever was asked. */
  place(sheet) {
    const { image, figure } = sheet;
    const reach = (size, frame) => Math.max(0, (size * this.zoom + frame) / 2 - 64);
    const [wide, high] = this.turn % 180 ? ["offsetHeight", "offsetWidth"] : ["offsetWidth", "offsetHeight"];
    const [x, y] = [reach(image[wide], figure.clientWidth), reach(image[high], figure.clientHeight)];
    sheet.x = Math.min(Math.max(sheet.x, -x), x);
    sheet.y = Math.min(Math.max(sheet.y, -y), y);
    image.style.setProperty("--zoom", this.zoom);
    image.style.setProperty("--turn", `${this.turn}deg`);
    image.style.setProperty("--pan-x", `${sheet.x}px`);
    image.style.setProperty("--pan-y", `${sheet.y}px`);
  }

  wheel(event, sheet) {
    if (!event.ctrlKey && this.zoom === 1) return; // the pages scroll until somebody made them larger
    event.preventDefault();
    if (event.ctrlKey) this.to(this.zoom * Math.exp(-event.deltaY / 300));
    else this.move(sheet, -event.deltaX, -event.deltaY);
  }

  down(event, { figure }) {
    if (event.button > 0) return;
    figure.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, event);
  }

  drag(event, sheet) {
    const last = this.fingers.get(event.pointerId);
    if (!last) return;
    const other = [...this.fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
    if (other) {
      const apart = (finger) => Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY);
      this.to((this.zoom * apart(event)) / Math.max(apart(last), 1));
    } else this.move(sheet, event.clientX - last.clientX, event.clientY - last.clientY);
    this.fingers.set(event.pointerId, event);
  }

  /** Returns whether the key was the viewer's. Arrows are, only while the picture has the focus. */
  key(event) {
    const sheet = this.sheets.find(({ figure }) => figure === event.target);
    if (sheet && event.key in ARROWS) {
      this.move(sheet, ...ARROWS[event.key].map((way) => way * STRIDE));
      return true;
    }
    return this.press({ "+": "in", "=": "in", "-": "out", 0: "fit", r: "rotate" }[globalThis.keyOfOurs?.(event.key.toLowerCase()) ?? event.key]);
  }
}

const viewers = new WeakMap();

function open(root) {
  for (const element of root.querySelectorAll("[data-viewer]:has(figure img)")) {
    if (!viewers.has(element)) viewers.set(element, new Viewer(element));
  }
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches?.("input:not([type=radio], [type=checkbox]), select, textarea");
  const inside = event.target.closest?.("[data-viewer]");
  if (typing || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (document.body.dataset.keys === "off" && !inside) return;
  const viewer = viewers.get(inside ?? document.querySelector("[data-viewer]:has(figure img)"));
  if (viewer?.key(event)) event.preventDefault();
});
document.addEventListener("htmx:afterSettle", ({ detail }) => open(detail.elt.parentElement ?? document));
open(document);
