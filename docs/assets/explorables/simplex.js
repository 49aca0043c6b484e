// Three probabilities that sum to 1 as a point in a triangle.
import { make } from "./explorable.js";

const CORNERS = [[80, 22], [10, 143], [150, 143]];

export function inside(probs) {
  const along = (axis) => probs.reduce((sum, p, i) => sum + p * CORNERS[i][axis], 0);
  return [0, 1].map((axis) => along(axis).toFixed(2));
}

// What a path's attribute d writes for a line through points.
export function through(points) {
  return `M${points.join("L")}`;
}

export function dot(look = {}) {
  return make("circle", { class: "p", r: 6, fill: "var(--fig-1)", ...look });
}

export function stroke(look = {}) {
  return make("path", { fill: "none", stroke: "var(--fig-1)", "stroke-width": 1.5, ...look });
}

// Its label is for the one who draws in it to set, as the marks move.
export function simplex(names, ...marks) {
  const look = { fill: "none", stroke: "var(--fig-muted)" };
  const edge = make("polygon", { points: CORNERS.join(" "), ...look });
  const texts = names.map((name, at) => {
    const [x, y] = CORNERS[at];
    return make("text", { x, y: y + (at ? 17 : -8) }, name);
  });
  return make("svg", { viewBox: "0 0 160 165", role: "img" }, edge, ...texts, ...marks);
}
