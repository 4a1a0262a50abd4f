// Where one writes: text, a reply, a picture, a voice, a place.
import { Recorder, canRecord, roughPlace, shrink } from "./media.js";
import { clear, notice, toast } from "./notice.js";
import { say, setup } from "./words.js";

const field = document.getElementById("write");
const form = document.getElementById("composer");
const replying = document.getElementById("replying");
const attach = document.getElementById("attach");
const more = document.getElementById("more");
const voice = document.getElementById("voice");
const sendButton = document.getElementById("send");
const MOST = 4096;

export class Composer {
  constructor(send) {
    this.send = send;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    field.addEventListener("keydown", (event) => {
      // A touch keyboard's Enter sends too; a person composing Chinese is not done with Enter.
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
        event.preventDefault();
        this.submit();
      }
      if (event.key === "Escape") this.answer(null);
    });
    field.addEventListener("input", () => this.fit());
    replying.querySelector("button").addEventListener("click", () => this.answer(null));
    more.addEventListener("click", () => this.choices(attach.hidden));
    for (const [id, kind] of [["photo", "photo"], ["file", "document"]]) {
      const input = document.getElementById(id);
      input.addEventListener("change", () => this.pick(input, kind));
    }
    document.getElementById("place").addEventListener("click", () => this.place());
    voice.addEventListener("click", () => this.record());
    this.fit();
  }

  fit() {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
    const empty = !field.value.trim();
    voice.hidden = !(canRecord && empty) && !this.recorder;
    sendButton.hidden = !voice.hidden;
  }

  submit() {
    const text = field.value.trim();
    if (!text) return;
    if (text.length > MOST) {
      toast(say("long"));
      return;
    }
    this.send({ text, reply_to: this.to?.id, quote: this.to?.text });
    field.value = "";
    this.answer(null);
    this.fit();
    field.focus();
  }

  // Answer this message, or none.
  answer(message) {
    this.to = message && { id: message.id, text: (message.text ?? "").slice(0, 80) };
    replying.hidden = !message;
    if (!message) return;
    replying.querySelector("p").textContent = `${say("replying")}: ${this.to.text || say("photo")}`;
    field.focus();
  }

  hint(text) {
    field.placeholder = text || say("write");
  }

  choices(open) {
    if (open) clear("place");
    attach.hidden = !open;
    more.setAttribute("aria-expanded", String(open));
    if (open) attach.querySelector("input").focus();
  }

  async pick(input, kind) {
    const [file] = input.files;
    input.value = "";
    this.choices(false);
    if (!file) return;
    const content = kind === "photo" ? await shrink(file) : file;
    if (content.size > setup.max_upload) {
      toast(say("big", { size: Math.floor(setup.max_upload / 1048576) }), true);
      return;
    }
    const name = kind === "photo" ? "photo.jpg" : file.name;
    this.send({ file: content, kind, name });
    field.focus();
  }

  // Says first what is sent; asks the device only after a yes.
  place() {
    this.choices(false);
    notice("place", say("coarse"), say("share"), async () => {
      clear("place");
      try {
        this.send({ location: await roughPlace() });
      } catch {
        toast(say("noplace"), true);
      }
    }, "calm");
  }

  async record() {
    if (this.recorder) {
      const recorder = this.recorder;
      this.recorder = null;
      const { blob, seconds } = await recorder.stop();
      this.idle();
      this.send({ file: blob, kind: "voice", name: "voice", seconds });
      return;
    }
    const recorder = new Recorder();
    try {
      await recorder.start((seconds) => { field.placeholder = say("recording", { seconds }); });
    } catch {
      toast(say("nomic"), true);
      return;
    }
    this.recorder = recorder;
    field.disabled = true;
    field.placeholder = say("recording", { seconds: 0 });
    voice.setAttribute("aria-pressed", "true");
    voice.setAttribute("aria-label", say("stop"));
    notice("voice", say("recording", { seconds: "" }).trim(), say("cancel"), async () => {
      this.recorder = null;
      await recorder.stop();
      this.idle();
    }, "calm");
  }

  idle() {
    clear("voice");
    field.disabled = false;
    field.placeholder = say("write");
    voice.setAttribute("aria-pressed", "false");
    voice.setAttribute("aria-label", say("voice"));
    this.fit();
    field.focus();
  }
}
