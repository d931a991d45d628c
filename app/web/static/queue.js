/* What could not be sent waits on this device and is sent again with its idempotency key, so that nothing is lost and
   nothing is done twice. A form joins with data-queue="what it is, in words" and a hidden field `once` (its key). */
"use strict";
(function () {
  const STORE = "sparelane.queue", RETRY_MS = 5000;
  let sending = false;

  /* A device may be shared: whoever is signed in sees and sends what he or she recorded, nothing else. */
  function person() {
    const named = document.querySelector("meta[name=person]");
    return named ? named.content : "";
  }
  function own() {
    return read().filter((one) => one.person === person());
  }

  function read() {
    try { return JSON.parse(localStorage.getItem(STORE)) || []; } catch (broken) { return []; }
  }
  function write(items) {
    localStorage.setItem(STORE, JSON.stringify(items));
    show();
  }

  function keep(form) {
    const fields = [...new FormData(form)].filter((pair) => typeof pair[1] === "string");
    const key = (fields.find((pair) => pair[0] === "once") || [])[1];
    if (!key) return;
    const items = read();
    if (!items.some((one) => one.key === key)) {
      items.push({ key: key, path: form.getAttribute("hx-post") || form.action, fields: fields, words: form.dataset.queue, person: person(), refused: "" });
      write(items);
    }
    form.dispatchEvent(new CustomEvent("queued", { bubbles: true, detail: { key: key } }));
  }

  function show() {
    const chip = document.getElementById("queued");
    if (!chip) return;
    const items = own(), list = chip.querySelector("ul");
    chip.hidden = items.length === 0;
    chip.querySelector("b").textContent = String(items.length);
    list.replaceChildren(...items.map(function (one) {
      const row = document.createElement("li"), words = document.createElement("span");
      words.textContent = one.words + (one.refused ? " — " + one.refused : "");
      row.append(words);
      if (one.refused) {
        row.className = "is-late";
        const drop = document.createElement("button");
        drop.type = "button";
        drop.className = "quiet";
        drop.textContent = chip.dataset.drop;
        drop.addEventListener("click", function () { write(read().filter((each) => each.key !== one.key)); });
        row.append(drop);
      }
      return row;
    }));
  }

  async function send(one) {
    const token = document.querySelector("meta[name=form-token]");
    const fields = one.fields.map((pair) => (pair[0] === "token" && token ? ["token", token.content] : pair));
    const answer = await fetch(one.path, {
      method: "POST", body: new URLSearchParams(fields), credentials: "same-origin", redirect: "manual",
      headers: { "HX-Request": "true", "Idempotency-Key": one.key },
    });
    if (answer.status >= 500 || answer.status === 429 || answer.status === 401) return "later";
    if (answer.ok || answer.type === "opaqueredirect") return "";
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.body.textContent.trim().replace(/\s+/g, " ").slice(0, 300) || String(answer.status);
  }

  async function flush() {
    if (sending) return;
    sending = true;
    let sent = 0;
    try {
      for (const one of own()) {
        if (one.refused) continue;
        let outcome;
        try { outcome = await send(one); } catch (away) { break; }
        if (outcome === "later") break;
        if (outcome === "") {
          write(read().filter((each) => each.key !== one.key));
          sent += 1;
        } else {
          write(read().map((each) => (each.key === one.key ? Object.assign(each, { refused: outcome }) : each)));
          window.sparelane.toast(one.words + " — " + outcome, "wrong");
        }
      }
    } finally { sending = false; }
    if (sent) {
      const chip = document.getElementById("queued");
      window.sparelane.toast(chip.dataset.sent.replace("{count}", String(sent)), "done");
      document.body.dispatchEvent(new CustomEvent("live-changed"));
      document.dispatchEvent(new CustomEvent("queue-sent"));
    }
  }

  function connection(well) {
    const said = document.getElementById("offline");
    if (said) said.hidden = well;
    if (well) flush();
  }

  document.addEventListener("DOMContentLoaded", function () {
    show();
    flush();
    setInterval(function () { if (own().some((one) => !one.refused)) flush(); }, RETRY_MS);
    addEventListener("online", function () { connection(true); });
    addEventListener("offline", function () { connection(false); });
    if (navigator.onLine === false) connection(false);
    document.body.addEventListener("htmx:sendError", function (event) {
      const form = event.detail.elt.closest("form[data-queue]");
      if (form) keep(form);
    });
    if ("serviceWorker" in navigator && window.isSecureContext) navigator.serviceWorker.register("/worker.js").catch(function () {});
  });
})();
