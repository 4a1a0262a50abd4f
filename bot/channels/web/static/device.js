// A link to someone's conversation: whose it is, and a yes before it is opened here.
import { clear, notice, toast } from "./notice.js";
import { here, say, setup } from "./words.js";

const get = (id) => document.getElementById(id);

export const opensConversation = (token) => /^d[\w-]{21}$/.test(token);

// Resolves to whether the person wants it opened in this browser.
export async function wanted(token) {
  let response;
  let answer;
  try {
    response = await fetch(`/chat/device?${here()}`, {
      method: "POST", signal: AbortSignal.timeout(30000),
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ chat: setup.chat, token }),
    });
    answer = await response.json();
  } catch {
    return again(token, say("lost"));
  }
  if (response.ok) return answer.here ? false : ask(answer.name);
  if (response.status === 429 || response.status >= 500) return again(token, answer.error);
  if (answer.moved) location.reload();
  else toast(answer.error, true);
  return false;
}

function again(token, sentence) {
  return new Promise((resolve) => {
    notice("device", sentence, say("retry"), () => { clear("device"); resolve(wanted(token)); });
  });
}

function ask(name) {
  const dialog = get("ask");
  get("ask-what").textContent = name ? say("device", { name }) : say("device_unnamed");
  get("ask-whose").textContent = name ? say("device_whose", { name }) : "";
  dialog.returnValue = "";
  get("ask-open").onclick = () => dialog.close("open");
  get("ask-not").onclick = () => dialog.close();
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "open"), { once: true });
  });
}
