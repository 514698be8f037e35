// <button hidden data-copy="KYC-26-004813-9" data-copied="Copied">: shown when it can work, copies and says so.

function show(root) {
  if (!navigator.clipboard) return; // only over https or on this machine
  for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  document.dispatchEvent(new CustomEvent("say", { detail: button.dataset.copied ?? document.body.dataset.copied }));
});

document.addEventListener("htmx:afterSettle", ({ detail }) => show(detail.elt));
show(document);
