// What the model says of itself, as a list of facts.

/** Show a model's facts in a <dl> and its labels in an <ol>. */
export function showFacts(list, labelList, model, file, runtime) {
  const { about, input, outputs, spec } = model;
  const rows = [
    ["File", `${file.name}, ${file.size.toLocaleString("en")} bytes`],
    ["About", about.description],
    ["Version", about.version],
    ["Author", about.author],
    ["Licence", about.license],
    ["Task", model.task.name],
    ["Input", `${spec.width} × ${spec.height} pixels, ${spec.channels === 1 ? "grey" : "colour"}, ${input.type}`],
    ["Part used", part(spec)],
    ["Resizing", spec.resize],
    ["Normalisation", normalisation(spec)],
    [outputs.length === 1 ? "Output" : "Outputs", outputs.map(values).join("; ")],
    ["Operators", String(model.operators)],
    ["Oldest runtime", about.runtime],
    ["Runs on", `LiteRT.js, WebAssembly, ${runtime}`],
  ];
  list.replaceChildren(
    ...rows
      .filter(([, value]) => value)
      .flatMap(([name, value]) => [element("dt", name), element("dd", value)]),
  );
  labelList.replaceChildren(...(model.labels ?? []).slice(0, 2000).map((label) => element("li", label)));
}

function values({ shape, type }) {
  return `${shape.slice(1).join(" × ") || 1} values, ${type}`;
}

function part({ crop, fit, width, height }) {
  const share = crop === 1 ? "" : `${+(100 * crop).toFixed(2)} % of `;
  const whole = {
    crop: `the largest centred ${width === height ? "square" : "rectangle of the input's shape"}`,
    stretch: "the whole picture, stretched",
    pad: "the whole picture, with a border",
  };
  return share + whole[fit];
}

function normalisation({ mean, std }) {
  if (!mean || !std) return "not stated; the input is the pixels";
  return `(pixel − ${mean.map(number).join(", ")}) / ${std.map(number).join(", ")}`;
}

function number(value) {
  return String(+value.toPrecision(6));
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
