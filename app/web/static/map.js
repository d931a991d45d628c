/* The map: a plain ground with a grid and a scale; nothing is fetched for it. Draws what #map-facts says. */
"use strict";
(function () {
  const SHAPES = {
    ok: '<circle class="in" cx="11" cy="11" r="4"/>',
    risk: '<path class="in" d="M11 5.5 16.2 14.5H5.8z"/>',
    late: '<rect class="in" x="6.5" y="6.5" width="9" height="9"/>',
    paused: '<path class="in" d="M6.5 6.5h3v9h-3zM12.5 6.5h3v9h-3z"/>',
  };
  const URGENCY = { late: 400, risk: 300, ok: 200, paused: 100 };

  let map, drawn, names = [];

  function picture(kind, size, inside, anchor) {
    const svg = '<svg class="pin ' + kind + '" width="' + size + '" height="' + size + '" viewBox="0 0 ' + size + " " + size + '">' + inside + "</svg>";
    return L.divIcon({ html: svg, className: "", iconSize: [size, size], iconAnchor: anchor || [size / 2, size / 2] });
  }

  function escaped(words) {
    const holder = document.createElement("i");
    holder.textContent = words;
    return holder.innerHTML;
  }

  function named(marker, words, weight, kind, offset) {
    marker.bindTooltip(escaped(words), {
      permanent: true, direction: kind === "area" ? "center" : "right", className: "name " + kind, offset: offset || [8, 0],
    });
    if (kind !== "area") names.push({ marker: marker, weight: weight });
    return marker;
  }

  /* An encoded line as points: differences in units of 1e-5 degrees, five bits a character. */
  function decoded(line) {
    const points = [], values = [0, 0];
    for (let at = 0, axis = 0; at < line.length; axis = 1 - axis) {
      let value = 0, shift = 0, bits;
      do {
        bits = line.charCodeAt(at++) - 63;
        value |= (bits & 31) << shift;
        shift += 5;
      } while (bits >= 32);
      values[axis] += value & 1 ? ~(value >> 1) : value >> 1;
      if (axis) points.push([values[0] / 1e5, values[1] / 1e5]);
    }
    return points;
  }

  /* The way along roads where they are known, straight where they are not. */
  function way(route) {
    return route.path.flatMap(function (point, at) {
      const line = at ? route.roads[at - 1] : null;
      return line ? [...decoded(line), point] : [point];
    });
  }

  function draw() {
    const facts = JSON.parse(document.getElementById("map-facts").dataset.map);
    drawn.clearLayers();
    names = [];
    for (const area of facts.areas) {
      const middle = L.marker(area.at, { icon: picture("none", 1, ""), keyboard: false, interactive: false });
      named(middle, area.name, 0, "area", [0, -48]).addTo(drawn);
    }
    for (const route of facts.routes) {
      if (route.path.length > 1) L.polyline(way(route), { className: "route c" + route.color, interactive: false, weight: 3 }).addTo(drawn);
    }
    for (const place of facts.places) {
      const own = place.kind === "own" || place.kind === "branch" || place.kind === "van";
      const icon = picture("place " + (own ? "own" : "reported"), 14, '<rect class="frame" x="2" y="2" width="10" height="10"/>');
      named(L.marker(place.at, { icon: icon, keyboard: false, zIndexOffset: 50 }), place.name, place.kind === "van" ? 60 : 250, "faint").addTo(drawn);
    }
    for (const site of facts.sites) {
      const icon = picture("site is-" + site.standing, 22, '<circle class="frame" cx="11" cy="11" r="9"/>' + SHAPES[site.standing]);
      const words = site.name + (site.count > 1 ? " ×" + site.count : "");
      const marker = L.marker(site.at, { icon: icon, title: words + ": " + site.labels.join(", "), alt: words, zIndexOffset: URGENCY[site.standing] });
      named(marker, words, URGENCY[site.standing] + 60, "", [12, 0]).addTo(drawn);
    }
    for (const route of facts.routes) {
      for (const stop of route.stops) {
        const icon = picture("stop c" + route.color, 16, '<circle cx="8" cy="8" r="8"/><text x="8" y="12">' + stop.n + "</text>", [20, 18]);
        L.marker(stop.at, { icon: icon, keyboard: false, interactive: false, zIndexOffset: 600 }).addTo(drawn);
      }
      if (route.here) {
        const icon = picture("courier c" + route.color, 14, '<circle class="frame" cx="7" cy="7" r="6"/>', [7, route.path.length > 1 ? 7 : -2]);
        L.marker(route.here, { icon: icon, keyboard: false, title: route.courier, zIndexOffset: 500 }).addTo(drawn);
      }
    }
    uncover();
    return facts;
  }

  /* Names that would lie on a more urgent name are hidden until there is room. */
  function uncover() {
    const taken = [];
    for (const one of [...names].sort((a, b) => b.weight - a.weight)) {
      const tooltip = one.marker.getTooltip().getElement();
      if (!tooltip) continue;
      const box = tooltip.getBoundingClientRect();
      const covered = taken.some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom);
      tooltip.classList.toggle("covered", covered);
      if (!covered) taken.push(box);
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    const holder = document.getElementById("map");
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    map = L.map(holder, { attributionControl: false, zoomSnap: 0.25, minZoom: 4, maxZoom: 16, zoomAnimation: !still, fadeAnimation: false, markerZoomAnimation: !still });
    const Grid = L.GridLayer.extend({
      createTile: function () {
        const tile = document.createElement("div");
        tile.className = "grid";
        return tile;
      },
    });
    new Grid({ tileSize: 128 }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    drawn = L.layerGroup();
    map.setView([36, 104], 5);
    drawn.addTo(map);
    const facts = draw();
    if (facts.focus) map.fitBounds(facts.focus, { padding: [36, 36], maxZoom: 13, animate: false });
    uncover();
    map.on("zoomend moveend resize", uncover);
    document.addEventListener("live-shown", draw);
    addEventListener("beforeprint", function () { map.invalidateSize({ animate: false }); });
  });
})();
