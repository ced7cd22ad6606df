// LiteRT's WebAssembly runs the model on the CPU: its scores are those of Python, value for value.
// Those of WebGPU are not, so it is left out.

import { loadAndCompile, loadLiteRt, supportsFeature, Tensor, unloadLiteRt } from "@litertjs/core";

import { inputTable } from "./input.js";
import { UserError } from "./tflite.js";

const PACKAGE = new URL("litert/", import.meta.url).href;

let liteRt = null;

/** Name of the build that LiteRT.js loads in this browser. */
export async function buildName() {
  return (await supportsFeature("relaxedSimd")) ? "relaxed SIMD" : "compatible";
}

async function start() {
  liteRt = await loadLiteRt(PACKAGE);
  liteRt.getWebGpuDevice()?.destroy();
  liteRt.setWebGpuDevice(null);
}

function stop() {
  try {
    unloadLiteRt();
  } catch {
    // What has stopped in the middle cannot be freed in order.
  }
  liteRt = null;
}

/** Bytes of WebAssembly memory, which only grows. */
export function memory() {
  return liteRt.liteRtWasm.HEAPU8.byteLength;
}

/** A model that runs; see `open`. */
export class Engine {
  #compiled;
  #table;

  constructor(model, compiled, name) {
    this.model = model;
    this.#compiled = compiled;
    this.#table = inputTable(model, name);
  }

  /**
   * Compile a model.
   *
   * @param {Uint8Array} bytes the file
   * @param model what `readModel` says of it
   * @param {string} name by which errors call it
   * @throws {UserError} LiteRT cannot run it; LiteRT is started anew, and other engines are gone
   */
  static async open(bytes, model, name) {
    if (!liteRt) await start();
    try {
      const compiled = await loadAndCompile(bytes, { accelerator: "wasm" });
      const engine = new Engine(model, compiled, name);
      await engine.outputs(new Uint8Array(model.input.shape.reduce((a, b) => a * b)));
      return engine;
    } catch (error) {
      // Its memory may be damaged, and what it has allocated for this file is lost.
      stop();
      if (error instanceof UserError) throw error;
      throw new UserError(`LiteRT.js cannot run ${name}: ${reason(error)}.`);
    }
  }

  /**
   * @param {Uint8Array} pixels what `prepare` returns
   * @returns {Promise<Float32Array[]>} the real values of each output, in the order of the file
   */
  async outputs(pixels) {
    const raw = await this.raw(pixels);
    return raw.map((values, i) => {
      const { scale, zeroPoint } = this.model.outputs[i];
      if (scale === null) return Float32Array.from(values);
      return Float32Array.from(values, (value) => Math.fround(value - zeroPoint) * Math.fround(scale));
    });
  }

  /** @returns {Promise<(Uint8Array | Float32Array)[]>} the file's outputs as they are */
  async raw(pixels) {
    const input = new Tensor(this.#table(pixels), this.model.input.shape);
    try {
      const outputs = await this.#compiled.run(input);
      try {
        return await Promise.all(outputs.map((output) => output.data()));
      } finally {
        for (const output of outputs) output.delete();
      }
    } finally {
      input.delete();
    }
  }

  close() {
    this.#compiled.delete();
  }
}

function reason(error) {
  const text = String(error?.message ?? error).split("\n")[0].trim().replace(/\.$/, "");
  return text.slice(0, 200) || "it stopped";
}
