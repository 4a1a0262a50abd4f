// The conversation on the page: by number, what waits at its end, and where the reader is.
import { draw, make } from "./bubble.js";
import { dayKey, dayName } from "./words.js";

const scroller = document.getElementById("scroll");
const log = document.getElementById("log");
const down = document.getElementById("down");
const NEAR = 120;
const EDGE = 8;

export class Log {
  constructor(on) {
    this.on = { ...on, jump: (id) => this.jump(id) };
    this.messages = new Map();
    this.waiting = new Map();
    down.addEventListener("click", () => {
      this.arrived = [];
      this.toEnd();
    });
    for (const part of [log, scroller]) {
      new ResizeObserver(() => (this.stuck || this.held) && this.toEnd()).observe(part);
    }
    // Only a reader moves up: what grows or shrinks around them leaves the place as it is.
    scroller.addEventListener("scroll", () => {
      const top = scroller.scrollTop;
      if (Math.abs(top - this.placed) > 2) this.letGo();
      if (this.held) return;
      if (this.atEnd()) this.stuck = true;
      else if (top < this.top - 2) this.stuck = false;
      this.top = top;
      down.hidden = this.stuck;
    }, { passive: true });
    this.stuck = true;
    this.top = 0;
    this.placed = 0;
    this.letGo();
    this.tapped = null; // the message whose button was pressed last
  }

  get oldest() {
    return Math.min(...this.messages.keys());
  }

  get newestFirst() {
    return [...this.messages.values()].map((held) => held.message).sort((a, b) => b.id - a.id);
  }

  get isEmpty() {
    return this.messages.size === 0 && this.waiting.size === 0;
  }

  atEnd() {
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
  }

  // To the end; but what has just come, and is longer than can be seen, is read from its first line
  // on, and stays there until the reader moves.
  toEnd() {
    this.held = this.arrived.map((id) => this.messages.get(id)?.node).find((node) => node && this.isLong(node));
    if (this.held) this.toTop(this.held);
    else scroller.scrollTop = scroller.scrollHeight;
    this.placed = this.top = scroller.scrollTop;
    this.stuck = !this.held;
    down.hidden = this.stuck;
  }

  toTop(node) {
    scroller.scrollTop += this.offset(node) - EDGE;
  }

  offset(node) {
    return node.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
  }

  isLong(node) {
    return node.offsetHeight > scroller.clientHeight - 2 * EDGE;
  }

  // Whether the message said last has buttons that can be seen with its words only if there is
  // ``room`` more than now, and the reader is with it.
  asksFor(room) {
    if (!this.stuck && !this.held) return false;
    const node = this.messages.get(Math.max(...this.messages.keys()))?.node;
    return Boolean(node?.querySelector(".buttons")) && this.isLong(node) &&
      node.offsetHeight <= scroller.clientHeight + room - 2 * EDGE;
  }

  get asks() {
    const last = this.newestFirst[0];
    return Boolean(last && !last.me && last.inline);
  }

  letGo() {
    this.held = undefined;
    this.arrived = []; // the numbers of what has come since the reader was here
  }

  reset() {
    for (const { node } of this.messages.values()) node.remove();
    this.messages.clear();
  }

  // Puts messages where they belong, and changes those already there.
  show(messages, { fresh = true, older = false } = {}) {
    const isNew = (message) => !this.messages.has(message.id);
    const follow = !older && (this.stuck || messages.some((message) => message.me && isNew(message)));
    const height = scroller.scrollHeight;
    const arrived = [];
    let turned = null; // the page that a tap has turned
    for (const message of messages) {
      const held = this.messages.get(message.id);
      if (message.gone) {
        held?.node.remove();
        this.messages.delete(message.id);
        continue;
      }
      const node = draw(message, this.on);
      if (held) this.replace(held.node, node);
      else this.insert(message, node, fresh);
      if (held && message.id === this.tapped && message.text !== held.message.text) turned = node;
      if (turned === node || (!held && !message.me)) arrived.push(message.id);
      this.messages.set(message.id, { message, node });
      if (message.client) this.settle(message.client);
    }
    this.days();
    if (older) scroller.scrollTop += scroller.scrollHeight - height;
    else if (follow) {
      // Of a whole conversation only what was said last has just come.
      this.arrived = fresh ? arrived : arrived.filter((id) => id === Math.max(...this.messages.keys()));
      this.toEnd();
    } else {
      if (turned && this.offset(turned) < 0) this.toTop(turned);
      down.hidden = this.atEnd() && !this.held;
    }
  }

  replace(old, node) {
    const focused = old.contains(document.activeElement);
    old.replaceWith(node);
    if (focused) (node.querySelector(".button") ?? node).focus();
  }

  insert(message, node, fresh) {
    if (fresh) node.classList.add("fresh");
    let after = null;
    for (const [id, held] of this.messages) {
      if (id > message.id && (after === null || id < after.id)) after = { id, node: held.node };
    }
    const before = after?.node ?? [...this.waiting.values()][0]?.node ?? null;
    log.insertBefore(node, before);
  }

  // A line with the day's name above each day's first message.
  days() {
    for (const line of log.querySelectorAll(".day")) line.remove();
    let last = "";
    for (const { message, node } of [...this.messages.values()].sort((a, b) => a.message.id - b.message.id)) {
      const day = dayKey(message.at);
      if (day !== last) log.insertBefore(make("div", "day", dayName(message.at)), node);
      last = day;
    }
  }

  // What was written here and is not in the room yet.
  wait(entry, message) {
    const node = draw({ ...message, me: true, at: entry.order / 1000, state: "waiting" }, this.on);
    this.waiting.set(entry.client_id, { entry, message, node });
    log.append(node);
    this.letGo();
    this.toEnd();
  }

  mark(entry, state, sentence, actions = []) {
    const held = this.waiting.get(entry.client_id);
    if (!held) return;
    const node = draw({ ...held.message, me: true, at: entry.order / 1000, state }, this.on);
    if (state === "failed") {
      node.classList.add("failed");
      node.append(make("p", "why", sentence));
      const fix = make("div", "fix");
      for (const [text, act] of actions) {
        const button = make("button", "", text);
        button.type = "button";
        button.addEventListener("click", act);
        fix.append(button);
      }
      node.append(fix);
    }
    held.node.replaceWith(node);
    held.node = node;
    if (this.stuck) this.toEnd();
  }

  settle(clientId) {
    this.waiting.get(clientId)?.node.remove();
    this.waiting.delete(clientId);
  }

  jump(id) {
    const node = this.messages.get(id)?.node;
    if (!node) return;
    node.scrollIntoView({ block: "center" });
    node.focus();
  }

  redraw() {
    for (const held of this.messages.values()) {
      const node = draw(held.message, this.on);
      held.node.replaceWith(node);
      held.node = node;
    }
    this.days();
  }

  settled() {
    log.setAttribute("aria-busy", "false");
  }
}
