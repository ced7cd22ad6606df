// The model that is open and the picture that it classifies. Pictures, frames and models come in
// turn: while one is worked on, the others wait.

import { Engine } from "./engine.js";
import { placement, prepare } from "./input.js";
import { readModel } from "./metadata.js";
import { asDecoded } from "./reduce.js";
import { draw, shown } from "./view.js";

export class Classifier {
  #engine = null;
  #file = null; // {name, bytes} of the model that is open
  #turn = Promise.resolve();
  #jpegs = new WeakMap(); // context -> whether it shows a JPEG

  get model() {
    return this.#engine?.model ?? null;
  }

  /** Run a function when everything before it has ended, whether well or not. */
  inTurn(work) {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  /**
   * Replace the model; if the new one cannot be used, the old one stays. Call it in turn.
   *
   * @param {{name: string, bytes: Uint8Array}} file
   * @throws {UserError} see `readModel` and `Engine.open`
   */
  async open(file) {
    const model = await readModel(file.bytes, file.name);
    const before = this.#engine;
    try {
      this.#engine = await Engine.open(file.bytes, model, file.name);
    } catch (error) {
      // LiteRT was stopped, and the engine before with it.
      this.#engine = null;
      if (before) this.#engine = await Engine.open(this.#file.bytes, before.model, this.#file.name);
      throw error;
    }
    before?.close();
    this.#file = file;
  }

  /**
   * Draw a picture or a frame in a context of `newContext`, and classify it. Call it in turn.
   *
   * @param {boolean} jpeg whether it was a JPEG, which training decodes at a part of its size
   */
  show(context, picture, jpeg = false) {
    draw(context, picture);
    this.#jpegs.set(context, jpeg);
    return this.again(context);
  }

  /**
   * Classify what a context shows. Call it in turn.
   *
   * @returns {Promise<{model, scores, pixels, part, preparing, running}>} `part` is the box that was
   *   used, in shares of the picture's sides; times are in milliseconds
   */
  async again(context) {
    const engine = this.#engine;
    const { model } = engine;
    const started = performance.now();
    const picture = asDecoded(model.spec, shown(context), this.#jpegs.get(context));
    const pixels = prepare(model.spec, picture);
    const prepared = performance.now();
    const scores = await engine.scores(pixels);
    const running = performance.now() - prepared;
    const { source } = placement(model.spec, picture.width, picture.height);
    const part = source.map((edge, i) => edge / (i % 2 ? picture.height : picture.width));
    return { model, scores, pixels, part, preparing: prepared - started, running };
  }
}
