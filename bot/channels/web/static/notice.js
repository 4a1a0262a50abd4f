// States and passing words: one sentence, one action.
import { say } from "./words.js";

const place = document.getElementById("notices");
const standing = new Map();

// A notice stays until it is cleared by its name.
export function notice(name, sentence, action, act, tone = "") {
  clear(name);
  const box = document.createElement("div");
  box.className = `notice ${tone}`;
  const text = document.createElement("p");
  text.textContent = sentence;
  box.append(text);
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = action;
    button.addEventListener("click", act);
    box.append(button);
  }
  standing.set(name, box);
  place.append(box);
}

export function clear(name) {
  standing.get(name)?.remove();
  standing.delete(name);
}

let shown = null;

export function toast(sentence, alert = false) {
  shown?.remove();
  const box = document.createElement("div");
  box.className = "toast";
  box.dir = "auto";
  box.textContent = sentence;
  if (alert) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = say("close");
    button.addEventListener("click", () => box.remove());
    box.append(" ", button);
  } else {
    setTimeout(() => box.remove(), Math.max(4000, sentence.length * 90));
  }
  shown = box;
  document.getElementById("passing").append(box);
}
