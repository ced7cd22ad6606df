// Scores as probabilities and as texts.

/** 1 / (1 + exp(-x)), which no logit overflows. */
export function sigmoid(logit) {
  return 0.5 * (1 + Math.tanh(0.5 * logit));
}

/** The inverse of `sigmoid`. */
export function logit(probability) {
  return Math.log(probability) - Math.log1p(-probability);
}

export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
