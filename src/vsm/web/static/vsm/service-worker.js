/* Keeps what a student needs without a connection, and lets a form wait for it. Served at /service-worker.js with the two
   constants filled in. Everything works without it. Nothing here belongs to anybody but the reader who is told by pages:
   another reader, or signing out, empties it. */
"use strict";

const VERSION = "__VERSION__";
const ASSETS = __ASSETS__;
const SHELL = "vsm-shell-" + VERSION, KEPT = "vsm-kept", OFFLINE = "/offline/";
const KEEPABLE = /^\/(timetable|desk|(sessions|series|learning-agreements|placement-agreements|placements|enrolments)\/[0-9a-f-]{36})\/$/;
const MOST = 60, DAYS = 30, PATIENCE = 10000, AGAIN = 12 * 3600e3;

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const shell = await caches.open(SHELL);
  await shell.addAll([...ASSETS, OFFLINE]);
  await self.skipWaiting();
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) {
    if (name.startsWith("vsm-shell-") && name !== SHELL) { await caches.delete(name); }
  }
  await self.clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const request = event.request, url = new URL(request.url);
  if (url.origin !== self.location.origin) { return; }
  if (ASSETS.includes(url.pathname)) { event.respondWith(fromShell(request)); return; }
  if (request.mode !== "navigate") { return; }
  if (request.method === "GET") { event.respondWith(page(event, url)); }
  if (request.method === "POST") { event.respondWith(form(request, url)); }
});

self.addEventListener("sync", (event) => { if (event.tag === "vsm-forms") { event.waitUntil(sendWaiting()); } });

self.addEventListener("message", (event) => {
  const answer = ANSWERS[event.data && event.data.type];
  if (answer) { event.waitUntil(answer(event.data, event).then((told) => event.ports[0] && event.ports[0].postMessage(told))); }
});

const ANSWERS = {
  /* A page is open: whose it is, in which language. Somebody else's copies and forms go first. */
  async here(told, event) {
    const before = await meta("reader");
    if (before && before !== told.reader) { await forget(); }
    await setMeta("reader", told.reader);
    if (await meta("language") !== told.language) {
      await (await caches.open(SHELL)).add(OFFLINE).then(() => setMeta("language", told.language), () => {});
    }
    await sendWaiting();
    if (!told.saving && Date.now() - ((await meta("asked")) || 0) > AGAIN) { event.waitUntil(keepMine()); }
    return forms();
  },
  list: () => forms(),
  retry: async () => { await sendWaiting(); return forms(); },
  discard: async (told) => { await store("forms", "readwrite", (s) => s.delete(told.id)); return forms(); },
  forget: async () => { await forget(); return []; },
};

async function fromShell(request) {
  return (await (await caches.open(SHELL)).match(request.url)) || fetch(request);
}

/* The network first; a copy when it fails, or when it says nothing for long and there is a copy. */
async function page(event, url) {
  const kept = await caches.open(KEPT), copy = await kept.match(url.pathname + url.search);
  const answered = fetch(event.request).then(async (response) => {
    if (response.ok && KEEPABLE.test(url.pathname) && !response.redirected && await meta("reader")) { await keep(kept, url, response.clone()); }
    return response;
  });
  const late = new Promise((resolve) => { if (copy) { setTimeout(resolve, PATIENCE); } });
  try {
    const response = await Promise.race([answered, late]);
    if (response) { return response; }
    event.waitUntil(answered.catch(() => {}));
  } catch (error) { /* no connection */ }
  return copy ? marked(copy) : (await (await caches.open(SHELL)).match(OFFLINE)) || Response.error();
}

async function keep(kept, url, response) {
  const headers = new Headers(response.headers);
  headers.set("X-Kept", new Date().toISOString());
  headers.delete("Content-Encoding");
  headers.delete("Content-Length");
  await kept.put(url.pathname + url.search, new Response(await response.blob(), { headers }));
  const names = await kept.keys();
  for (const name of names.slice(0, Math.max(0, names.length - MOST))) { await kept.delete(name); }
}

/* The copy says of itself that it is one, and since when. */
async function marked(copy) {
  const text = (await copy.text()).replace("<html ", '<html data-kept="' + copy.headers.get("X-Kept") + '" ');
  return new Response(text, { headers: copy.headers });
}

