// The graph of a .tflite: what goes in, what comes out, and whether this page can run it.

import { Damaged, Flatbuffer } from "./flatbuffer.js";

// Field numbers of TensorFlow Lite's schema.
const MODEL = { codes: 1, graphs: 2, buffers: 4, metadata: 6 };
const GRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3 };
const TENSOR = { shape: 0, type: 1, quantization: 4, signature: 7 };
const QUANTIZATION = { scale: 2, zeroPoint: 3 };
const OPERATOR = { code: 0, inputs: 1, outputs: 2 };
const CODE = { deprecated: 0, code: 3 };
const ENTRY = { name: 0, buffer: 1 };

const TYPES = { 0: "float32", 3: "uint8", 9: "int8" };
const LOGISTIC = 14;
// Operators that change the form of a tensor, and not what its values mean.
const FORM_ONLY = new Set([22, 43, 70, 6, 114]); // RESHAPE, SQUEEZE, EXPAND_DIMS, DE- and QUANTIZE
const INPUT_ELEMENTS = 1 << 24;
const OUTPUT_ELEMENTS = 1 << 24;
const OUTPUTS = 64;
const RANK = 16;
const FILE_BYTES = 1 << 27;

/** Something that a person did and can mend; its message is a whole sentence. */
export class UserError extends Error {}

/**
 * Reject a file that is too large, before it is read.
 *
 * @param {File} file
 */
export function checkSize({ name, size }) {
  if (size > FILE_BYTES) {
    throw new UserError(`${name} has more than ${FILE_BYTES / 2 ** 20} MB, too many for a browser.`);
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {string} name by which errors call the file
 * @returns {Graph} {input, outputs, sigmoid, operators, metadata}; the tensors have
 *   {shape, type, scale, zeroPoint}, scale is null without quantization; `sigmoid` is whether one
 *   score separates two classes; `metadata` is a Map from names to bytes.
 * @throws {UserError} it is no model, is damaged, or not one that this page runs
 */
export function readGraph(bytes, name) {
  const buffer = new Flatbuffer(bytes);
  if (buffer.mark !== "TFL3") throw new UserError(`${name} is not a .tflite file.`);
  try {
    return parsed(buffer, name);
  } catch (error) {
    if (error instanceof Damaged) {
      throw new UserError(`${name} cannot be read: ${error.message}. Copy or export it again.`);
    }
    throw error;
  }
}

function parsed(buffer, name) {
  const model = buffer.root();
  const graphs = model.tables(MODEL.graphs);
  if (graphs.length !== 1) throw new UserError(`${name} has ${graphs.length} graphs; one is needed.`);
  const tensors = graphs[0].tables(GRAPH.tensors);
  const ends = [GRAPH.inputs, GRAPH.outputs].map((field) => graphs[0].int32s(field));
  for (const [indices, what, most] of [[ends[0], "inputs", 1], [ends[1], "outputs", OUTPUTS]]) {
    if (indices.length < 1 || indices.length > most) {
      throw new UserError(`${name} has ${indices.length} ${what}; from 1 to ${most} can be used.`);
    }
  }
  const [[input], outputs] = ends.map((indices) => indices.map((index) => tensor(at(tensors, index))));
  checkEnds(input, outputs, name);
  const operators = graphs[0].tables(GRAPH.operators);
  const codes = model.tables(MODEL.codes).map(builtin);
  const single = outputs.length === 1 && outputs[0].shape.every((side) => side === 1);
  return {
    input,
    outputs,
    sigmoid: single && maker(operators, codes, ends[1][0]) === LOGISTIC,
    operators: operators.length,
    metadata: entries(model),
  };
}

function checkEnds(input, outputs, name) {
  for (const [end, what] of [[input, "input"], ...outputs.map((output) => [output, "output"])]) {
    if (end.type === "int8") {
      throw new UserError(
        `${name} has an int8 ${what}, which LiteRT.js does not take; \`mobilenet-tf web\` on the ` +
          "computer makes a page with the same model with uint8.",
      );
    }
    if (!end.type) throw new UserError(`${name} has an ${what} of a type other than uint8 and float32.`);
    if (end.shape.some((side) => side < 1)) throw new UserError(`${name} has an ${what} of open shape.`);
    if (end.scale !== null && !(end.scale > 0 && Number.isFinite(end.scale))) {
      throw new UserError(`${name} has an ${what} whose scale is ${end.scale}.`);
    }
  }
  const [batch, height, width, channels] = input.shape;
  const picture = input.shape.length === 4 && batch === 1 && (channels === 1 || channels === 3);
  if (!picture || height * width * channels > INPUT_ELEMENTS) {
    throw new UserError(`${name} has an input of shape ${input.shape.join(" x ")}, not one picture.`);
  }
  for (const { shape } of outputs) {
    if (shape.reduce((product, side) => product * side, 1) > OUTPUT_ELEMENTS) {
      throw new UserError(`${name} has an output of shape ${shape.join(" x ")}, which is too large.`);
    }
  }
}

function tensor(table) {
  const quantization = table.table(TENSOR.quantization);
  const scales = quantization?.floats(QUANTIZATION.scale) ?? [];
  const [zeroPoint = 0] = quantization?.int64s(QUANTIZATION.zeroPoint) ?? [];
  const shape = table.int32s(TENSOR.shape);
  const signature = table.int32s(TENSOR.signature);
  if (shape.length > RANK) throw new Damaged("it has a tensor of too many dimensions");
  return {
    // Converters leave the batch open in the signature, and state the one that is used in the shape.
    shape: signature.length === shape.length ? [shape[0], ...signature.slice(1)] : shape,
    type: TYPES[table.int8(TENSOR.type, 0)],
    scale: scales.length === 1 ? scales[0] : null,
    zeroPoint,
  };
}

/** Old files have only the deprecated field. */
function builtin(code) {
  return Math.max(code.int8(CODE.deprecated, 0), code.int32(CODE.code, 0));
}

/** The operator that computes a tensor, looking through those that change only its form. */
function maker(operators, codes, index) {
  const makers = new Map();
  for (const operator of operators) {
    for (const output of operator.int32s(OPERATOR.outputs)) makers.set(output, operator);
  }
  for (let steps = 0; steps < operators.length; steps++) {
    const operator = makers.get(index);
    if (!operator) return null;
    const code = codes[operator.uint32(OPERATOR.code, 0)];
    const inputs = operator.int32s(OPERATOR.inputs);
    if (!FORM_ONLY.has(code) || !inputs.length) return code;
    index = inputs[0];
  }
  return null;
}

function entries(model) {
  const buffers = model.tables(MODEL.buffers);
  const named = model.tables(MODEL.metadata).map((entry) => [
    entry.string(ENTRY.name),
    at(buffers, entry.uint32(ENTRY.buffer, 0)).bytes(0),
  ]);
  return new Map(named);
}

function at(list, index) {
  if (!(index in list)) throw new Damaged("it refers to what it does not contain");
  return list[index];
}
