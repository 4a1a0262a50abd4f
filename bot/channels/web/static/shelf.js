// What is written is kept in the browser until the room has it. Without storage, in memory only.
const NAME = "kinroom";

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("out", { keyPath: "client_id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

let opened;

async function within(mode, act) {
  try {
    opened ??= open();
    const store = (await opened).transaction("out", mode).objectStore("out");
    return await new Promise((resolve, reject) => {
      const request = act(store);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } catch {
    return undefined;
  }
}

export const keep = (entry) => within("readwrite", (store) => store.put(entry));
export const drop = (id) => within("readwrite", (store) => store.delete(id));

export async function kept(chat) {
  const all = (await within("readonly", (store) => store.getAll())) ?? [];
  return all.filter((entry) => entry.chat === chat).sort((a, b) => a.order - b.order);
}
