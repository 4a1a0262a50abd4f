// The bar of large buttons above the composer: the last question's choices.
import { make } from "./bubble.js";
import { say } from "./words.js";

const bar = document.getElementById("keyboard");
const toggle = document.getElementById("toggle");

// press(key): what a choice does.
export class Keyboard {
  constructor(press) {
    this.press = press;
    this.drawn = null;
    this.folded = false; // the page folded it, not the reader
    this.earlier = null; // the message before those loaded that left the bar as it is
    toggle.addEventListener("click", () => {
      this.folded = false;
      this.set(bar.hidden);
    });
  }

  // messages: newest first. The newest that says something about the bar decides.
  update(messages) {
    const index = messages.findIndex((message) => !message.me && message.keyboard !== undefined);
    const deciding = index < 0 ? this.earlier : messages[index];
    const keyboard = deciding?.keyboard || null;
    const used = keyboard?.once && messages.slice(0, index < 0 ? undefined : index).some((message) => message.me);
    const key = keyboard ? `${deciding.id}/${used}/${say("send")}` : null;
    if (key === this.drawn) return;
    this.drawn = key;
    this.folded = false;
    this.hint = keyboard && !used ? keyboard.hint : "";
    bar.replaceChildren();
    toggle.hidden = !keyboard;
    if (!keyboard) {
      bar.hidden = true;
      return;
    }
    for (const row of keyboard.rows) {
      const line = make("div", "row");
      for (const choice of row) {
        const button = make("button", "", choice.text);
        button.type = "button";
        button.dir = "auto";
        button.addEventListener("click", () => this.press(choice));
        line.append(button);
      }
      bar.append(line);
    }
    this.set(!used);
  }

  // How much room it takes away from what is read.
  get height() {
    return bar.offsetHeight;
  }

  // Makes room for a question whose buttons it would cover, and comes back once that is answered.
  fold(folded) {
    if (folded === this.folded || (folded && bar.hidden)) return;
    this.folded = folded;
    this.set(!folded);
  }

  set(open) {
    bar.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
    toggle.setAttribute("aria-label", say(open ? "hide" : "menu"));
  }
}
