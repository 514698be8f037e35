// A larger file of a form marked data-pieces="<address>" goes in pieces (tus 1.0), so that a lost connection costs one
// piece and not the file. It waits for the connection, goes on where it ended, also after the page was loaded anew, and
// says how far it is. Without script, and for small files, the form is sent as it is.

const WORTH = 1024 * 1024; // bytes from which pieces are worth their requests
const PIECE = 1024 * 1024;
const PAUSES = [1, 2, 4, 8, 15, 30]; // seconds between tries
const TRIES = 60; // without any progress

/** What the server said no to, in its words. */
class Refused extends Error {}

class Sending {
  constructor(form, file) {
    this.form = form;
    this.file = file;
    this.stop = new AbortController();
    this.panel = form.querySelector("[data-progress]");
    this.bar = this.panel.querySelector("progress");
    this.said = this.panel.querySelector("output");
    this.percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
  }

  async run() {
    this.show(0);
    this.key = await this.fingerprint();
    this.address = this.key && sessionStorage.getItem(this.key);
    let [tries, offset] = [0, this.address ? null : await this.insist(() => this.begin())];
    while (offset === null || offset < this.file.size) {
      const next = await this.insist(() => (offset === null ? this.ask() : this.piece(offset)));
      tries = next > (offset ?? -1) ? 0 : tries + 1;
      if (tries > TRIES) throw new Refused(this.panel.dataset.lost);
      offset = next;
      if (offset !== null) this.show(offset / this.file.size);
    }
    if (this.key) sessionStorage.removeItem(this.key);
    location.assign(this.form.dataset.after);
  }

  /** Try again while nobody answers; what was refused is refused. */
  async insist(act) {
    for (let tries = 0; ; tries += 1) {
      try {
        return await act();
      } catch (error) {
        if (error instanceof Refused || this.stop.signal.aborted || tries >= TRIES) throw error;
        this.said.textContent = this.panel.dataset.waits;
        await new Promise((done) => setTimeout(done, PAUSES[Math.min(tries, PAUSES.length - 1)] * 1000));
        if (this.address) return null; // it asks how far it came
      }
    }
  }

  async begin() {
    const [purpose, paper] = this.form.elements.shows.value.split(":");
    const said = { filename: this.file.name, filetype: this.file.type, purpose, document_type: paper ?? "" };
    const encode = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
    const metadata = Object.entries(said).map(([key, value]) => `${key} ${encode(value)}`);
    const answer = await this.call("POST", this.form.dataset.pieces, {
      "Upload-Length": this.file.size,
      "Upload-Metadata": metadata.join(","),
    });
    this.address = answer.headers.get("Location");
    if (this.key) sessionStorage.setItem(this.key, this.address);
    return 0;
  }

  async ask() {
    const answer = await this.call("HEAD", this.address, {}, null, [404, 410]);
    if (answer.ok) return Number(answer.headers.get("Upload-Offset"));
    this.address = null;
    return this.begin(); // its time was over
  }

  async piece(offset) {
    const type = { "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" };
    const data = this.file.slice(offset, offset + PIECE);
    const answer = await this.call("PATCH", this.address, type, data, [404, 409, 410]);
    return answer.ok ? Number(answer.headers.get("Upload-Offset")) : null;
  }

  async call(method, address, headers, body = null, allowed = []) {
    const token = this.form.elements.csrfmiddlewaretoken.value;
    const sent = { "Tus-Resumable": "1.0.0", "X-CSRFToken": token, ...headers };
    const answer = await fetch(address, { method, headers: sent, body, signal: this.stop.signal, redirect: "manual" });
    if (answer.ok || allowed.includes(answer.status)) return answer;
    if (answer.status >= 500) throw new Error(answer.status);
    const problem = method === "HEAD" ? {} : await answer.json().catch(() => ({}));
    throw new Refused(problem.detail ?? this.panel.dataset.lost);
  }

  /** Names this file of this form without saying anything of it; only where the browser can. */
  async fingerprint() {
    if (!crypto.subtle) return null;
    const { name, size, lastModified } = this.file;
    const words = [this.form.dataset.pieces, this.form.elements.shows.value, name, size, lastModified].join("\n");
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(words));
    return `upload:${[...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }

  async cancel() {
    this.stop.abort();
    this.stop = new AbortController();
    if (this.key) sessionStorage.removeItem(this.key);
    if (this.address) await this.call("DELETE", this.address, {}, null, [404]).catch(() => null);
  }

  show(share) {
    this.panel.hidden = false;
    this.bar.value = share;
    this.said.textContent = `${this.panel.dataset.sent} ${this.percent.format(share)}`;
  }
}

async function send(form, file) {
  const sending = new Sending(form, file);
  const button = form.querySelector("button:not([type=button])");
  const wrong = form.querySelector("[data-upload-wrong]");
  const cancel = form.querySelector("[data-cancel-upload]");
  const leaving = (event) => event.preventDefault();
  button.disabled = true;
  wrong.hidden = true;
  let given = false;
  cancel.onclick = () => {
    given = true;
    sending.cancel();
  };
  addEventListener("beforeunload", leaving);
  try {
    await sending.run().finally(() => removeEventListener("beforeunload", leaving));
  } catch (error) {
    sending.panel.hidden = true;
    button.disabled = false;
    button.focus();
    if (given) return;
    wrong.textContent = error instanceof Refused ? error.message : sending.panel.dataset.lost;
    wrong.hidden = false;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const file = form.matches?.("form[data-pieces]") ? form.elements.file.files[0] : null;
  if (!file || file.size < WORTH || !form.elements.shows.value) return;
  event.preventDefault();
  send(form, file);
});
