// The parts of a case as tabs on a narrow window are links that work without script; this tells a screen reader which
// one shows, and keeps the page where it is while one changes between them.

function mark() {
  const links = [...document.querySelectorAll(".tabs.jump a")];
  if (!links.length) return;
  const place = `#${CSS.escape(location.hash.slice(1))}`;
  const named = location.hash && document.querySelector(`.panels > :is(${place}, :has(${place}))`);
  const shown = named ? `#${named.id}` : links[0].hash;
  for (const link of links) {
    if (link.hash === shown) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

addEventListener("hashchange", mark);
mark();
