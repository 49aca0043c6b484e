// The mathematics of the pictures: the functions of softmax_ce, by name, for one row of logits.
//
// With a dtype, every operation is rounded to it, the logits to begin with, as torch does with the
// forms of softmax_ce; without one, a form in float64 that keeps its last digits.

export const FORMATS = {
  float16: { digits: 11, least: 2 ** -24, largest: (2 - 2 ** -10) * 2 ** 15 },
  bfloat16: { digits: 8, least: 2 ** -133, largest: (2 - 2 ** -7) * 2 ** 127 },
  float32: { digits: 24, least: 2 ** -149, largest: (2 - 2 ** -23) * 2 ** 127 },
  float64: { digits: 53, least: 2 ** -1074, largest: Number.MAX_VALUE },
};

// The number of this dtype that is nearest, of two equally near the even one.
export function round(value, dtype) {
  if (!dtype || dtype === "float64" || !Number.isFinite(value)) return value;
  const { digits, least, largest } = FORMATS[dtype];
  const size = Math.abs(value);
  // An inexact log2 does no harm: beside a power of two both spacings round to that power.
  const spacing = Math.max(2 ** (Math.floor(Math.log2(size)) + 1 - digits), least);
  // From 2 ** 52 on a double holds whole numbers alone: the processor rounds to one, ties to even.
  const nearest = (size / spacing + 2 ** 52 - 2 ** 52) * spacing;
  return Math.sign(value) * (nearest > largest ? Infinity : nearest);
}

// As torch stores a Python float: in 16 bits by way of float32.
export function stored(value, dtype) {
  return round(dtype === "float64" ? value : Math.fround(value), dtype);
}

// What a number of the dtype that is not negative is, in a word.
export function kind(value, dtype) {
  if (value === 0 || value === Infinity) return value ? "inf" : "0";
  const { digits, least } = FORMATS[dtype];
  return value < least * 2 ** (digits - 1) ? "subnormal" : "normal";
}

// Among the numbers of the dtype from good, which works, to bad, which fails, the first that fails.
export function first_failure(fails, good, bad, dtype) {
  for (;;) {
    const middle = stored((good + bad) / 2, dtype);
    if (middle === good || middle === bad) return bad;
    if (fails(middle)) bad = middle;
    else good = middle;
  }
}

export function softmax_naive(logits, dtype) {
  return shares(exps(logits, dtype), dtype);
}

export function softmax_stable(logits, dtype) {
  return shares(exps(shift(logits, dtype), dtype), dtype);
}

// Logits over T. The shift comes before the division: the largest stays 0, however small T is.
export function tempered(logits, T) {
  return shift(logits).map((gap) => gap / T);
}

export function softmax_temperature(logits, T) {
  return shares(exps(tempered(logits, T)));
}

export function logsumexp(logits) {
  const top = Math.max(...logits);
  return Number.isFinite(top) ? top + Math.log1p(beside_top(shift(logits))) : top;
}

// With a dtype, the log of a sum that rounds to 1 where the top leads. Without one, log1p of what
// is beside the top: right to the last digits there, too.
export function log_softmax(logits, dtype) {
  const shifted = shift(logits, dtype);
  const log_total = dtype
    ? round(Math.log(sum(exps(shifted, dtype), dtype)), dtype)
    : Math.log1p(beside_top(shifted));
  return shifted.map((gap) => round(gap - log_total, dtype));
}

// Two terms of one sign, the gap to the top and log1p: no digit cancels, however small the loss.
export function cross_entropy(logits, y) {
  return 0 - log_softmax(logits)[y]; // a bare minus would make a loss of 0 a −0
}

// The textbook composition, kept to show where it dies.
export function cross_entropy_manual(logits, y, dtype) {
  return -round(Math.log(softmax_stable(logits, dtype)[y]), dtype);
}

// Of one example. p_y − 1 is minus the sum of the others, which does not cancel.
export function cross_entropy_softmax_gradient(logits, y) {
  const terms = exps(shift(logits));
  const total = sum(terms);
  terms[y] = 0;
  terms[y] = 0 - sum(terms);
  return terms.map((term) => term / total);
}

// The logits after one step of size eta against the gradient of the loss.
export function gradient_step(logits, y, eta) {
  return cross_entropy_softmax_gradient(logits, y).map((g, i) => logits[i] - eta * g);
}

// Σp² − p_y, the mean of the gradient under p: a wrong class rises to first order below it.
export function riser_threshold(logits, y) {
  const probs = softmax_stable(logits);
  return sum(cross_entropy_softmax_gradient(logits, y).map((g, i) => probs[i] * g));
}

export function entropy(logits) {
  const log_probs = log_softmax(logits);
  const terms = softmax_stable(logits).map((p, i) => (p === 0 ? 0 : -p * log_probs[i]));
  return sum(terms);
}

// Of the logits under p(T), from their pairs: no digit cancels.
export function variance(logits, T = 1) {
  const probs = softmax_temperature(logits, T);
  const pair = (i, j) => probs[i] * probs[j] * (logits[i] - logits[j]) ** 2;
  return sum(probs.flatMap((_, i) => probs.slice(0, i).map((_, j) => pair(i, j))));
}

// dH/dT, for the entropy of p(T).
export function entropy_slope(logits, T) {
  return variance(logits, T) / T ** 3;
}

export function shift(logits, dtype) {
  const row = Array.from(logits, (z) => round(z, dtype));
  const top = Math.max(...row);
  return row.map((z) => round(z - top, dtype));
}

export function exps(row, dtype) {
  return Array.from(row, (z) => round(Math.exp(round(z, dtype)), dtype));
}

// With a dtype as torch adds a short row: in its order, 16 bits in float32 and rounded once. Without
// one, small terms first: each alone may be too small for the digits of a sum that began with 1.
export function sum(terms, dtype) {
  if (!dtype) return Float64Array.from(terms).sort().reduce((total, term) => total + term, 0);
  const wide = dtype === "float64" ? dtype : "float32";
  return round(terms.reduce((total, term) => round(total + term, wide), 0), dtype);
}

// Each term's share of their sum.
export function shares(terms, dtype) {
  const total = sum(terms, dtype);
  return terms.map((term) => round(term / total, dtype));
}

// The sum of exponentials but for one top's, which is 1. A row of nan has no top, and stays nan.
export function beside_top(shifted) {
  const top = shifted.indexOf(0);
  return sum(exps(shifted.filter((_, i) => i !== top)));
}
