/* Asking and working on a request: the drawing chooses a part, dialogs close when their step is recorded, a scan lands in
   the right field, and whoever wants to is told when the state of a request changes. */
"use strict";
(function () {
  /* The drawing of a model: a box is the tile beside it. */
  function show() {
    const chosen = document.querySelector("input[name=position]:checked");
    for (const box of document.querySelectorAll("[data-pick]")) {
      box.classList.toggle("picked", Boolean(chosen) && box.dataset.pick === chosen.value);
    }
  }
  document.addEventListener("click", function (event) {
    const box = event.target.closest("[data-pick]");
    if (!box) return;
    const tile = [...document.querySelectorAll("input[name=position]")].find((one) => one.value === box.dataset.pick);
    if (tile) tile.click();
  });
  document.addEventListener("change", function (event) {
    if (event.target.name === "position") show();
    const files = event.target.type === "file" && event.target.form.querySelector("output[data-files='" + event.target.name + "']");
    if (files) files.textContent = [...event.target.files].map((one) => one.name).join(", ");
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  /* When a step was pressed, on the server's clock: it counts where the step is sent only later. */
  let ahead = 0;
  function readNow() {
    const shown = document.querySelector("[data-now]");
    if (shown) ahead = Number(shown.dataset.now) - Date.now();
  }
  document.addEventListener("submit", function (event) {
    const pressed = event.target.querySelector("[name=pressed_at]");
    if (pressed) pressed.value = new Date(Date.now() + ahead).toISOString();
  }, true);

  /* A scanner ends with Enter: that leads to the next field, and only from the last one to the button. */
  document.addEventListener("keydown", function (event) {
    const field = event.target;
    if (event.key !== "Enter" || !field.matches || !field.matches("[data-scan]")) return;
    event.preventDefault();
    const fields = [...field.form.querySelectorAll("[data-scan]")], next = fields[fields.indexOf(field) + 1];
    if (next) next.focus();
    else field.form.querySelector("button.main").focus();
  });

  /* A code scanned while no field waits: a piece given out for this request opens its fitting. */
  document.addEventListener("scanned", function (event) {
    const dialog = document.getElementById("do-fit");
    if (!dialog || !dialog.dataset.serials.split(" ").includes(event.detail.code)) return;
    event.preventDefault();
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[name=fitted_serial]").value = event.detail.code;
    dialog.querySelector("[name=removed_serial]").focus();
    window.sparelane.sound("ok");
  });

  function fresh(form) {
    const once = form.querySelector("[name=once]");
    if (once) once.value = [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
  }

  function formOf(event) {
    const source = event.detail.requestConfig ? event.detail.requestConfig.elt : event.detail.elt;
    return source && source.closest ? source.closest("dialog form") : null;
  }

  document.addEventListener("DOMContentLoaded", function () {
    show();
    readNow();
    /* What was recorded closes its dialog; what was refused is told inside it, above the backdrop. */
    document.body.addEventListener("htmx:beforeSwap", function (event) {
      const form = formOf(event);
      if (!form) return;
      const dialog = form.closest("dialog"), said = form.querySelector(".dialog-said");
      if (event.detail.xhr.status < 400) {
        dialog.close();
        form.reset();
        said.replaceChildren();
        fresh(form);
      } else {
        said.replaceChildren();
        event.detail.target = said;
        window.sparelane.sound("wrong");
      }
    });
    /* A dialog that is open stays as it is, whatever the page around it learns. */
    document.body.addEventListener("htmx:oobBeforeSwap", function (event) {
      if (event.detail.target.id === "dialogs" && document.querySelector("dialog[open]")) event.detail.shouldSwap = false;
    });
    document.addEventListener("queued", function (event) {
      const dialog = event.target.closest("dialog");
      if (!dialog) return;
      dialog.close();
      window.sparelane.toast(event.target.dataset.kept, "ok");
      event.target.reset();
      fresh(event.target);
    });
    told();
  });

  /* Told of changes: on the page always, by the device where the reader asked for it. */
  const WISH = "sparelane.tell";
  let known = new Map();
  function states() {
    return new Map([...document.querySelectorAll("[data-told]")].map((one) => [one.id, [one.dataset.state, one.dataset.told]]));
  }
  function wished() { return "Notification" in window && Notification.permission === "granted" && localStorage.getItem(WISH) === "yes"; }
  function told() {
    known = states();
    const button = document.getElementById("tell");
    if (button && "Notification" in window && Notification.permission !== "denied") {
      button.hidden = wished();
      button.addEventListener("click", async function () {
        if ((await Notification.requestPermission()) !== "granted") return;
        localStorage.setItem(WISH, "yes");
        button.hidden = true;
        window.sparelane.toast(button.dataset.on, "done");
      });
    }
    document.addEventListener("live-shown", function () {
      readNow();
      const now = states();
      for (const [id, [state, words]] of now) {
        const before = known.get(id);
        if (!before || before[0] === state) continue;
        window.sparelane.toast(words, "done");
        if (wished() && document.hidden) new Notification("Sparelane", { body: words, tag: id });
      }
      known = now;
    });
  }
})();
