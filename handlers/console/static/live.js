// Keeps the register, or a notice, fresh: hears that it changed, fetches it as HTML, swaps it, marks what moved.
const line = document.getElementById("live");
const state = document.getElementById("live-state");
const told = document.getElementById("told");

const MARKED_FOR = 2600;
const OFFLINE_AFTER = 1500;
// Time alone moves figures too: a check-in is delivered, a window ends, a new week begins.
const AGAIN_AFTER = 60000;

let source = null;
let fetching = false;
let wanted = null;
let offline = 0;

const sheet = () => document.getElementById("sheet");

function showNewest() {
  const box = document.getElementById("box");
  if (box) box.scrollLeft = box.scrollWidth;
}

function say(text, trouble) {
  state.textContent = text;
  line.classList.toggle("trouble", trouble);
}

function connect() {
  if (source) return;
  source = new EventSource(line.dataset.src);
  source.onopen = () => {
    clearTimeout(offline);
    line.classList.add("on");
    say(line.dataset.on, false);
  };
  source.addEventListener("version", (event) => {
    wanted = event.data;
    refresh();
  });
  source.addEventListener("ended", () => location.reload());
  source.onerror = () => {
    line.classList.remove("on");
    clearTimeout(offline);
    offline = setTimeout(() => say(line.dataset.off, true), OFFLINE_AFTER);
    // A refused stream is not tried again by the browser; the session may be over.
    if (source && source.readyState === EventSource.CLOSED) {
      disconnect();
      setTimeout(refreshThenConnect, 3000);
    }
  };
}

function disconnect() {
  if (source) source.close();
  source = null;
  clearTimeout(offline);
}

async function refreshThenConnect() {
  await refresh(true);
  if (!document.hidden) connect();
}

async function refresh(always = false) {
  if (fetching || (!always && wanted === sheet().dataset.version)) return;
  fetching = true;
  try {
    const here = new URL(location.href);
    here.searchParams.set("fragment", "1");
    here.searchParams.delete("lang");
    here.hash = "";
    const answer = await fetch(here, { credentials: "same-origin" });
    if (answer.status === 401 || answer.status === 404) return location.reload();
    if (answer.ok) swap(await answer.text());
  } catch {
    // Offline: the stream says so, and asks again once it is back.
  } finally {
    fetching = false;
  }
}

function swap(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("sheet");
  const old = sheet();
  if (!fresh) return;
  const before = new Map();
  for (const [key, part] of parts(old)) before.set(key, part.textContent.trim());
  const box = document.getElementById("box");
  const at = box ? [box.scrollLeft, box.scrollTop] : null;
  const focus = old.contains(document.activeElement) ? mark(document.activeElement) : null;
  const open = [...old.querySelectorAll("details[open][id]")].map((part) => part.id);
  const top = scrollY;

  const changed = [];
  for (const [key, part] of parts(fresh)) {
    if (before.has(key) && before.get(key) !== part.textContent.trim()) {
      part.classList.add("changed");
      changed.push(part);
    }
  }
  old.replaceWith(fresh);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");

  const newBox = document.getElementById("box");
  if (newBox && at) [newBox.scrollLeft, newBox.scrollTop] = at;
  if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
  scrollTo({ top, behavior: "instant" });
  if (changed.length) {
    told.textContent = fresh.dataset.told;
    setTimeout(() => changed.forEach((part) => part.classList.remove("changed")), MARKED_FOR);
  }
}

// What may change: each figure by its own key, each cell by its row and week.
function* parts(root) {
  for (const part of root.querySelectorAll("[data-key]")) yield [part.dataset.key, part];
  for (const row of root.querySelectorAll("[data-row]")) {
    for (const cell of row.querySelectorAll("td")) yield [`${row.dataset.row} ${cell.cellIndex}`, cell];
  }
}

function mark(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.dataset.key) return `[data-key="${CSS.escape(element.dataset.key)}"]`;
  const href = element.getAttribute("href");
  return href ? `#sheet a[href="${CSS.escape(href)}"]` : null;
}

document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => event.persisted && connect());
setInterval(() => !document.hidden && refresh(true), AGAIN_AFTER);
showNewest();
connect();
