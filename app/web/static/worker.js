/* Keeps one page for when there is no connection; everything else is asked from the server, always. */
"use strict";
const CACHE = "sparelane-offline-1", PAGE = "/offline";

self.addEventListener("install", function (event) {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.add(new Request(PAGE, { cache: "reload" }))).then(() => self.skipWaiting()));
});
self.addEventListener("activate", function (event) {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((one) => one !== CACHE).map((one) => caches.delete(one)))).then(() => self.clients.claim()));
});
self.addEventListener("fetch", function (event) {
  if (event.request.mode !== "navigate") return;
  event.respondWith(fetch(event.request).catch(() => caches.match(PAGE)));
});
