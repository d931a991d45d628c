/* The administrator's forms: sifting long lists, Monday's hours for the working week, one more row. All works without. */
"use strict";
(function () {
  document.addEventListener("input", function (event) {
    if (!event.target.matches("[data-sift]")) return;
    const words = event.target.value.trim().toLowerCase();
    for (const one of event.target.parentElement.querySelectorAll(".check")) {
      one.hidden = words !== "" && !one.querySelector("input").checked && !one.textContent.toLowerCase().includes(words);
    }
  });

  document.addEventListener("click", function (event) {
    const monday = event.target.closest("[data-copy-monday]");
    if (monday) {
      const rows = [...monday.closest("[data-hours]").querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("input")]);
      for (const row of rows.slice(1, 5)) row.forEach(function (box, at) { box.value = rows[0][at].value; });
    }
    const more = event.target.closest("[data-more]");
    if (more) {
      const body = document.getElementById(more.dataset.more), last = body.rows[body.rows.length - 1], fresh = last.cloneNode(true);
      const number = body.rows.length;
      for (const box of fresh.querySelectorAll("input, select")) {
        if (box.type === "checkbox") { box.checked = false; box.value = String(number); } else box.value = "";
      }
      body.append(fresh);
      fresh.querySelector("input").focus();
    }
  });

  /* A time typed as 830 or 8:30 is meant as 08:30. */
  document.addEventListener("change", function (event) {
    if (!event.target.closest("[data-hours]") || !event.target.classList.contains("mono")) return;
    const found = /^(\d{1,2}):?(\d{2})$/.exec(event.target.value.trim());
    if (found) event.target.value = found[1].padStart(2, "0") + ":" + found[2];
  });
})();
