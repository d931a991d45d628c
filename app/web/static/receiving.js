/* A delivery, scanned piece by piece into a running list. It stays on this device until it is saved, as one receipt. */
"use strict";
(function () {
  const STORE = "sparelane.receiving";
  let form = null, words = null, known = null, lines = [], past = [];

  const say = (name, facts) => words[name].replace(/{(\w+)}/g, (_, key) => (facts && key in facts ? facts[key] : ""));
  const last = () => lines[lines.length - 1];

  function keep() {
    localStorage.setItem(STORE, JSON.stringify({ place: known.place, reference: form.elements.reference.value, lines: lines, parts: known.parts }));
  }
  function remember() {
    try {
      const kept = JSON.parse(localStorage.getItem(STORE));
      if (kept && kept.place === known.place) {
        lines = kept.lines;
        Object.assign(known.parts, kept.parts);
        form.elements.reference.value = kept.reference;
      }
    } catch (broken) { lines = []; }
  }

  const counts = (line) => (line.tracking === "serial" ? line.serials.length : line.quantity);
  function body(line) {
    const made = { part_number: line.part, quantity: counts(line) };
    if (line.tracking === "serial") made.serials = line.serials;
    if (line.lot) made.lot = line.lot;
    if (line.expires) made.expires_on = line.expires;
    if (line.bin) made.bin = line.bin;
    if (line.amount) made.unit_cost = { amount: line.amount, currency: line.currency || "CNY" };
    return made;
  }
  const whole = (line) => counts(line) > 0 && (line.tracking !== "lot" || Boolean(line.lot));

  function show() {
    form.elements.lines.value = JSON.stringify(lines.map(body));
    form.querySelector("[data-none]").hidden = lines.length > 0;
    form.querySelector("[data-undo]").disabled = !past.length;
    form.querySelector("[data-save]").disabled = !lines.length || !lines.every(whole);
    const line = last(), target = form.querySelector("[data-target]"), ask = form.querySelector("[data-ask]");
    target.textContent = line ? line.part : say("piece");
    ask.textContent = !line ? "" : line.tracking === "serial" ? say("serial") + " · " + line.serials.length : line.tracking === "lot" && !line.lot ? say("lot") : say("next");
    form.querySelector(".coming").replaceChildren(...lines.map(row).reverse());
    keep();
  }

  function row(line) {
    const one = document.getElementById("coming-line").content.firstElementChild.cloneNode(true);
    const put = (name, value) => { one.querySelector("[data-" + name + "]").textContent = value; };
    put("part", line.part);
    put("name", line.name);
    put("count", "×" + counts(line));
    put("pieces", line.serials.join(" · "));
    for (const field of one.querySelectorAll("[data-field]")) {
      const kind = field.dataset.field;
      field.hidden = (kind === "quantity" && line.tracking === "serial") || (kind === "lot" && line.tracking === "serial");
    }
    const bind = function (name, key, read) {
      const input = one.querySelector("[data-" + name + "]");
      if (!input) return;
      input.value = line[key] || "";
      input.addEventListener("change", function () { change(() => { line[key] = read ? read(input.value) : input.value.trim(); }); });
    };
    bind("quantity", "quantity", (value) => Math.max(1, Number.parseInt(value, 10) || 1));
    for (const [name, key] of [["lot", "lot"], ["expires", "expires"], ["bin", "bin"], ["amount", "amount"], ["currency", "currency"]]) bind(name, key);
    one.querySelector("[data-drop]").addEventListener("click", function () { change(() => { lines = lines.filter((each) => each !== line); }); });
    return one;
  }

  function change(how) {
    past.push(JSON.stringify(lines));
    form.querySelector("[data-wrong]").hidden = true;
    how();
    show();
  }
  function wrong(sentence) {
    const told = form.querySelector("[data-wrong]");
    told.textContent = sentence;
    told.hidden = false;
    window.sparelane.sound("wrong");
  }

  function begin(number, part, said) {
    change(function () {
      const line = last();
      if (line && line.part === number && line.tracking === "none") line.quantity += 1;
      else if (!line || line.part !== number || (line.tracking === "lot" && said.lot && line.lot && said.lot !== line.lot)) {
        lines.push({ part: number, name: part.name, tracking: part.tracking, quantity: 1, serials: [], lot: "", bin: line ? line.bin : "", expires: "" });
      } else if (line.tracking === "lot" && line.lot) line.quantity += 1;
      if (said.lot) last().lot = said.lot;
      if (said.serial && part.tracking === "serial" && !last().serials.includes(said.serial)) last().serials.push(said.serial);
    });
    window.sparelane.sound("ok");
  }

  async function partOf(code) {
    if (known.parts[code]) return known.parts[code];
    const answer = await fetch("/receiving/part?" + new URLSearchParams({ code: code }), { headers: { "HX-Request": "true" } });
    const found = answer.ok ? await answer.json() : null;
    if (found) known.parts[found.number] = { name: found.name, tracking: found.tracking };
    return found;
  }

  async function scan(raw) {
    const said = window.sparelane.read(raw), line = last(), code = said.part || raw;
    if (line && ((said.bin && said.place === known.place) || known.bins.includes(raw))) {
      change(() => { line.bin = said.bin || raw; });
      return window.sparelane.sound("ok");
    }
    if (lines.some((one) => one.serials.includes(said.serial || raw))) return wrong(say("twice", { scanned: said.serial || raw }));
    if (line && line.tracking === "serial" && !said.part && !known.parts[raw]) {
      change(() => line.serials.push(said.serial || raw));
      return window.sparelane.sound("ok");
    }
    if (line && line.tracking === "lot" && !line.lot && !said.part && !known.parts[raw]) {
      change(() => { line.lot = said.lot || raw; });
      return window.sparelane.sound("ok");
    }
    if (line && line.tracking === "lot" && (said.lot || raw) === line.lot) {
      change(() => { line.quantity += 1; });
      return window.sparelane.sound("ok");
    }
    let part = null;
    try { part = await partOf(code); } catch (away) { return wrong(say("away", { scanned: code })); }
    if (part) return begin(code, part, said);
    return wrong(say("unknown", { scanned: raw }));
  }

  function clear() {
    lines = [];
    past = [];
    localStorage.removeItem(STORE);
  }

  document.addEventListener("DOMContentLoaded", function () {
    form = document.getElementById("receive");
    const place = document.getElementById("choose-place");
    if (place) place.addEventListener("change", () => place.requestSubmit());
    if (!form) return;
    words = document.getElementById("receiving-words").dataset;
    known = JSON.parse(form.dataset.known);
    remember();
    show();
    document.addEventListener("scanned", function (event) { event.preventDefault(); scan(event.detail.code); });
    form.querySelector("[data-undo]").addEventListener("click", function () {
      lines = JSON.parse(past.pop());
      show();
    });
    form.elements.reference.addEventListener("change", keep);
    form.addEventListener("htmx:afterRequest", function (event) {
      if (event.detail.successful) clear();
    });
    form.addEventListener("queued", function () {
      window.sparelane.toast(words.kept, "done");
      clear();
      form.elements.reference.value = "";
      form.elements.once.value = "r" + Date.now() + Math.random();
      show();
    });
  });
})();
