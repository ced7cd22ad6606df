// The answer: the most likely classes with their bars, and the times that they took.

const TOP = 3;
const WINDOW = 30; // times of which the median is shown

/** @returns {{label: string, score: number}[]} best first; equal scores stay in class order */
export function best(scores, labels, count = TOP) {
  return Array.from(scores, (score, i) => ({ label: labels[i], score }))
    .sort((a, b) => b.score - a.score)
    .slice(0, count);
}

/** Return a function that writes a score: in per cent if all are shares of 1. */
export function scoreText(scores) {
  const shares = scores.every((score) => score >= 0 && score <= 1);
  return (score) => (shares ? `${(100 * score).toFixed(1)} %` : score.toPrecision(3));
}

/** Show the best classes in a list. */
export function showBars(list, scores, labels) {
  const write = scoreText(scores);
  // Without a spread: a call takes fewer arguments than there may be classes.
  const least = scores.reduce((a, b) => Math.min(a, b), 0);
  const most = scores.reduce((a, b) => Math.max(a, b), 1);
  const found = best(scores, labels);
  while (list.children.length > found.length) list.lastElementChild.remove();
  while (list.children.length < found.length) list.append(emptyBar());
  found.forEach(({ label, score }, i) => {
    const [name, value, bar] = list.children[i].children;
    name.textContent = label;
    value.textContent = write(score);
    bar.firstElementChild.style.inlineSize = `${(100 * (score - least)) / (most - least || 1)}%`;
  });
}

function emptyBar() {
  const item = document.createElement("li");
  for (const [kind, tag] of [["label", "span"], ["score", "span"], ["bar", "div"]]) {
    const part = document.createElement(tag);
    part.className = kind;
    item.append(part);
  }
  item.lastElementChild.setAttribute("aria-hidden", "true"); // the score says the same
  item.lastElementChild.append(document.createElement("div"));
  return item;
}

/** The median of the last times, which a slow frame does not change much. */
export class Times {
  #values = [];

  add(milliseconds) {
    this.#values.push(milliseconds);
    if (this.#values.length > WINDOW) this.#values.shift();
  }

  clear() {
    this.#values = [];
  }

  /** Null before the first. */
  get median() {
    if (!this.#values.length) return null;
    const sorted = [...this.#values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
