/* What a scanned code says: a plain word, a GS1 element string, or the address on a label of ours. Nothing is asked here. */
"use strict";
(function () {
  const FIXED = { "01": 14, "02": 14, "11": 6, "13": 6, "15": 6, "17": 6 };
  const MEANS = { "240": "part", "241": "part", "21": "serial", "10": "lot" };

  /* "(240)PSU-12V-5A(21)S-1" or "]C1240PSU-12V-5A<GS>21S-1". */
  function elements(code) {
    const found = {};
    if (/^\(\d{2,4}\)/.test(code)) {
      for (const each of code.matchAll(/\((\d{2,4})\)([^(]*)/g)) if (MEANS[each[1]]) found[MEANS[each[1]]] = each[2];
      return found;
    }
    const marked = /^\](C1|e0|d2|Q3|J1)/.test(code);
    if (!marked && !code.includes("\x1d")) return found;
    let rest = code.replace(/^\][A-Za-z]\d/, "").replace(/^\x1d/, "");
    while (rest) {
      const two = rest.slice(0, 2), three = rest.slice(0, 3), key = MEANS[three] ? three : two;
      const size = FIXED[key], end = rest.indexOf("\x1d");
      if (!size && !MEANS[key]) return found;
      const stop = size ? key.length + size : end < 0 ? rest.length : end;
      if (MEANS[key]) found[MEANS[key]] = rest.slice(key.length, stop);
      rest = rest.slice(stop).replace(/^\x1d/, "");
    }
    return found;
  }

  function address(code) {
    if (!/^https?:\/\//i.test(code)) return {};
    try {
      const url = new URL(code), parts = url.pathname.split("/").map(decodeURIComponent), asked = url.searchParams;
      if (parts[1] === "stock" && parts[2] === "parts") return { part: parts[3], serial: asked.get("serial"), lot: asked.get("lot") };
      if (parts[1] === "stock" && parts[2] === "bins") return { place: parts[3], bin: parts[4] };
      if (parts[1] === "r" || parts[1] === "picking" || parts[1] === "requests") return { request: parts[2] };
    } catch (broken) { /* no address after all */ }
    return {};
  }

  function read(code) {
    const said = Object.assign({}, elements(code), address(code));
    said.best = said.serial || said.lot || said.part || said.bin || said.request || code;
    return said;
  }

  window.sparelane.read = read;
})();
