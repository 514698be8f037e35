// The document viewer: larger, smaller, fit, rotate, move. By buttons, keys (+ - 0 r, arrows), wheel, pointer and two
// fingers. It changes how the picture is shown, never the file. Style is set through the style object, which a strict
// content security policy allows, and not through attributes, which it refuses.

const STEPS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8];
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const STRIDE = 48; // px an arrow moves the page

class Viewer {
  constructor(root) {
    this.root = root;
    this.figure = root.querySelector("figure");
    this.image = root.querySelector("figure img");
    this.scale = root.querySelector("[data-view-scale]");
    this.percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
    this.fingers = new Map();
    this.fit();
    root.querySelector(".tools").hidden = false;
    root.addEventListener("click", (event) => this.press(event.target.closest("[data-view]")?.dataset.view));
    this.figure.dataset.grab = "";
    this.figure.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.figure.addEventListener("pointerdown", (event) => this.down(event));
    this.figure.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      this.figure.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    }
    this.figure.addEventListener("dblclick", () => (this.zoom === 1 ? this.to(2) : this.fit()));
  }

  press(what) {
    const does = { in: () => this.step(1), out: () => this.step(-1), fit: () => this.fit(), rotate: () => this.rotate() };
    does[what]?.();
    return what in does;
  }

  fit() {
    [this.zoom, this.turn, this.x, this.y] = [1, 0, 0, 0];
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
    this.x *= this.zoom / before;
    this.y *= this.zoom / before;
    this.show();
  }

  move(x, y) {
    this.x += x;
    this.y += y;
    this.show();
  }

  /** Part of the page always stays in sight, whatever was asked. */
  show() {
    const reach = (size, frame) => Math.max(0, (size * this.zoom + frame) / 2 - 64);
    const [wide, high] = this.turn % 180 ? ["offsetHeight", "offsetWidth"] : ["offsetWidth", "offsetHeight"];
    const [x, y] = [reach(this.image[wide], this.figure.clientWidth), reach(this.image[high], this.figure.clientHeight)];
    this.x = Math.min(Math.max(this.x, -x), x);
    this.y = Math.min(Math.max(this.y, -y), y);
    const style = this.image.style;
    style.setProperty("--zoom", this.zoom);
    style.setProperty("--turn", `${this.turn}deg`);
    style.setProperty("--pan-x", `${this.x}px`);
    style.setProperty("--pan-y", `${this.y}px`);
    if (this.scale) this.scale.textContent = this.percent.format(this.zoom);
  }

  wheel(event) {
    if (!event.ctrlKey && this.zoom === 1) return; // the page scrolls until somebody made the picture larger
    event.preventDefault();
    if (event.ctrlKey) this.to(this.zoom * Math.exp(-event.deltaY / 300));
    else this.move(-event.deltaX, -event.deltaY);
  }

  down(event) {
    if (event.button > 0) return;
    this.figure.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, event);
  }

  drag(event) {
    const last = this.fingers.get(event.pointerId);
    if (!last) return;
    const other = [...this.fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
    if (other) {
      const apart = (finger) => Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY);
      this.to((this.zoom * apart(event)) / Math.max(apart(last), 1));
    } else this.move(event.clientX - last.clientX, event.clientY - last.clientY);
    this.fingers.set(event.pointerId, event);
  }

  /** Returns whether the key was the viewer's. Arrows are, only while the picture has the focus. */
  key(event) {
    if (event.target === this.figure && event.key in ARROWS) {
      this.move(...ARROWS[event.key].map((way) => way * STRIDE));
      return true;
    }
    return this.press({ "+": "in", "=": "in", "-": "out", 0: "fit", r: "rotate", R: "rotate" }[event.key]);
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
