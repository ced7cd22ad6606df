// Put into the page before its own scripts: counts what it does, and calls its modules.

window.frames_read = 0;
const read = CanvasRenderingContext2D.prototype.getImageData;
CanvasRenderingContext2D.prototype.getImageData = function (...box) {
  window.frames_read++;
  return read.apply(this, box);
};

window.helpers = {
  bytes: (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0)),

  text: (bytes) => {
    let found = "";
    for (const one of bytes) found += String.fromCharCode(one);
    return btoa(found);
  },

  /** The input of a network that a picture file becomes, on the page's own way. */
  async prepared(content, spec, name = "picture.png") {
    const { openPicture } = await import("./pictures.js");
    const { draw, newContext, shown } = await import("./view.js");
    const { prepare } = await import("./input.js");
    const { asDecoded } = await import("./reduce.js");
    const { bitmap, jpeg } = await openPicture(new File([helpers.bytes(content)], name));
    const context = newContext(document.createElement("canvas"));
    draw(context, bitmap);
    return helpers.text(prepare(spec, asDecoded(spec, shown(context), jpeg)));
  },

  async engine(content) {
    const { readModel } = await import("./metadata.js");
    const { Engine } = await import("./engine.js");
    const bytes = helpers.bytes(content);
    return Engine.open(bytes, await readModel(bytes, "model"), "model");
  },

  /** The mean time of some inferences, of the quickest of five turns. */
  async milliseconds(content, pixels, runs) {
    const engine = await helpers.engine(content);
    const input = helpers.bytes(pixels);
    let best = Infinity;
    for (let turn = 0; turn < 5; turn++) {
      const started = performance.now();
      for (let run = 0; run < runs; run++) await engine.outputs(input);
      best = Math.min(best, (performance.now() - started) / runs);
    }
    engine.close();
    return best;
  },

  /** The raw outputs of a model for the pixels of several inputs. */
  async outputs(content, pixels) {
    const engine = await helpers.engine(content);
    const found = [];
    for (const one of pixels) {
      const raw = await engine.raw(helpers.bytes(one));
      const parts = raw.map((values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      found.push(helpers.text(new Uint8Array(await new Blob(parts).arrayBuffer())));
    }
    engine.close();
    return found;
  },

  /** Drop or paste files. */
  give(kind, name, content, target = document.body) {
    const transfer = new DataTransfer();
    transfer.items.add(new File([helpers.bytes(content)], name));
    const options = { bubbles: true, cancelable: true };
    target.dispatchEvent(
      kind === "paste"
        ? new ClipboardEvent("paste", { ...options, clipboardData: transfer })
        : new DragEvent(kind, { ...options, dataTransfer: transfer }),
    );
  },
};
