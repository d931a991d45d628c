/* Clocks tick on from the server's deadlines; a page's live parts are fetched again when the server says so.
   A live page has one #live element with data-stream; htmx fetches on the event "live-changed", "live-shown" comes after. */
"use strict";
(function () {
  let ahead = 0; // the server's clock minus ours, in milliseconds

  function readNow() {
    const shown = document.querySelector("[data-now]");
    if (shown) ahead = Number(shown.dataset.now) - Date.now();
  }

  /* Hours and minutes, `1:12`; null where days are better said in the server's words. */
  function span(ms) {
    const minutes = Math.floor(Math.abs(ms) / 60000);
    if (minutes >= 48 * 60) return null;
    return (ms < 0 ? "−" : "") + Math.floor(minutes / 60) + ":" + String(minutes % 60).padStart(2, "0");
  }

  let ranOut = new Set();
  function tick() {
    const now = Date.now() + ahead;
    for (const left of document.querySelectorAll("[data-due]")) {
      const due = Number(left.dataset.due), started = Number(left.dataset.started);
      const words = span(due - now);
      if (words !== null && words !== left.textContent) left.textContent = words;
      const clock = left.closest(".clock"), rest = clock && clock.querySelector(".rest");
      const share = Math.max(0, Math.min(100, (100 * (due - now)) / (due - started)));
      if (rest) rest.setAttribute("width", share.toFixed(1));
      const row = left.closest("[id]");
      if (due < now && row && row.dataset.standing !== "late" && !ranOut.has(row.id)) {
        ranOut.add(row.id);
        ask();
      }
    }
  }

  let last = 0, waiting = null;
  function ask() {
    const live = document.getElementById("live");
    if (!live || waiting) return;
    waiting = setTimeout(function () {
      waiting = null;
      last = Date.now();
      document.body.dispatchEvent(new CustomEvent("live-changed"));
    }, Math.max(0, 1000 - (Date.now() - last)));
  }

  function listen(live) {
    const stream = new EventSource(live.dataset.stream);
    stream.addEventListener("changed", ask);
    stream.addEventListener("ready", function () { connected(true); ask(); });
    stream.addEventListener("ended", function () { stream.close(); location.assign("/"); });
    stream.onerror = function () {
      if (stream.readyState === EventSource.CLOSED) setTimeout(function () { listen(live); ask(); }, 5000);
    };
    window.addEventListener("pagehide", function () { stream.close(); });
  }

  function connected(well) {
    const said = document.getElementById("offline");
    if (said) said.hidden = well;
  }

  /* What is under a pressed pointer stays until it is let go: a click needs the element that it began on. */
  let pressed = null, waits = false;
  function spare(event) {
    if (!pressed || !event.detail.target.contains(pressed)) return;
    event.detail.shouldSwap = false;
    waits = true;
  }
  function letGo() {
    setTimeout(function () { // after the click
      pressed = null;
      if (waits) ask();
      waits = false;
    });
  }

  /* What the reader had open, in hand or in view stays so; rows that changed show it. */
  let before = null;
  function remember(event) {
    if (before || event.detail.shouldSwap === false) return; // an answer that comes before the last one has settled must not forget what was open
    const focused = document.activeElement && document.activeElement.closest("[id]");
    before = {
      open: new Map([...document.querySelectorAll("details[id]")].map((one) => [one.id, one.open])),
      standing: new Map([...document.querySelectorAll(".request")].map((row) => [row.id, row.dataset.standing])),
      focus: focused && focused.id,
      part: focused ? [...focused.querySelectorAll("a, button, summary")].indexOf(document.activeElement) : -1,
      lanes: (document.querySelector(".lanes") || {}).scrollLeft || 0,
    };
  }
  function restore() {
    if (!before) return;
    for (const [id, open] of before.open) {
      const one = document.getElementById(id);
      if (one) one.open = open;
    }
    for (const row of document.querySelectorAll(".request")) {
      if (before.standing.get(row.id) !== row.dataset.standing) row.classList.add("moved");
    }
    const holder = before.focus && document.getElementById(before.focus);
    const lost = !document.activeElement || document.activeElement === document.body; // who went on stays where he is
    if (holder && lost) {
      const part = before.part >= 0 ? holder.querySelectorAll("a, button, summary")[before.part] : holder;
      if (part) part.focus({ preventScroll: true });
    }
    const lanes = document.querySelector(".lanes");
    if (lanes) lanes.scrollLeft = before.lanes;
    before = null;
    ranOut = new Set();
  }

  document.addEventListener("DOMContentLoaded", function () {
    readNow();
    tick();
    setInterval(tick, 1000);
    const live = document.getElementById("live");
    if (!live) return;
    document.addEventListener("pointerdown", function (event) { pressed = event.target; }, true);
    for (const name of ["pointerup", "pointercancel", "dragend"]) document.addEventListener(name, letGo, true);
    for (const name of ["htmx:beforeSwap", "htmx:oobBeforeSwap"]) document.body.addEventListener(name, spare);
    document.body.addEventListener("htmx:beforeSwap", remember);
    let settling = false; // every part settles by itself; the page is looked at once, when all have
    document.body.addEventListener("htmx:afterSettle", function () {
      if (settling) return;
      settling = true;
      requestAnimationFrame(function () {
        settling = false;
        readNow();
        restore();
        tick();
        connected(true);
        document.documentElement.dataset.shown = String(Number(document.documentElement.dataset.shown || 0) + 1);
        document.dispatchEvent(new CustomEvent("live-shown"));
      });
    });
    for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
      document.body.addEventListener(name, function () { connected(false); setTimeout(ask, 5000); });
    }
    setInterval(ask, 30000); // plans slip with time even when nothing is recorded
    listen(live);
  });
})();
