// Steps against the gradient, one at a time: where each p goes, and which wrong classes rise.
import { Explorable, NAMES, fixed, float, floats, make, numbers } from "./explorable.js";
import {
  cross_entropy,
  cross_entropy_softmax_gradient,
  gradient_step,
  riser_threshold,
  softmax_stable,
  sum,
} from "./numerics.js";
import { dot, inside, simplex, stroke, through } from "./simplex.js";

const MOST = 1000; // steps in all
const RUN = 25; // steps of a run
const PACE = 250; // milliseconds between two of them
const FINE = { min: -10, max: 10, step: 0.05 };
const SIZE = { min: 0.01, max: 10, value: Number, position: Number };
const written = (x) => fixed(x).replace("-", "−");

// The state has the logits that the steps begin with; where they lead follows.
export class GradientStepper extends Explorable {
  static label = "Gradient stepper";
  static style = `
    .picture { align-items: stretch; }
    .side { display: flex; flex-flow: column; justify-content: space-between; }
    .side > svg { margin: 0; }
    .choose { grid-template-columns: 4.2rem auto 4.2rem 1fr 3.4rem; }
    .row + .row { margin-top: 0.3rem; }
    .run { min-width: 2.9rem; }
    .head > :nth-child(4) { grid-column: 4 / -1; }
    .label { display: none; }
    .g { margin-left: -0.5rem; }
    .row > .note { grid-area: 2 / 1 / 3 / 4; font-size: 0.7rem; text-align: left; }
    .row > .bar { position: relative; grid-area: 2 / 4; }
    .now { grid-area: 2 / 5; }
    .row > .error { grid-row: 3; }
    .bar > b { position: absolute; inset: -0.15rem auto -0.1rem; width: 0.1rem;
      margin-left: -0.05rem; background: currentColor; }
    .rises > .note { color: var(--fig-2); }
    .rises > .bar > i { background: repeating-linear-gradient(135deg, var(--fig-2) 0 3px,
      transparent 3px 6px); box-shadow: inset 0 0 0 1px var(--fig-2); }
    .arrow { height: 0.7rem; background: linear-gradient(var(--fig-muted), var(--fig-muted))
      center / 0.05rem no-repeat; }
    .arrow > i { display: block; height: 100%; margin-left: 50%; background: var(--fig-3);
      transform-origin: left; --neck: max(0px, 100% - 0.4rem);
      clip-path: polygon(0 35%, var(--neck) 35%, var(--neck) 0, 100% 50%, var(--neck) 100%,
      var(--neck) 65%, 0 65%); }
    @media (forced-colors: active) {
      .arrow > i { background: CanvasText; forced-color-adjust: none; }
    }
    @media (max-width: 44.98em) {
      .choose { grid-template-columns: 4.2rem 1fr 3.4rem; }
      select { grid-column: 2 / -1; justify-self: start; margin-bottom: 0.3rem; }
      .label { display: inline; grid-column: 1; }
      .row > .bar, .now, .row > .error { grid-area: auto; }
      .row > .error { grid-column: 1 / -1; }
      .row > .note { grid-area: auto / 1 / auto / -1; }
      .side { flex-flow: row wrap; justify-content: space-around; }
    }
  `;

  get small() {
    return this.hasAttribute("small");
  }

  initial() {
    const [logits, eta] = this.small ? [[2, 1, 0.1], 0.5] : [[0, 1.25, -0.7], 0.1];
    return { logits, y: 0, eta, steps: 0 };
  }

  read(values) {
    const logits = numbers(values.get(this.localName), 3, 3);
    const one = (name, ...range) => numbers(values.get(name), 1, 1, ...range)?.[0];
    const whole = (name, most) => Math.trunc(one(name, 0, most) ?? 0);
    const [y, steps] = [whole("target", 2), whole("steps", MOST)];
    const eta = one("eta", SIZE.min, SIZE.max) ?? this.initial().eta;
    return logits && { logits, y, eta, steps };
  }

  write() {
    const { logits, y, eta, steps } = this.state;
    return `${logits}&target=${y}&eta=${eta}&steps=${steps}`;
  }

