// A temperature to move, and two logits to tie: the bars, the entropy, and the path of p.
import { Explorable, LOGITS, NAMES, float, floats, general, make, numbers } from "./explorable.js";
import { entropy, entropy_slope, softmax_temperature, tempered, variance } from "./numerics.js";
import { dot, inside, simplex, stroke, through } from "./simplex.js";

// Steps of the slider from T = 1 to 20, and as many to 1/20, each by the same factor.
const HALF = 130;
const SCALE = {
  min: 0.05,
  max: 20,
  value: (position) => Number((20 ** (position / HALF)).toPrecision(3)),
  position: (T) => (HALF * Math.log(T)) / Math.log(20),
};
const COLD = 2 ** -126; // the least T of the package: the gaps that it leaves are beyond exp
const QUARTERS = [...Array(161).keys()].map((i) => 2 ** ((i - 80) / 4));
const CEILING = entropy([0, 0, 0]);

// In the curve of the entropy, over the logarithm of T.
const across = (T) => 80 + (SCALE.position(T) * 70) / HALF;
const height = (share) => 84 - 66 * share;

export class TemperatureExplorer extends Explorable {
  static label = "Temperature explorer";
  static style = `
    .picture { align-items: start; }
    .row.T { grid-template-columns: 4.2rem 1fr 3.4rem; margin-bottom: 0.4rem; }
    svg + svg { margin-top: 0.6rem; }
  `;

  initial() {
    return { logits: [2, 1, 0.1], T: 1, tied: false };
  }

  read(values) {
    const logits = numbers(values.get(this.localName), 3, 3);
    const [T] = numbers(values.get("T"), 1, 1, SCALE.min, SCALE.max) ?? [1];
    return logits && { logits, T, tied: values.get("tied") === "1" };
  }

  write() {
    const { logits, T, tied } = this.state;
    return `${logits}&T=${T}&tied=${Number(tied)}`;
  }

  // A tie covers the logit of hold, which comes back without it.
  get logits() {
    const { logits, tied } = this.state;
    return tied ? logits.with(1, logits[0]) : logits;
  }

  build() {
    const hint = "Move T from cold to hot. Tie two logits: where does the path begin now?";
    const range = { min: -HALF, max: HALF, step: 1 };
    this.T = this.field("temperature T", range, (T) => this.update({ T }), SCALE);
    const { slider, input, error } = this.T;
    const T = make("div", { class: "row T" }, "T", slider, input, error);

    this.rows = NAMES.slice(0, 3).map((name, at) =>
      this.row(name, LOGITS, (logit) => {
        const both = this.state.tied && at < 2;
        if (both) this.rows[1 - at].field.set(logit);
        this.update({ logits: this.state.logits.with(both ? 0 : at, logit) });
      }),
    );
    const head = this.head("class", "logit", "", "probability");

    const names = ["entropy H, in nats", "Var[z], under p", "dH/dT = Var[z] / T³", "p as T → 0"];
    const [facts, values] = this.facts(...names);
    this.shown = values;

    const end = { class: "end", r: 3, fill: "var(--md-default-bg-color)", stroke: "var(--fig-1)" };
    [this.path, this.point, this.cold] = [stroke(), dot(), dot(end)];
    const centre = dot({ ...end, transform: `translate(${inside([1 / 3, 1 / 3, 1 / 3])})` });
    this.triangle = simplex(NAMES.slice(0, 3), this.path, this.cold, centre, this.point);
    this.chart = this.#drawChart();
    this.drawn = "";
    const side = make("div", { class: "side" }, this.triangle, this.chart);
    const table = make("div", {}, T, head, ...this.rows.map(({ row }) => row), facts);

    this.tie = this.button("Tie hold to buy", () => {
      this.update({ tied: !this.state.tied });
      this.#fill();
    });
    this.tie.classList.add("copy");
    const reset = this.button("Reset", () => {
      this.update(this.initial());
      this.#fill();
    });
    const buttons = [this.tie, reset, ...this.copyButtons()];
    this.#fill();
    return [
      make("p", { class: "muted" }, hint),
      make("div", { class: "picture" }, table, side),
      make("div", { class: "buttons" }, ...buttons),
    ];
  }

