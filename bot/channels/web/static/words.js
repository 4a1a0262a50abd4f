// What the page says, and in which language.
export const setup = JSON.parse(document.getElementById("setup").textContent);
// Every request names the seat and the conversation this page is for.
export const here = (more = {}) => new URLSearchParams({ seat: setup.seat, chat: setup.chat, ...more });
let words = setup.words;
export let language = document.documentElement.lang;

export function say(name, values = {}) {
  return (words[name] ?? name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

function fill() {
  for (const [attribute, put] of [
    ["data-word", (node, text) => { node.textContent = text; }],
    ["data-word-label", (node, text) => node.setAttribute("aria-label", text)],
    ["data-word-hint", (node, text) => node.setAttribute("placeholder", text)],
  ]) {
    for (const node of document.querySelectorAll(`[${attribute}]`)) put(node, say(node.getAttribute(attribute)));
  }
}

// Resolves to whether the words have changed.
export async function speak(wanted) {
  if (!wanted || wanted === setup.language) return false;
  try {
    const found = await (await fetch(`/chat/strings?lang=${encodeURIComponent(wanted)}`)).json();
    if (found.language === setup.language) return false;
    setup.language = found.language;
    words = found.words;
    language = found.language === "zh" ? "zh-CN" : found.language;
    document.documentElement.lang = language;
    fill();
    return true;
  } catch {
    return false; // the words at hand will do
  }
}

export function clock(seconds) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false }).format(seconds * 1000);
}

export function dayKey(seconds) {
  return new Date(seconds * 1000).toDateString();
}

export function dayName(seconds) {
  const day = new Date(seconds * 1000);
  const now = new Date();
  if (day.toDateString() === now.toDateString()) return say("today");
  now.setDate(now.getDate() - 1);
  if (day.toDateString() === now.toDateString()) return say("yesterday");
  const year = day.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(language, { year, month: "long", day: "numeric", weekday: "short" }).format(day);
}

export function size(bytes) {
  if (bytes < 1024 * 1024) return `${Math.max(1, Math.round(bytes / 1024))}\u00a0KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)}\u00a0MB`;
}
