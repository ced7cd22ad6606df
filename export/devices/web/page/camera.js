// The live camera: its newest frame, another camera, and a sentence for whatever goes wrong.

import { UserError } from "./tflite.js";

const SENTENCES = {
  NotAllowedError: "The camera is not allowed. Allow it for this page in the browser, or choose pictures.",
  NotFoundError: "There is no camera here. Choose pictures instead.",
  NotReadableError: "The camera cannot be read; another program may be using it.",
};

export class Camera {
  #video = document.createElement("video");
  #stream = null;
  #attempt = 0; // a stream that comes after `stop` or another `start` is not used
  #end = () => {}; // ends the wait for a frame

  /** @param {() => void} lost called when a running camera goes away */
  constructor(lost) {
    this.lost = lost;
    this.#video.muted = true;
    this.#video.playsInline = true; // iOS would otherwise show it full screen
  }

  get on() {
    return this.#stream !== null;
  }

  /** Whether the picture is that of a mirror: the camera looks at whoever looks at the screen. */
  get facesUser() {
    return this.#track?.getSettings().facingMode === "user";
  }

  get #track() {
    return this.#stream?.getVideoTracks()[0] ?? null;
  }

  /**
   * Start a camera. When `stop` or another `start` comes before it runs, it stays off.
   *
   * @throws {UserError} there is none, or it may not be used
   */
  async start(deviceId = null) {
    this.stop();
    const attempt = this.#attempt;
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new UserError("A camera needs https or localhost. Choose pictures instead.");
    }
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "environment" };
    const video = { width: { ideal: 640 }, height: { ideal: 480 }, ...which };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      if (attempt !== this.#attempt) return release(stream);
      this.#stream = stream;
      this.#track.addEventListener("ended", () => {
        this.stop();
        this.lost();
      });
      this.#video.srcObject = this.#stream;
      await this.#video.play();
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.stop();
      throw new UserError(SENTENCES[error.name] ?? `The camera does not start: ${error.message}.`);
    }
  }

  stop() {
    this.#attempt++;
    release(this.#stream);
    this.#stream = null;
    this.#video.srcObject = null;
    this.#end();
  }

  /** @returns {Promise<number>} how many cameras there are; known once one has been allowed */
  async count() {
    return (await this.#devices()).length;
  }

  async next() {
    const devices = await this.#devices();
    const now = devices.indexOf(this.#track?.getSettings().deviceId);
    await this.start(devices[(now + 1) % devices.length]);
  }

  async #devices() {
    const found = await navigator.mediaDevices.enumerateDevices();
    return found.filter(({ kind }) => kind === "videoinput").map(({ deviceId }) => deviceId);
  }

  /**
   * Wait for a new frame; those that come while nobody waits are dropped.
   *
   * @returns {Promise<HTMLVideoElement | null>} the element that shows it; null once stopped
   */
  async frame() {
    const video = this.#video;
    // One promise for a frame: a race against one that lives longer would grow with every frame.
    await new Promise((resolve) => {
      this.#end = resolve;
      if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve);
      else requestAnimationFrame(resolve);
    });
    return this.on && video.videoWidth ? video : null;
  }
}

function release(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
