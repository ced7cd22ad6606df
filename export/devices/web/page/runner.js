// The model that is open and the picture that it is run on. Pictures, frames and models come in turn:
// while one is worked on, the others wait.

import { Engine } from "./engine.js";
import { readGallery } from "./gallery.js";
import { placement, prepare, toPicture } from "./input.js";
import { readModel } from "./metadata.js";
import { asDecoded } from "./reduce.js";
import { decoder } from "./tasks.js";
import { draw, shown } from "./view.js";

export class Runner {
  #engine = null;
  #decode = null;
  #gallery = null;
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
    const decode = decoder(model, file.name);
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
    this.#decode = decode;
    this.#gallery = null;
  }

  /**
   * Compare with a gallery from now on. Call it in turn.
   *
   * @param {string} text of the file
   * @throws {UserError} see `readGallery`
   */
  async compare(text, name) {
    this.#gallery = await readGallery(text, this.#file.bytes, name);
  }

  /**
   * Draw a picture or a frame in a context of `newContext`, and run the model on it. Call it in turn.
   *
   * @param {boolean} jpeg whether it was a JPEG, which training decodes at a part of its size
   */
  show(context, picture, jpeg = false) {
    draw(context, picture);
    this.#jpegs.set(context, jpeg);
    return this.again(context);
  }

  /**
   * Run the model on what a context shows. Call it in turn.
   *
   * @returns {Promise<{model, lines, nothing, boxes, mask, pixels, part, target, preparing, running}>}
   *   what `TASKS` says, with boxes in shares of the picture's sides; `part` is the box of the picture
   *   that was used, in such shares, and `target` that of the input that it fills, in pixels; times are
   *   in milliseconds
   */
  async again(context) {
    const engine = this.#engine;
    const { model } = engine;
    const started = performance.now();
    const picture = asDecoded(model.spec, shown(context), this.#jpegs.get(context));
    const pixels = prepare(model.spec, picture);
    const prepared = performance.now();
    const outputs = await engine.outputs(pixels);
    const running = performance.now() - prepared;
    const placed = placement(model.spec, picture.width, picture.height);
    const { target } = placed;
    const part = placed.source.map((edge, i) => edge / (i % 2 ? picture.height : picture.width));
    const { boxes = [], ...answer } = this.#decode(outputs, target, this.#gallery);
    const onPicture = boxes.map((box) => ({ ...box, edges: toPicture(box.edges, part, target, model.spec) }));
    return { ...answer, boxes: onPicture, model, pixels, part, target, preparing: prepared - started, running };
  }
}