/* What the server says is mine to keep: the timetable, the next meetings, the learning agreements. One after the other. */
async function keepMine() {
  try {
    const told = await (await fetch("/offline/keep/", { credentials: "same-origin" })).json();
    const kept = await caches.open(KEPT);
    for (const path of told.pages.slice(0, 20)) {
      const response = await fetch(path, { credentials: "same-origin" });
      if (response.ok && !response.redirected) { await keep(kept, new URL(path, self.location.origin), response); }
    }
    const old = Date.now() - DAYS * 86400e3;
    for (const name of await kept.keys()) {
      if (Date.parse((await kept.match(name)).headers.get("X-Kept")) < old) { await kept.delete(name); }
    }
    await setMeta("asked", Date.now());
  } catch (error) { /* the next page tries again */ }
}

/* A form that cannot be sent waits, if it has a key by which the server knows it again and neither file nor password, and was not sent only to get more lines. */
async function form(request, url) {
  const copy = request.clone();
  try { return await fetch(request); } catch (error) { /* no connection */ }
  let given;
  try { given = await copy.formData(); } catch (error) { return Response.redirect(OFFLINE + "?unsent", 303); }
  const pairs = [...given.entries()], key = given.get("delivery_key"), reader = await meta("reader");
  if (!key || !reader || given.has("more-lines") || given.has("password") || pairs.some(([, value]) => typeof value !== "string" && value.size)) { return Response.redirect(OFFLINE + "?unsent", 303); }
  const body = new URLSearchParams(pairs.filter(([name, value]) => typeof value === "string" && name !== "form_title")).toString();
  const waiting = { id: key, url: url.pathname + url.search, body, title: String(given.get("form_title") || url.pathname), at: new Date().toISOString(), reader, state: "waiting", told: [] };
  await store("forms", "readwrite", (s) => s.put(waiting));
  if (self.registration.sync) { self.registration.sync.register("vsm-forms").catch(() => {}); }
  return Response.redirect(OFFLINE, 303);
}

let sending = null;
function sendWaiting() {
  sending = sending || sendEach().finally(() => { sending = null; });
  return sending;
}

async function sendEach() {
  const reader = await meta("reader");
  for (const each of await forms()) {
    if (each.reader !== reader || (each.state !== "waiting" && each.state !== "signin")) { continue; }
    let response;
    try {
      response = await fetch(each.url, {
        method: "POST", body: each.body, credentials: "same-origin", headers: { "Content-Type": "application/x-www-form-urlencoded" },
      });
    } catch (error) { break; }
    if (response.status >= 500 || response.status === 429) { break; }
    const landed = new URL(response.url).pathname;
    each.state = landed.startsWith("/accounts/login/") ? "signin" : response.ok ? "sent" : "refused";
    each.told = each.state === "refused" ? reasons(await response.text()) : [];
    each.landed = each.state === "sent" ? landed : "";
    each.settled = new Date().toISOString();
    await store("forms", "readwrite", (s) => s.put(each));
    if (each.state === "signin") { break; }
  }
  const told = await forms();
  for (const client of await self.clients.matchAll()) { client.postMessage({ type: "forms", forms: told }); }
}

/* The reasons of a refusal, as plain text, out of the list that every refused form begins with. */
function reasons(html) {
  const list = /class="(?:error-summary|notice|reasons)[^]*?<ul[^>]*>([^]*?)<\/ul>/.exec(html);
  const text = (markup) => markup.replace(/<[^>]*>/g, " ").replace(/&quot;/g, '"').replace(/&#x27;/g, "'").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&").replace(/\s+/g, " ").trim();
  return list ? (list[1].match(/<li[^]*?<\/li>/g) || []).slice(0, 10).map((item) => text(item).slice(0, 300)) : [];
}

async function forget() {
  await caches.delete(KEPT);
  await store("forms", "readwrite", (s) => s.clear());
  await store("meta", "readwrite", (s) => s.clear());
}

async function forms() {
  const found = await store("forms", "readonly", (s) => s.getAll());
  return found.sort((one, other) => one.at.localeCompare(other.at));
}

function meta(name) { return store("meta", "readonly", (s) => s.get(name)); }
function setMeta(name, value) { return store("meta", "readwrite", (s) => s.put(value, name)); }

function store(name, mode, act) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("vsm", 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("forms", { keyPath: "id" });
      opening.result.createObjectStore("meta");
    };
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result, asked = act(database.transaction(name, mode).objectStore(name));
      asked.transaction.oncomplete = () => { database.close(); resolve(asked.result); };
      asked.transaction.onerror = asked.transaction.onabort = () => { database.close(); reject(asked.transaction.error); };
    };
  });
}
