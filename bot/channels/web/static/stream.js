// The open line to the room: server-sent events, resumed after the last one heard.
import { here } from "./words.js";

const WAITS = [1000, 2000, 4000, 8000, 15000, 30000];
const SILENCE = 40000;

// on: {news, room, typing, toast, moved, state}; state is "online", "lost" or "offline".
export class Stream {
  constructor(on) {
    this.on = on;
    this.since = "";
    this.tries = 0;
    addEventListener("online", () => this.connect());
    addEventListener("offline", () => this.fail());
    addEventListener("pageshow", (event) => event.persisted && this.connect());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.heard) this.connect();
    });
  }

  connect() {
    this.stop();
    const source = new EventSource(`/chat/events?${here({ since: this.since })}`);
    this.source = source;
    this.watch();
    source.addEventListener("error", () => source === this.source && this.fail());
    source.addEventListener("beat", () => this.alive());
    for (const name of ["news", "room", "typing", "toast", "moved"]) {
      source.addEventListener(name, (event) => {
        this.alive();
        if (event.lastEventId) this.since = event.lastEventId;
        this.on[name](JSON.parse(event.data));
      });
    }
  }

  alive() {
    this.watch();
    this.tries = 0;
    if (!this.heard) {
      this.heard = true;
      this.on.state("online");
    }
  }

  // Phones lose connections without a word: silence is a lost line too.
  watch() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.fail(), SILENCE);
  }

  stop() {
    clearTimeout(this.silence);
    clearTimeout(this.again);
    this.source?.close();
    this.source = null;
  }

  fail() {
    this.stop();
    this.heard = false;
    this.on.state(navigator.onLine ? "lost" : "offline");
    const wait = WAITS[Math.min(this.tries++, WAITS.length - 1)];
    this.again = setTimeout(() => this.connect(), wait * (0.7 + Math.random() * 0.6));
  }
}
