// The page: what comes from the room, what goes to it, and what is between them.
import { Composer } from "./composer.js";
import { opensConversation, wanted } from "./device.js";
import { Keyboard } from "./keyboard.js";
import { Log } from "./log.js";
import { clear, notice, toast } from "./notice.js";
import { Outbox } from "./outbox.js";
import { Stream } from "./stream.js";
import { here, say, setup, speak } from "./words.js";

const get = (id) => document.getElementById(id);
const invite = `kinroom/${setup.chat}/start`;
const log = new Log({ tap, reply: (message) => composer.answer(message) });
const composer = new Composer(send);
const keyboard = new Keyboard(press);
const outbox = new Outbox({ waiting, sent, failed, slow, moved, lost });
const stream = new Stream({ news, room, typing, toast: ({ text, alert }) => toast(text, alert), moved, state });

function send(what) {
  clear("place");
  outbox.add(what);
}

function waiting(entry) {
  if (entry.hidden || entry.tap) return;
  const message = { text: entry.text ?? "" };
  if (entry.reply_to) message.reply = { id: entry.reply_to, text: entry.quote };
  if (entry.location) message.kind = "location";
  if (entry.file) {
    message.kind = entry.kind;
    message.file = { blob: entry.file, name: entry.name, size: entry.file.size };
  }
  log.wait(entry, message);
  get("empty").hidden = true;
}

function sent(entry, answer) {
  clear("slow");
  if (answer.moved) moved();
  if (answer.stale) toast(say("stale"));
  if (entry.tap) release(entry);
  else if (answer.shown === false) log.settle(entry.client_id);
  else log.mark(entry, "sent");
}

function failed(entry, sentence) {
  if (entry.hidden || entry.tap) {
    release(entry);
    toast(sentence, true);
    return;
  }
  log.mark(entry, "failed", sentence, [
    [say("again"), () => { log.mark(entry, "waiting"); outbox.again(entry); }],
    [say("remove"), () => log.settle(entry.client_id)],
  ]);
}

function slow(sentence) {
  notice("slow", sentence, say("retry"), () => { clear("slow"); outbox.hurry(); });
}

function lost(sentence) {
  notice("lost", sentence, say("reload"), () => location.reload());
}

function moved() {
  location.reload();
}

const pressed = new Map();

function tap(message, button, node) {
  if (button.copy !== undefined) {
    navigator.clipboard?.writeText(button.copy).then(() => toast(say("copied")), () => toast(button.copy, true));
    return;
  }
  if (node.getAttribute("aria-disabled") === "true") return;
  for (const other of node.closest(".buttons").querySelectorAll("button")) other.setAttribute("aria-disabled", "true");
  node.classList.add("pressed");
  log.tapped = message.id;
  const entry = outbox.add({ tap: { message_id: message.id, data: button.data } });
  pressed.set(entry.client_id, node);
}

// The buttons live again, unless the room has changed them meanwhile.
function release(entry) {
  const node = pressed.get(entry.client_id);
  pressed.delete(entry.client_id);
  for (const other of node?.closest(".buttons")?.querySelectorAll("button") ?? []) other.removeAttribute("aria-disabled");
  node?.classList.remove("pressed");
}

function press(choice) {
  if (choice.ask === "location") composer.place();
  else if (choice.ask === "contact") get("write").focus();
  else send({ text: choice.text });
}

let resetTimer;

function news({ reset, more, messages, keyboard: older }) {
  get("typing").hidden = true;
  if (reset) {
    log.reset();
    keyboard.earlier = older;
  }
  // A change of what is not loaded yet will be there when it is.
  const shown = reset || get("earlier").hidden ? messages : messages.filter((message) => message.id >= log.oldest);
  log.show(shown, { fresh: !reset });
  if (reset) {
    get("earlier").hidden = !more;
    log.toEnd();
    log.settled();
  }
  after();
  clearTimeout(resetTimer);
  resetTimer = setTimeout(() => { get("empty").hidden = !log.isEmpty; }, 300);
}

function after() {
  const newest = log.newestFirst;
  keyboard.update(newest);
  if (log.asksFor(keyboard.height)) keyboard.fold(true);
  else if (!log.asks) keyboard.fold(false);
  const last = newest.find((message) => !message.me);
  composer.hint(newest[0] === last && last?.force !== undefined ? last.force : keyboard.hint);
}

async function room({ name, language, demo }) {
  get("demo").hidden = !demo;
  if (await speak(language)) {
    log.redraw();
    after();
  }
  get("name").textContent = name ?? say("room");
  document.title = get("name").textContent;
}

get("down").addEventListener("click", after);

let typingTimer;

function typing() {
  const follow = log.atEnd();
  get("typing").hidden = false;
  if (follow) log.toEnd();
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => { get("typing").hidden = true; }, 6000);
}

let stateTimer;

function state(now) {
  clearTimeout(stateTimer);
  if (now === "online") {
    show("online");
    clear("line");
    outbox.hurry();
    return;
  }
  // A blink of the line is nobody's business.
  stateTimer = setTimeout(() => {
    show("connecting");
    notice("line", say(now), say("retry"), () => { stream.connect(); outbox.hurry(); });
  }, now === "offline" ? 0 : 2500);
}

function show(word) {
  get("state").dataset.word = word;
  get("state").textContent = say(word);
}

get("earlier").addEventListener("click", async () => {
  const button = get("earlier");
  button.disabled = true;
  try {
    const query = here({ before: log.oldest });
    const found = await (await fetch(`/chat/history?${query}`)).json();
    log.show(found.messages, { fresh: false, older: true });
    button.hidden = !found.more;
    after();
  } catch {
    toast(say("lost"));
  }
  button.disabled = false;
});

// Through a reload, until it is used or refused.
function remember(token) {
  try {
    if (token) sessionStorage.setItem(invite, token);
    else sessionStorage.removeItem(invite);
  } catch { /* none is kept */ }
}

function remembered() {
  try { return sessionStorage.getItem(invite) ?? ""; } catch { return ""; }
}

async function openConversation(token) {
  const yes = await wanted(token);
  remember("");
  if (yes) send({ text: `/start ${token}`, hidden: true });
}

get("begin").addEventListener("click", () => send({ text: `/start ${remembered()}`.trim(), hidden: true }));

const token = new URLSearchParams(location.search).get("start");
if (token) {
  // Out of the address: a reload must not use the invite again, nor a shared screen show it.
  history.replaceState(null, "", setup.seat === "1" ? location.pathname : `${location.pathname}?seat=${setup.seat}`);
  remember(token);
}
if (opensConversation(token ?? remembered())) openConversation(token ?? remembered());
else if (token) send({ text: `/start ${token}`, hidden: true });
stream.connect();
outbox.restore();
