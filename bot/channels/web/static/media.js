// What the device can add: a picture made small, a voice, a rough place.
const LONGEST = 1600;

// Pictures are drawn anew: smaller for a slow line, and without where and when they were taken.
export async function shrink(file) {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    const paper = canvas.getContext("2d");
    paper.fillStyle = "#fff";
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const small = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.82));
    return small ?? file;
  } catch {
    return file; // not a picture this browser knows: the room decides
  }
}

export const canRecord = Boolean(window.MediaRecorder && navigator.mediaDevices?.getUserMedia);

export class Recorder {
  async start(onTick) {
    this.media = await navigator.mediaDevices.getUserMedia({ audio: true });
    const type = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"].find((name) => MediaRecorder.isTypeSupported(name));
    this.recorder = new MediaRecorder(this.media, { mimeType: type, audioBitsPerSecond: 24000 });
    this.parts = [];
    this.recorder.addEventListener("dataavailable", (event) => this.parts.push(event.data));
    this.began = Date.now();
    this.recorder.start();
    this.ticking = setInterval(() => onTick(this.seconds), 500);
  }

  get seconds() {
    return Math.round((Date.now() - this.began) / 1000);
  }

  // Resolves to the recording.
  async stop() {
    clearInterval(this.ticking);
    const seconds = Math.max(1, this.seconds);
    const ended = new Promise((resolve) => this.recorder.addEventListener("stop", resolve, { once: true }));
    this.recorder.stop();
    await ended;
    for (const track of this.media.getTracks()) track.stop();
    return { blob: new Blob(this.parts, { type: this.recorder.mimeType }), seconds };
  }
}

// Rounded here to about 10 km: the exact place never leaves the phone.
export function roughPlace() {
  return new Promise((resolve, reject) => {
    if (!navigator.geolocation) {
      reject(new Error("none"));
      return;
    }
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({
        latitude: Math.round(coords.latitude * 10) / 10,
        longitude: Math.round(coords.longitude * 10) / 10,
      }),
      reject,
      { maximumAge: 600000, timeout: 20000 },
    );
  });
}
