// One message as the page shows it. Words only ever go in as text.
import { clock, here, language, say, size } from "./words.js";

const STYLES = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};
const LINK = /https?:\/\/[^\s<>"«»“”‘’（）【】，。；！？]*[^\s<>"«»“”‘’（）【】，。；！？.,:;!?)\]]/g;
const REPLY = "M10 8 5 13l5 5M5 13h9a5 5 0 0 1 5 5v1";
const PAPER = "M7 3h7l4 4v14H7zM14 3v4h4M10 12h5M10 16h5";
const PIN = "M12 21c4-5 6-8.500 6-11a6 6 0 0 0-12 0c0 2.500 2 6 6 11zM12 8v4";

export function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function icon(path) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  node.setAttribute("viewBox", "0 0 24 24");
  node.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  node.append(line);
  return node;
}

function anchor(href, text) {
  const link = make("a", "", text);
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

function linked(into, text) {
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    into.append(text.slice(at, match.index), anchor(match[0], match[0]));
    at = match.index + match[0].length;
  }
  into.append(text.slice(at));
}

// Entities are nested or apart; offsets count UTF-16 units, as strings do here.
function styled(into, text, entities, from = 0, to = text.length) {
  let at = from;
  while (entities.length && entities[0].offset < to) {
    const [entity, ...rest] = entities;
    const end = Math.min(entity.offset + entity.length, to);
    linked(into, text.slice(at, entity.offset));
    let node;
    if (entity.type === "text_link") node = /^(https?:|tel:)/i.test(entity.url) ? anchor(entity.url) : make("span");
    else if (entity.type === "spoiler") { node = make("span", "spoiler"); node.tabIndex = 0; }
    else node = make(STYLES[entity.type] ?? "span");
    const inside = rest.filter((inner) => inner.offset < end);
    if (entity.type === "text_link") node.append(text.slice(entity.offset, end));
    else styled(node, text, inside, entity.offset, end);
    into.append(node);
    at = end;
    entities = rest.filter((inner) => inner.offset >= end);
  }
  linked(into, text.slice(at, to));
}

function media(message) {
  const file = message.file;
  if (message.kind === "location") {
    const place = make("div", "attachment");
    place.append(icon(PIN), make("span", "", say("mine_place")));
    return place;
  }
  if (!file) return null;
  const source = file.blob ? URL.createObjectURL(file.blob) : `/chat/file/${file.ref}?${here()}`;
  if (message.kind === "photo") {
    const link = make("a");
    link.href = file.blob ? source : `${source}&download`;
    link.download = file.name || "photo";
    const picture = make("img", "photo");
    picture.src = source;
    picture.alt = message.text ? "" : say("photo");
    if (file.width) Object.assign(picture, { width: file.width, height: file.height });
    link.setAttribute("aria-label", `${say("photo")}, ${say("download")}`);
    link.append(picture);
    return link;
  }
  if (message.kind === "voice") {
    const player = make("audio");
    player.controls = true;
    player.preload = "none";
    player.src = source;
    player.setAttribute("aria-label", say("mine_voice"));
    return player;
  }
  const link = make("a", "attachment");
  link.href = file.blob ? source : `${source}&download`;
  link.download = file.name || "file";
  link.append(icon(PAPER), make("span", "", `${file.name || say("file")} · ${size(file.size)}`));
  return link;
}

function mark(state) {
  const node = make("span", "mark", { waiting: "◷", sent: "✓", received: "✓✓", failed: "!" }[state]);
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", say(state === "failed" ? "unsent" : state));
  return node;
}

function buttons(rows, tap) {
  const box = make("div", "buttons");
  for (const row of rows) {
    const line = make("div", "row");
    for (const button of row) {
      const kind = `button ${button.style ?? ""}`;
      if (button.url) {
        const link = anchor(button.url, button.text);
        link.className = kind;
        const arrow = make("small", "", "↗");
        arrow.setAttribute("aria-hidden", "true");
        link.append(" ", arrow);
        line.append(link);
        continue;
      }
      const node = make("button", kind, button.text);
      node.type = "button";
      node.dir = "auto";
      node.addEventListener("click", () => tap(button, node));
      line.append(node);
    }
    box.append(line);
  }
  return box;
}

// on: {tap(message, button, node), reply(message), jump(id)}
export function draw(message, on) {
  const node = make("div", `msg ${message.me ? "me" : "bot"}`);
  node.tabIndex = -1;
  if (message.inline) node.classList.add("wide");
  const bubble = make("div", "bubble");
  if (message.me) bubble.append(make("span", "unseen", `${say("you")}: `));
  if (message.reply) {
    const quote = make("button", "quote", message.reply.text || "…");
    quote.type = "button";
    quote.dir = "auto";
    quote.addEventListener("click", () => on.jump(message.reply.id));
    bubble.append(quote);
  }
  const shown = media(message);
  if (shown) bubble.append(shown);
  if (message.text) {
    const text = make("div", "text");
    text.dir = "auto";
    styled(text, message.text, message.entities ?? []);
    bubble.append(text);
  }
  const meta = make("div", "meta");
  if (!message.me && message.id) {
    const reply = make("button");
    reply.type = "button";
    reply.setAttribute("aria-label", say("reply"));
    reply.append(icon(REPLY));
    reply.addEventListener("click", () => on.reply(message));
    meta.append(reply);
  }
  const time = make("time", "", clock(message.at));
  time.dateTime = new Date(message.at * 1000).toISOString();
  time.title = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" }).format(message.at * 1000);
  meta.append(time);
  if (message.me) meta.append(mark(message.state ?? "received"));
  bubble.append(meta);
  node.append(bubble);
  if (message.inline) node.append(buttons(message.inline, (button, pressed) => on.tap(message, button, pressed)));
  return node;
}
