// Selecting rows of a list: how many are selected, all of the page at once, and Shift for a range. Without script every
// box works alone, and the page that follows says how many there are.

const bar = document.querySelector(".picked");
const boxes = () => [...document.querySelectorAll("tbody .pick input[type=checkbox]")];
let last = null;

function count() {
  const all = boxes();
  const picked = all.filter((box) => box.checked).length;
  const said = bar.querySelector("[data-picked]");
  said.dataset.words ??= said.textContent;
  said.textContent = `${said.dataset.words}: ${picked}`;
  const page = bar.querySelector("[data-pick-page]");
  page.checked = picked > 0 && picked === all.length;
  page.indeterminate = picked > 0 && picked < all.length;
}

if (bar) {
  bar.querySelector("label[hidden]")?.removeAttribute("hidden");
  bar.querySelector("[data-pick-page]").addEventListener("change", ({ target }) => {
    for (const box of boxes()) box.checked = target.checked;
    count();
  });
  document.addEventListener("click", ({ target, shiftKey }) => {
    const all = boxes();
    if (!all.includes(target)) return;
    if (shiftKey && all.includes(last)) {
      const [from, to] = [all.indexOf(last), all.indexOf(target)].sort((a, b) => a - b);
      for (const box of all.slice(from, to + 1)) box.checked = target.checked;
    }
    last = target;
    count();
  });
  addEventListener("pageshow", count); // the browser keeps what was selected when one comes back
}
