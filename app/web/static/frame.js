/* What every page can do: the scan box, copying a code, menus, dialogs, toasts and their sounds. Nothing is fetched here. */
"use strict";
(function () {
  const EDITABLE = "input, textarea, select, [contenteditable]";
  const AGAIN_MS = 1500; // the same code within this time is one scan

  /* Scanning. A wedge scanner types: what is typed into no field goes to the scan box, F2 or / go there by hand. */
  function scanBox() { return document.getElementById("scan"); }

  function toScanBox(select) {
    const box = scanBox();
    if (!box) return false;
    box.focus({ preventScroll: true });
    if (select) box.select();
    return true;
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.closest && event.target.closest(EDITABLE);
    if (event.key === "F2" || (event.key === "/" && !typing)) {
      if (toScanBox(true)) event.preventDefault();
      return;
    }
    const pressable = event.target.closest && event.target.closest("button, a, summary, [tabindex='0']");
    if (!typing && event.key.length === 1 && !(event.key === " " && pressable)) toScanBox(false);
  });

  let lastCode = "", lastAt = 0;
  document.addEventListener("submit", function (event) {
    const form = event.target;
    if (!form.matches("form.scan")) return;
    const box = form.querySelector("#scan"), code = box.value.trim(), now = Date.now();
    const twice = code === lastCode && now - lastAt < AGAIN_MS;
    if (!code || twice) {
      event.preventDefault();
      box.value = "";
      return;
    }
    lastCode = code;
    lastAt = now;
    /* A page that takes scans itself (picking) answers this event and keeps the reader where he is. */
    const taken = !form.dispatchEvent(new CustomEvent("scanned", { bubbles: true, cancelable: true, detail: { code: code } }));
    if (taken) {
      event.preventDefault();
      box.value = "";
    }
  }, true);

  document.addEventListener("change", function (event) {
    if (event.target.matches("form.photo input[type=file]") && event.target.files.length) event.target.form.requestSubmit();
  });

  /* Copying, menus, dialogs. */
  document.addEventListener("click", function (event) {
    const code = event.target.closest("[data-copy]");
    if (code && navigator.clipboard) {
      navigator.clipboard.writeText(code.dataset.copy).then(function () {
        code.classList.add("copied");
        setTimeout(function () { code.classList.remove("copied"); }, 1500);
      });
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (dialog) { event.preventDefault(); dialog.showModal(); }
    }
    if (event.target.closest("[data-close]")) {
      const dialog = event.target.closest("dialog");
      if (dialog) { event.preventDefault(); dialog.close(); }
    }
    if (event.target.closest("[data-print]")) window.print();
    const dismissed = event.target.closest(".toast [data-dismiss]");
    if (dismissed) dismissed.closest(".toast").remove();
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  /* What was sent from a dialog and went through closes it, but for questions that are answered in it. */
  document.addEventListener("htmx:afterRequest", function (event) {
    const dialog = event.detail.elt.closest("dialog"), sent = event.detail.requestConfig;
    const well = event.detail.xhr && event.detail.xhr.status >= 200 && event.detail.xhr.status < 400;
    if (dialog && dialog.open && well && sent && sent.verb === "post" && event.detail.elt.dataset.stays === undefined) dialog.close();
  });

  /* Toasts: what was done goes by itself, what went wrong stays until it is read. */
  const SOUNDS = { ok: [[880, 0, 0.08]], wrong: [[220, 0, 0.18], [170, 0.2, 0.25]], done: [[660, 0, 0.08], [990, 0.09, 0.12]] };
  let audio = null;
  function sound(kind) {
    const Context = window.AudioContext || window.webkitAudioContext;
    if (!Context || !SOUNDS[kind]) return;
    document.documentElement.dataset.sounded = kind;
    try {
      audio = audio || new Context();
      for (const [hertz, at, lasts] of SOUNDS[kind]) {
        const tone = audio.createOscillator(), gain = audio.createGain();
        tone.frequency.value = hertz;
        tone.type = kind === "wrong" ? "square" : "sine";
        gain.gain.value = 0.12;
        tone.connect(gain).connect(audio.destination);
        tone.start(audio.currentTime + at);
        tone.stop(audio.currentTime + at + lasts);
      }
    } catch (silent) { audio = null; }
  }

  function settle(toast) {
    if (toast.dataset.settled) return;
    toast.dataset.settled = "1";
    if (toast.dataset.sound) sound(toast.dataset.sound);
    if (!toast.classList.contains("is-late")) setTimeout(function () { toast.remove(); }, 8000);
  }

  function toast(words, kind) {
    const holder = document.getElementById("toasts");
    const one = document.createElement("div");
    one.className = "toast is-" + (kind === "wrong" ? "late" : "ok");
    one.dataset.sound = kind || "ok";
    one.textContent = words;
    holder.append(one);
  }

  document.addEventListener("DOMContentLoaded", function () {
    const toasts = document.getElementById("toasts");
    if (toasts) {
      for (const one of toasts.querySelectorAll(".toast")) settle(one);
      new MutationObserver(function (changes) {
        for (const change of changes) for (const one of change.addedNodes) if (one.nodeType === 1) settle(one);
      }).observe(toasts, { childList: true });
    }
    const fine = window.matchMedia("(pointer: fine)").matches;
    if (fine && !document.querySelector("[autofocus], main form.fill")) toScanBox(false);
  });

  window.sparelane = { sound: sound, toast: toast, scanBox: scanBox, toScanBox: toScanBox };
})();