  show() {
    const { T } = this.state;
    const { logits } = this;
    const probs = softmax_temperature(logits, T);
    this.rows.forEach((row, at) => row.show(probs[at], logits[at]));

    const H = entropy(tempered(logits, T));
    const slope = entropy_slope(logits, T);
    const cold = softmax_temperature(logits, COLD);
    const limit = cold.map((p) => general(p)).join(", ");
    this.values = [H.toFixed(4), general(variance(logits, T)), general(slope), limit];
    this.shown.forEach(([, value], at) => value.replaceChildren(this.values[at]));
    this.T.tell(`${T}, entropy ${this.values[0]}`);

    if (this.drawn !== String(logits)) this.#drawCurves(logits);
    this.cold.setAttribute("transform", `translate(${inside(cold)})`);
    this.point.setAttribute("transform", `translate(${inside(probs)})`);
    const path = `The path of p in a triangle, from ${limit} to the centre`;
    this.triangle.setAttribute("aria-label", `${path}: ${this.#listed()}`);
    this.#showChart(H, slope);
  }

  words() {
    const [H, , slope] = this.values;
    return `T ${this.state.T}: ${this.#listed()}. Entropy ${H}, slope ${slope}.`;
  }

  python() {
    return `import torch

names = ["buy", "hold", "sell"]
logits = torch.tensor(${floats(this.logits)}, dtype=torch.float64)
T = ${float(this.state.T)}

shifted = logits - logits.max()
probs = torch.softmax(shifted / T, dim=-1)
for name, p in zip(names, probs.tolist()):
    print(f"{name}: {p:.4f}")
variance = (probs * (shifted - (probs * shifted).sum()) ** 2).sum()
print(f"H: {torch.special.entr(probs).sum():.4f}")
print(f"Var[z]: {variance:.4g}")
print(f"dH/dT: {variance / T**3:.4g}")
limit = (shifted == 0) / (shifted == 0).sum()
print("p as T -> 0:", ", ".join(f"{p:.4g}" for p in limit.tolist()))
`;
  }

  #listed() {
    return this.rows.map(({ number }, at) => `${NAMES[at]} ${number.textContent}`).join(", ");
  }

  #fill() {
    this.T.set(this.state.T);
    this.rows.forEach(({ field }, at) => field.set(this.logits[at]));
    this.tie.setAttribute("aria-pressed", this.state.tied);
    this.tie.classList.toggle("done", this.state.tied);
  }

  #drawChart() {
    const level = (share) => through([[10, height(share)], [150, height(share)]]);
    const axis = stroke({ d: level(0), stroke: "var(--fig-rule)" });
    const look = { stroke: "var(--fig-muted)", "stroke-dasharray": "2 3" };
    const ceiling = stroke({ d: level(1), ...look });
    const text = (x, y, words) => make("text", { class: "small", x, y }, words);
    const below = (T, words) => text(across(T), height(0) + 14, words);
    const texts = [below(0.05, "0.05"), below(1, "T = 1"), below(20, "20")];
    texts.push(text(36, height(1) - 5, "H ≤ log 3"));
    [this.curve, this.tangent] = [stroke(), stroke({ stroke: "var(--fig-2)" })];
    this.place = dot({ class: "H", r: 4 });
    const marks = [axis, ceiling, ...texts, this.curve, this.tangent, this.place];
    return make("svg", { viewBox: "0 0 160 102", role: "img" }, ...marks);
  }

  // What T does not change.
  #drawCurves(logits) {
    const line = [COLD, ...QUARTERS, 1 / COLD].map((t) => inside(softmax_temperature(logits, t)));
    this.path.setAttribute("d", through(line));
    const points = [...Array(71).keys()].map((i) => {
      const T = 20 ** (i / 35 - 1);
      return [across(T), height(entropy(tempered(logits, T)) / CEILING).toFixed(2)];
    });
    this.curve.setAttribute("d", through(points));
    this.drawn = String(logits);
  }

  #showChart(H, slope) {
    const { T } = this.state;
    const at = [across(T), height(H / CEILING)];
    // A unit to the right multiplies T by 20^(1/70).
    const rise = (height(1) - height(0)) * ((slope * T * Math.log(20)) / 70 / CEILING);
    const reach = 24 / Math.hypot(1, rise);
    const ends = [-reach, reach].map((dx) => [at[0] + dx, at[1] + dx * rise]);
    this.tangent.setAttribute("d", through(ends));
    this.place.setAttribute("transform", `translate(${at})`);
    const label = `The entropy against T, on a logarithmic axis: at ${T} it is ${this.values[0]}`;
    this.chart.setAttribute("aria-label", label);
  }
}

customElements.define("temperature-explorer", TemperatureExplorer);