  build() {
    this.left = 0; // steps of a run
    this.names = NAMES.slice(0, 3);
    const target = this.choice("target", (y) => this.#restart({ y }));
    target.append(...this.names.map((name, id) => make("option", { value: id }, name)));
    const range = { min: 0.05, max: 4, step: 0.05 };
    const size = this.field("step size", range, (eta) => this.#restart({ eta }), SIZE);
    [this.target, this.size] = [target, size];
    const choose = make("div", { class: "row choose" }, "target", target, "step size");
    choose.append(size.slider, size.input, size.error);

    this.rows = this.names.map((name, at) => this.#row(name, at));
    const head = this.head("class", "logit", "", "dlogits, and p");
    const table = make("div", {}, choose, head, ...this.rows.map(({ row }) => row));
    const names = ["loss", "loss after a step", "sum of dlogits"];
    if (!this.small) names.push("Σp² − p of the target");
    const [facts, values] = this.facts(...names);
    this.shown = values;
    table.append(facts);

    const hint = this.small
      ? "Step moves each logit against its dlogits. A line marks p after it."
      : "Step against the gradient. A line marks p after the step.";
    const lead = make("p", { class: "muted" }, hint);
    const picture = this.small ? table : make("div", { class: "picture" }, table, this.#draw());

    this.step = this.button("Step", () => {
      this.left = 0;
      this.#go(1);
    });
    this.run = this.button("Run", () => this.#run());
    this.run.classList.add("run");
    // Back to where the steps began; from there, to the example.
    const reset = this.button("Reset", () => {
      this.#restart(this.state.steps ? {} : this.initial());
      this.#fill();
    });
    const buttons = [this.step, this.run, reset, ...this.copyButtons()];
    this.stale = true;
    this.#fill();
    return [lead, picture, make("div", { class: "buttons" }, ...buttons)];
  }

  // The logits from the first to those that one more step gives.
  get path() {
    const { logits, y, eta, steps } = this.state;
    const path = [logits];
    while (path.length < steps + 2) path.push(gradient_step(path.at(-1), y, eta));
    return path;
  }

  show() {
    const { y, eta, steps } = this.state;
    const { path } = this;
    const [now, next] = path.slice(-2);
    const [before, after] = [now, next].map((logits) => softmax_stable(logits));
    const dlogits = cross_entropy_softmax_gradient(now, y);
    const threshold = riser_threshold(now, y);
    const losses = path.map((logits) => cross_entropy(logits, y));
    this.rows.forEach((row, at) => {
      const below = at === y || this.small ? undefined : threshold;
      row.step(now[at], dlogits[at], before[at], after[at], below);
      row.row.classList.toggle("rises", at !== y && after[at] > before[at]);
      if (this.stale) row.field.set(Number(fixed(now[at], 3)));
    });
    this.stale = false;
    this.values = [losses.at(-2), losses.at(-1), sum(dlogits), threshold].map(written);
    this.shown.forEach(([, value], at) => value.replaceChildren(this.values[at]));
    this.shown[0][0].textContent = `loss at step ${steps}`;
    this.size.tell(`${eta}: the loss goes from ${this.values[0]} to ${this.values[1]}`);
    this.run.textContent = this.left ? "Stop" : "Run";
    this.step.disabled = this.run.disabled = steps === MOST;
    if (!this.small) this.#follow(path.map((logits) => softmax_stable(logits)), losses);
  }

  words() {
    const listed = this.rows.map(({ says }, at) => `${NAMES[at]} ${says()}`);
    return `Step ${this.state.steps}: ${listed.join(", ")}. Loss ${this.values[0]}.`;
  }

  python() {
    const { logits, y, eta, steps } = this.state;
    const riser = `threshold = before.square().sum() - before[target]
print(f"threshold: {threshold:z.4f}")
for name, p in zip(names, before):
    if name != names[target]:
        print(f"{name}: {p:.4f} {'<' if p < threshold else '>='} {threshold:z.4f}")
`;
    return `import torch

names = ["buy", "hold", "sell"]
logits = torch.tensor(${floats(logits)}, dtype=torch.float64)
target, eta, steps = ${y}, ${float(eta)}, ${steps}


def gradient(logits):
    dlogits = torch.softmax(logits, dim=-1)
    dlogits[target] -= 1
    return dlogits


for _ in range(steps):
    logits = logits - eta * gradient(logits)
dlogits = gradient(logits)
stepped = logits - eta * dlogits
before, after = torch.softmax(torch.stack([logits, stepped]), dim=-1)

for name, z, g, p, q in zip(names, logits, dlogits, before, after):
    motion = "rises to" if q > p else "falls to" if q < p else "stays at"
    print(f"{name}: logit {z:z.3f}, dlogits {g:z.4f}, p {p:.4f}, {motion} {q:.4f}")
for name, z in (("loss", logits), ("loss after", stepped)):
    loss = torch.nn.functional.cross_entropy(z, torch.tensor(target))
    print(f"{name}: {loss:z.4f}")
print(f"sum of dlogits: {dlogits.sum():z.4f}")
${this.small ? "" : riser}`;
  }

  #go(count) {
    this.stale = true;
    this.update({ steps: Math.min(this.state.steps + count, MOST) });
  }

  // Step by step, or at once for those who want nothing to move; a press meanwhile stops it.
  #run() {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still) return this.#go(RUN);
    this.left = this.left ? 0 : RUN;
    this.update({});
    this.#tick();
  }

  #tick() {
    if (!this.left) return;
    this.left = this.state.steps + 1 < MOST ? this.left - 1 : 0;
    this.#go(1);
    this.later("run", PACE, () => this.#tick());
  }

  // Begin anew, from the logits of the first step.
  #restart(changes) {
    this.left = 0;
    this.stale = true;
    this.update({ ...changes, steps: 0 });
  }

  #fill() {
    this.size.set(this.state.eta);
    this.target.value = this.state.y;
  }

  // The row of a class, with what a step does to it.
  #row(name, at) {
    const row = this.row(name, FINE, (logit) => {
      this.left = 0;
      this.update({ logits: this.path.at(-2).with(at, logit), steps: 0 });
    });
    const label = (text) => make("span", { class: "label muted" }, text);
    const [arrow, mark] = [make("i"), make("b")]; // the mark: p after the step
    const g = make("span", { class: "number g" });
    const note = make("span", { class: "note number" });
    const shown = make("div", { class: "arrow" }, arrow);
    row.field.input.after(label("dlogits"), shown, g, label("p"));
    row.bar.append(mark);
    row.number.classList.add("now");
    row.number.after(note);
    const step = (logit, slope, p, q, threshold) => {
      row.show(p, fixed(logit, 3));
      arrow.style.width = `${Math.abs(slope) * 50}%`;
      arrow.style.transform = `scaleX(${Math.sign(slope)})`;
      g.textContent = written(slope);
      mark.style.left = `${100 * q}%`;
      const motion = q > p ? "↑ rises to" : q < p ? "↓ falls to" : "stays at";
      const sign = p < threshold ? "<" : "≥";
      const known = threshold !== undefined;
      const condition = known ? `${p.toFixed(4)} ${sign} ${written(threshold)}: ` : "";
      note.textContent = `${condition}${motion} ${q.toFixed(4)}`;
    };
    const moves = () => note.textContent.replace(/.*: |[↑↓] /g, "");
    return { ...row, step, says: () => `${row.number.textContent} ${moves()}` };
  }

