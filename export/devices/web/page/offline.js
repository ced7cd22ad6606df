// Store what the page has loaded, so that it opens without a network from then on.

const NAME = "page";

export async function storePage() {
  if (!navigator.serviceWorker || !globalThis.caches) return; // without https or localhost
  await navigator.serviceWorker.register("service_worker.js");
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name.split("#")[0]);
  const own = loaded.filter((url) => url.startsWith(location.origin));
  const cache = await caches.open(NAME);
  await cache.addAll(new Set([location.pathname, ...own]));
}
