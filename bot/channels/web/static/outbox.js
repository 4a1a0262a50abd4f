// Sends what was written, in order, until the room has it. The client id makes it arrive once.
import { drop, keep, kept } from "./shelf.js";
import { here, setup } from "./words.js";

const WAITS = [1000, 2000, 4000, 8000, 15000];
const NEVER = Infinity;

export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

// on: {waiting(entry), sent(entry, answer), failed(entry, sentence), slow(sentence), moved(), lost(sentence)}
export class Outbox {
  constructor(on) {
    this.on = on;
    this.queue = [];
    this.settled = new Set();
    this.tries = 0;
    this.last = 0;
    addEventListener("online", () => this.hurry());
  }

  async restore() {
    for (const entry of await kept(setup.chat)) {
      const known = this.queue.some((queued) => queued.client_id === entry.client_id);
      if (known || this.settled.has(entry.client_id)) continue;
      this.queue.push(entry);
      this.on.waiting(entry);
    }
    this.queue.sort((a, b) => a.order - b.order);
    this.pump();
  }

  // what: {text, reply_to?} | {tap} | {location} | {file: Blob, kind, name, seconds?}, and {hidden?}
  add(what) {
    this.last = Math.max(this.last + 1, Date.now());
    const entry = { client_id: newId(), chat: setup.chat, order: this.last, ...what };
    this.queue.push(entry);
    this.on.waiting(entry);
    keep(entry).then(() => this.pump());
    return entry;
  }

  again(entry) {
    this.settled.delete(entry.client_id);
    this.queue.push(entry);
    keep(entry).then(() => this.pump());
  }

  hurry() {
    this.tries = 0;
    clearTimeout(this.later);
    this.pump();
  }

  async pump() {
    if (this.busy) return;
    this.busy = true;
    clearTimeout(this.later);
    while (this.queue.length) {
      const entry = this.queue[0];
      const wait = await this.deliver(entry);
      if (wait) {
        // Kept for its own conversation when this page is about to show another.
        if (wait !== NEVER) this.later = setTimeout(() => this.pump(), wait);
        break;
      }
      this.settled.add(entry.client_id);
      this.queue = this.queue.filter((queued) => queued !== entry);
      await drop(entry.client_id);
    }
    this.busy = false;
  }

  // Milliseconds to wait before it is tried again; 0 when it is settled.
  async deliver(entry) {
    let response;
    let answer;
    try {
      response = await post(entry);
      answer = await response.json();
    } catch {
      return this.wait();
    }
    if (response.ok) {
      this.tries = 0;
      this.on.sent(entry, answer);
      return 0;
    }
    if (answer.moved) {
      this.on.moved();
      return NEVER;
    }
    if (answer.lost) {
      this.on.lost(answer.error);
      return 60000;
    }
    if (response.status === 429) {
      this.on.slow(answer.error);
      return answer.wait * 1000;
    }
    if (response.status >= 500) {
      this.on.slow(answer.error);
      return this.wait();
    }
    this.on.failed(entry, answer.error);
    return 0;
  }

  wait() {
    return WAITS[Math.min(this.tries++, WAITS.length - 1)];
  }
}

function post(entry) {
  const { client_id, chat } = entry;
  if (entry.file) {
    const query = here({ client_id, kind: entry.kind, name: entry.name });
    if (entry.seconds) query.set("seconds", entry.seconds);
    return fetch(`/chat/upload?${query}`, {
      method: "POST", body: entry.file, signal: AbortSignal.timeout(300000),
      headers: { "Content-Type": "application/octet-stream" },
    });
  }
  const { text, reply_to, tap, location } = entry;
  return fetch(`/chat/send?${here()}`, {
    method: "POST", signal: AbortSignal.timeout(30000),
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ client_id, chat, text, reply_to, tap, location }),
  });
}
