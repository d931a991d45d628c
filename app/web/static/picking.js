/* One step at a time: bin, piece, quantity, done. Each scan is checked here at once against what the page carries, and
   by the server when a line is done; what was scanned survives a reload and a lost connection. */
"use strict";
(function () {
  const read = (code) => window.sparelane.read(code);
  let words = null, gone = null, wrongAsked = 0;

  const stage = () => document.getElementById("pick");
  const say = (name, facts) => words[name].replace(/{(\w+)}/g, (_, key) => (facts && key in facts ? facts[key] : ""));
  const all = (rule, root) => [...(root || document).querySelectorAll(rule)];

  /* What was scanned of a line lives as long as the tab, under the holds it is for. */
  const storeOf = (plan) => "sparelane.pick." + plan.id + "." + plan.held;
  function history(plan) {
    try { return JSON.parse(sessionStorage.getItem(storeOf(plan))) || []; } catch (broken) { return []; }
  }
  function keep(plan, scans) { sessionStorage.setItem(storeOf(plan), JSON.stringify(scans)); }

  /* Where a line stands after its scans. */
  function replay(plan, scans) {
    const groups = plan.groups.map((one) => ({ bin: one.bin, here: !one.bin, left: Object.assign({}, one.codes) }));
    const open = () => groups.find((one) => !one.here || Object.values(one.left).some((n) => n > 0));
    for (const scan of scans) {
      const group = open();
      if (!group) break;
      if (scan.bin) group.here = true;
      else group.left[scan.for] -= scan.count;
    }
    const group = open(), codes = group ? Object.keys(group.left).filter((code) => group.left[code] > 0) : [];
    return { group: group, codes: codes, done: !group };
  }

  function current() {
    for (const section of all("[data-line]", stage())) {
      const plan = JSON.parse(section.dataset.plan);
      if (!gone.has(plan.id + plan.held)) return { section: section, plan: plan, scans: history(plan) };
    }
    return null;
  }

  function fill(list, scans) {
    list.replaceChildren(...scans.map(function (one) {
      const row = document.createElement("li");
      row.textContent = "✔ " + (one.bin || one.code) + (one.count > 1 ? " ×" + one.count : "");
      return row;
    }));
  }

  function show() {
    const now = current(), step = now ? "pick" : stage().dataset.step === "pick" ? "pack" : stage().dataset.step;
    for (const section of all("[data-line]", stage())) section.hidden = !now || section !== now.section;
    for (const panel of all("[data-panel]", stage())) panel.hidden = panel.dataset.panel !== (gone.has(step) ? next(step) : step);
    for (const row of all("[data-of]", stage())) row.classList.toggle("here", Boolean(now) && row.dataset.of === now.plan.id);
    ways();
    if (!now) return;
    const stands = replay(now.plan, now.scans), section = now.section;
    section.querySelector("[data-undo]").disabled = !now.scans.length;
    fill(section.querySelector("[data-taken]"), now.scans);
    if (stands.done) return;
    const group = stands.group, target = section.querySelector("[data-target]"), ask = section.querySelector("[data-ask]");
    const code = stands.codes[0], total = group.here && Object.values(now.plan.groups.find((one) => one.bin === group.bin).codes).reduce((a, b) => a + b, 0);
    const left = Object.values(group.left).reduce((a, b) => a + b, 0), many = now.plan.tracking !== "serial" && group.here && group.left[code] > 1;
    target.textContent = !group.here ? group.bin : now.plan.tracking === "none" ? now.plan.part : stands.codes.join(" · ");
    target.classList.toggle("is-long", target.textContent.length > 9 && target.textContent.length < 18);
    target.classList.toggle("is-very-long", target.textContent.length > 17);
    ask.textContent = !group.here ? say("bin") : say(now.plan.tracking === "none" ? "piece" : now.plan.tracking) + (total > 1 ? " · " + say("taken", { count: total - left, all: total }) : "");
    const rest = section.querySelector("[data-rest]");
    rest.hidden = !many || !now.scans.some((one) => one.for === code);
    rest.textContent = many ? say("rest", { count: group.left[code] }) : "";
    section.dataset.wants = group.here ? "piece" : "bin";
  }
  const next = (step) => (step === "pack" ? "hand_over" : "done");

  /* A sentence whose codes are never broken across lines. */
  function tell(element, sentence) {
    element.replaceChildren(...sentence.split(/([A-Za-z0-9]+(?:-[A-Za-z0-9]+)+)/).map(function (one, at) {
      if (at % 2 === 0) return one;
      const code = document.createElement("code");
      code.textContent = one;
      return code;
    }));
  }

  function wrong(section, sentence) {
    const told = section.querySelector("[data-wrong]");
    tell(told, sentence);
    told.hidden = false;
    section.classList.add("is-late");
    window.sparelane.sound("wrong");
  }
  function right(section) {
    section.querySelector("[data-wrong]").hidden = true;
    section.classList.remove("is-late");
  }

  function accept(now, scan) {
    right(now.section);
    const scans = now.scans.concat([scan]);
    keep(now.plan, scans);
    if (replay(now.plan, scans).done) return finish(now, scans);
    window.sparelane.sound("ok");
    show();
  }

  function finish(now, scans) {
    const form = now.section.querySelector("form");
    all("[name=pieces], [name=bins]", form).forEach((one) => one.remove());
    const add = function (name, value) {
      const field = document.createElement("input");
      field.type = "hidden"; field.name = name; field.value = value;
      form.append(field);
    };
    const pieces = scans.filter((one) => !one.bin).map((one) => one.code);
    for (const one of now.plan.tracking === "serial" ? pieces : new Set(pieces)) add("pieces", one);
    for (const one of new Set(scans.filter((one) => !one.bin).map((one) => one.from).filter(Boolean))) add("bins", one);
    fill(now.section.querySelector("[data-taken]"), scans);
    form.requestSubmit();
  }

  /* The device says what is wrong at once; the server, where it can be reached, knows what the thing is and where it lives. */
  function refuse(now, code, stands) {
    const bins = now.plan.groups.map((one) => one.bin).filter(Boolean);
    const facts = { scanned: code, part: now.plan.part, bin: stands.group.bin || "" };
    if (!stands.group.here) wrong(now.section, say(bins.includes(code) || !knows(now.plan, code) ? "wrongBin" : "binFirst", facts));
    else wrong(now.section, say(stands.group.bin ? "wrong" : "wrongLoose", facts));
    if (!stands.group.here) return;
    const asked = ++wrongAsked, query = new URLSearchParams({ line: now.plan.id, code: code });
    fetch("/picking/" + encodeURIComponent(stage().dataset.request) + "/part?" + query, { headers: { "HX-Request": "true" } })
      .then((answer) => (answer.ok ? answer.text() : ""))
      .then(function (sentence) {
        const told = now.section.querySelector("[data-wrong]");
        if (sentence && asked === wrongAsked && !told.hidden) tell(told, sentence);
      })
      .catch(function () { /* what the device said stands */ });
  }
  const knows = (plan, code) => code === plan.part || code in plan.instead || plan.groups.some((one) => code in one.codes);

  function scanLine(now, raw) {
    const said = read(raw), stands = replay(now.plan, now.scans), plan = now.plan, group = stands.group;
    const code = said.bin || said.serial || said.lot || said.part || raw;
    if (!group) return finish(now, now.scans);
    if (!group.here) {
      if ((said.bin || raw) === group.bin) return accept(now, { bin: group.bin });
      return refuse(now, code, stands);
    }
    if ((said.bin || raw) === group.bin) { right(now.section); return window.sparelane.sound("ok"); }
    if (said.part && said.part !== plan.part) return refuse(now, said.part, stands);
    const seen = now.scans.some((one) => one.code === code);
    const meant = plan.tracking === "none" ? said.part || raw : plan.tracking === "lot" ? said.lot || raw : said.serial || raw;
    if (plan.tracking === "serial" && seen) return wrong(now.section, say("twice", { scanned: code }));
    if (group.left[meant] > 0) return accept(now, { code: meant, for: meant, from: group.bin, count: 1 });
    if (meant in group.left) return wrong(now.section, say("enough", { scanned: meant }));
    if (meant in plan.instead && plan.instead[meant] === group.bin) return accept(now, { code: meant, for: stands.codes[0], from: group.bin, count: 1 });
    if (code === plan.part && plan.tracking !== "none") { right(now.section); window.sparelane.sound("ok"); return hint(now.section, say(plan.tracking + "Next")); }
    return refuse(now, code, stands);
  }
  function hint(section, sentence) { section.querySelector("[data-ask]").textContent = sentence; }

  /* Packing and handing over take scans too: a packed piece, a badge, a waybill. */
  function scanPanel(raw) {
    const panel = all("[data-panel]", stage()).find((one) => !one.hidden);
    if (!panel) return false;
    const said = read(raw), form = panel.querySelector("form");
    if (panel.dataset.panel === "pack") {
      const packed = panel.textContent, code = said.best;
      if (code === stage().dataset.request || code === stage().dataset.label || packed.includes(code)) form.requestSubmit();
      else { window.sparelane.toast(say("wrongLoose", { scanned: code, part: panel.querySelector("code").textContent }), "wrong"); }
      return true;
    }
    const courier = form.querySelector("#courier"), known = all("option", courier).some((one) => one.value === raw);
    if (known) {
      form.querySelector("[name=way][value=courier]").checked = true;
      courier.value = raw;
    } else {
      form.querySelector("[name=way][value=carrier]").checked = true;
      form.querySelector("#waybill").value = raw;
    }
    ways();
    if (known || form.querySelector("#carrier").value) form.requestSubmit();
    return true;
  }

  function ways() {
    const form = document.querySelector("[data-panel=hand_over] form");
    const way = form && form.querySelector("[name=way]:checked");
    for (const one of form ? all("[data-way]", form) : []) one.hidden = !way || one.dataset.way !== way.value;
  }

  function claim() {
    const token = document.querySelector("meta[name=form-token]");
    if (!current() || !token) return;
    fetch("/picking/" + encodeURIComponent(stage().dataset.request) + "/claim", {
      method: "POST", body: new URLSearchParams({ token: token.content }), headers: { "HX-Request": "true", "Idempotency-Key": "claim-" + Date.now() + "-" + Math.random() },
    }).catch(function () { /* a claim only warns */ });
  }

  document.addEventListener("scanned", function (event) {
    if (!stage()) return;
    const now = current();
    if (now) { event.preventDefault(); scanLine(now, event.detail.code); }
    else if (scanPanel(event.detail.code)) event.preventDefault();
  });

  document.addEventListener("click", function (event) {
    const now = current();
    if (!now) return;
    if (event.target.closest("[data-undo]")) {
      keep(now.plan, now.scans.slice(0, -1));
      right(now.section);
      show();
    } else if (event.target.closest("[data-rest]")) {
      const stands = replay(now.plan, now.scans), code = stands.codes[0];
      accept(now, { code: code, for: code, from: stands.group.bin, count: stands.group.left[code] });
    }
    window.sparelane.toScanBox(false);
  });
  document.addEventListener("change", function (event) { if (event.target.name === "way") ways(); });

  /* Kept while there is no connection: this step is done here, and the next one is shown. */
  document.addEventListener("queued", function (event) {
    const section = event.target.closest("[data-line], [data-panel]");
    if (!section) return;
    if (section.dataset.line) {
      const plan = JSON.parse(section.dataset.plan);
      gone.add(plan.id + plan.held);
    } else gone.add(section.dataset.panel);
    window.sparelane.toast(words.kept, "done");
    show();
  });
  /* Refused by the server: the toast says why, and the line begins anew. What was our trouble can be sent again. */
  document.addEventListener("htmx:afterRequest", function (event) {
    const section = event.target.closest && event.target.closest("[data-line]"), status = event.detail.xhr && event.detail.xhr.status;
    if (!section || !(status >= 400)) return;
    const plan = JSON.parse(section.dataset.plan);
    keep(plan, status < 500 ? [] : history(plan).slice(0, -1));
    show();
  });
  /* Packed: its label opens for the printer by itself; a browser that will not let it has the button. */
  document.addEventListener("htmx:beforeOnLoad", function (event) {
    const form = event.target.closest && event.target.closest("form[data-paper]");
    if (form && event.detail.xhr.status < 400) window.open(form.dataset.paper, "_blank");
  });
  document.addEventListener("queue-sent", function () { location.reload(); });

  document.addEventListener("DOMContentLoaded", function () {
    if (!stage()) return;
    words = document.getElementById("picking-words").dataset;
    gone = new Set();
    show();
    claim();
    setInterval(claim, 120000);
    let shown = stage();
    document.addEventListener("live-shown", function () {
      if (stage() === shown) return;
      const other = shown.dataset.step !== stage().dataset.step && stage().querySelector("#by-others");
      shown = stage();
      if (window.htmx) window.htmx.process(shown);
      if (other) window.sparelane.toast(other.textContent.trim(), "wrong");
      show();
    });
  });
})();
