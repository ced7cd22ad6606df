// Scores as probabilities and as texts.

/** 1 / (1 + exp(-x)), which no logit overflows. */
export function sigmoid(logit) {
  return 0.5 * (1 + Math.tanh(0.5 * logit));
}

/** The inverse of `sigmoid`. */
export function logit(probability) {
  return Math.log(probability) - Math.log1p(-probability);
}

/** Probabilities at a temperature: p^(1 / T) divided by the sum of all; see `tempered` in Python. */
export function tempered(probabilities, temperature) {
  if (temperature === 1) return probabilities;
  const largest = probabilities.reduce((a, b) => Math.max(a, b), 0) || 1;
  const powers = Float64Array.from(probabilities, (p) => (p / largest) ** (1 / temperature));
  const total = powers.reduce((a, b) => a + b, 0) || 1;
  return Float32Array.from(powers, (power) => power / total);
}

export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