  #draw() {
    [this.trail, this.point] = [stroke(), dot()];
    this.ahead = dot({ class: "end", r: 4, fill: "none", stroke: "var(--fig-1)" });
    this.triangle = simplex(this.names, this.trail, this.ahead, this.point);
    const text = (x, y, words) => make("text", { class: "small", x, y }, words);
    const axis = stroke({ d: "M10 84H150", stroke: "var(--fig-rule)" });
    [this.trace, this.end] = [stroke(), text(144, 98, "")];
    this.loss = dot({ class: "loss", r: 4 });
    const marks = [axis, text(22, 12, "loss"), text(24, 98, "step 0"), this.end];
    const box = { viewBox: "0 0 160 102", role: "img" };
    this.chart = make("svg", box, ...marks, this.trace, this.loss);
    return make("div", { class: "side" }, this.triangle, this.chart);
  }

  #follow(probs, losses) {
    const { steps } = this.state;
    this.trail.setAttribute("d", through(probs.map(inside)));
    this.point.setAttribute("transform", `translate(${inside(probs.at(-2))})`);
    this.ahead.setAttribute("transform", `translate(${inside(probs.at(-1))})`);
    const label = "The path of p in a triangle, from the first step to the next";
    this.triangle.setAttribute("aria-label", label);

    const end = Math.max(RUN, steps);
    const top = Math.max(losses[0], 1e-9);
    const placed = (loss, at) => [10 + (140 * at) / end, 84 - (66 * loss) / top];
    const points = losses.slice(0, -1).map(placed);
    this.trace.setAttribute("d", through(points));
    this.loss.setAttribute("transform", `translate(${points.at(-1)})`);
    this.end.textContent = end;
    const from = `from ${written(losses[0])} to ${this.values[0]}`;
    this.chart.setAttribute("aria-label", `The loss over ${steps} steps, ${from}`);
  }
}

customElements.define("gradient-stepper", GradientStepper);
