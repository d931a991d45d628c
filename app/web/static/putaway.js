/* A bin's page: what is scanned is put here at once. */
"use strict";
document.addEventListener("scanned", function (event) {
  const form = document.getElementById("put-away");
  if (!form) return;
  event.preventDefault();
  const said = window.sparelane.read(event.detail.code);
  form.querySelector("#put-code").value = said.serial || said.lot || said.part || event.detail.code;
  form.requestSubmit();
});
