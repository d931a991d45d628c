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
    const files = event.target.type === "file" && document.querySelector("output[data-files='" + event.target.name + "']");
    if (files) files.textContent = [...event.target.files].map((one) => one.name).join(", ");
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });
  document.addEventListener("DOMContentLoaded", show);
})();
