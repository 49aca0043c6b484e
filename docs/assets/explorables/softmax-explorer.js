// Logits to drag, and the probabilities that follow: what a gap decides, what a constant does not.
import { Explorable, LOGITS, NAMES, float, floats, general, make, numbers } from "./explorable.js";
import { logsumexp, softmax_stable } from "./numerics.js";
import { dot, inside, simplex } from "./simplex.js";

// A class is its number, which names it, and its logit.
export class SoftmaxExplorer extends Explorable {
  static label = "Softmax explorer";
  static style = `
    .constant { margin-top: 0.3rem; }
    @media (max-width: 44.98em) {
      .effect { min-height: 2.8em; }
      .odds { display: block; min-height: 1.6em; }
    }
  `;

  initial() {
    return { classes: [[0, 2], [1, 1], [2, 0.1]], constant: 0, pair: [0, 1] };
  }

  read(values) {
    const logits = numbers(values.get(this.localName), 2, NAMES.length);
    if (!logits) return undefined;
    const count = logits.length;
    const some = (name, size) => {
      const ids = numbers(values.get(name), size, size, 0, NAMES.length - 1);
      return ids?.every(Number.isInteger) && new Set(ids).size === size ? ids : undefined;
    };
    const ids = some("order", count) ?? [...logits.keys()];
    const pair = some("pair", 2);
    return {
      classes: logits.map((logit, at) => [ids[at], logit]),
      constant: numbers(values.get("constant"), 1, 1)?.[0] ?? 0,
      pair: pair?.every((id) => ids.includes(id)) ? pair : ids.slice(0, 2),
    };
  }

  write() {
    const { classes, constant, pair } = this.state;
    const [ids, logits] = [0, 1].map((part) => classes.map((one) => one[part]));
    return `${logits}&order=${ids}&constant=${constant}&pair=${pair}`;
  }

  build() {
    const lead = make("p", { class: "muted" }, "Drag or type the logits: only their gaps count.");
    this.add = this.field("constant added to all logits", LOGITS, (constant) =>
      this.update({ constant }),
    );
    this.add.set(this.state.constant);
    const { slider, input, error } = this.add;
    const constant = make("div", { class: "row constant" }, "add to all", slider, input, error);
    this.effect = make("p", { class: "effect number" });

    this.rows = make("div", {});
    this.side = make("div", {});
    const table = make("div", {}, this.rows, constant);
    const picture = make("div", { class: "picture" }, table, this.side);

    this.pair = ["one class of the ratio", "the other class of the ratio"].map((label, at) =>
      this.choice(label, (id) => this.update({ pair: this.state.pair.with(at, id) })),
    );
    this.odds = make("span", { class: "odds number" });
    const ratio = make("p", {}, "Ratio of ", this.pair[0], " to ", this.pair[1], " ", this.odds);

    this.more = this.button("Add class", () => this.#change([...this.state.classes, this.#next()]));
    this.less = this.button("Remove class", () => this.#change(this.state.classes.slice(0, -1)));
    const sort = this.button("Sort", () =>
      this.#change(this.state.classes.toSorted((one, other) => other[1] - one[1])),
    );
    const reset = this.button("Reset", () => {
      this.add.set(0);
      this.#change(this.initial().classes, this.initial());
    });
    const buttons = [this.more, this.less, sort, reset, ...this.copyButtons()];
    this.#fill();
    return [lead, picture, this.effect, ratio, make("div", { class: "buttons" }, ...buttons)];
  }

  show() {
    const { classes, constant, pair } = this.state;
    const logits = classes.map(([, logit]) => logit);
    const shifted = logits.map((logit) => logit + constant);
    const probs = (this.probs = softmax_stable(shifted));
    this.bars.forEach((row, at) => row.show(probs[at], logits[at]));

    const unshifted = softmax_stable(logits);
    this.change = Math.max(...probs.map((p, at) => Math.abs(p - unshifted[at]))).toFixed(4);
    this.lse = logsumexp(shifted).toFixed(4);
    const added = `With ${constant} added, LSE is ${this.lse}`.replaceAll("-", "−");
    this.effect.textContent = `${added} and each p changes by ${this.change}.`;
    this.add.tell(`${constant}: no probability changes by more than ${this.change}`);

    const [one, other] = pair.map((id) => classes.find((found) => found[0] === id)[1]);
    this.ratio = general(Math.exp(one - other));
    const gap = `${one} − ${other < 0 ? `(${other})` : other}`.replaceAll("-", "−");
    this.odds.replaceChildren("= e", make("sup", {}, gap), ` = ${this.ratio}`);

    if (!this.point) return;
    this.point.setAttribute("transform", `translate(${inside(probs)})`);
    const label = `The point p in a triangle: ${this.#listed()}`;
    this.point.parentNode.setAttribute("aria-label", label);
  }

  words() {
    const [one, other] = this.state.pair.map((id) => NAMES[id]);
    return `${this.#listed()}. Ratio of ${one} to ${other} ${this.ratio}.`;
  }

  python() {
    const { classes, constant, pair } = this.state;
    const [one, other] = pair.map((id) => classes.findIndex((found) => found[0] === id));
    return `import torch

names = [${classes.map(([id]) => `"${NAMES[id]}"`).join(", ")}]
logits = torch.tensor(${floats(classes.map((found) => found[1]))}, dtype=torch.float64)
shifted = logits + ${float(constant)}

probs = torch.softmax(shifted, dim=-1)
for name, p in zip(names, probs.tolist()):
    print(f"{name}: {p:.4f}")
print(f"LSE: {torch.logsumexp(shifted, dim=-1):.4f}")
print(f"each p changes by: {(probs - torch.softmax(logits, dim=-1)).abs().max():.4f}")
one, other = ${one}, ${other}
ratio = (logits[one] - logits[other]).exp()
print(f"ratio of {names[one]} to {names[other]}: {ratio:.4g}")
`;
  }

  #listed() {
    return this.bars.map(({ id, number }) => `${NAMES[id]} ${number.textContent}`).join(", ");
  }

  #next() {
    const used = this.state.classes.map(([id]) => id);
    return [NAMES.findIndex((_, id) => !used.includes(id)), 0];
  }

  // Other classes: new rows.
  #change(classes, others = {}) {
    const ids = classes.map(([id]) => id);
    const kept = this.state.pair.every((id) => ids.includes(id));
    this.update({ pair: kept ? this.state.pair : ids.slice(0, 2), ...others, classes });
    this.#fill();
    this.show();
  }

  #fill() {
    const { classes, pair } = this.state;
    this.bars = classes.map((found) => {
      const row = this.row(NAMES[found[0]], LOGITS, (logit) => {
        found[1] = logit;
        this.update({});
      });
      row.field.set(found[1]);
      return { id: found[0], ...row };
    });
    const head = this.head("class", "logit", "", "probability");
    this.rows.replaceChildren(head, ...this.bars.map(({ row }) => row));
    this.more.disabled = classes.length === NAMES.length;
    this.less.disabled = classes.length === 2;
    this.pair.forEach((select, at) => {
      select.replaceChildren(
        ...classes.map(([id]) => make("option", { value: id }, NAMES[id])),
      );
      select.value = pair[at];
    });
    this.#drawSimplex();
  }

  #drawSimplex() {
    this.point = undefined;
    if (this.state.classes.length !== 3) {
      const text = "With three classes, p is a point in a triangle.";
      this.side.replaceChildren(make("p", { class: "muted" }, text));
      return;
    }
    this.point = dot();
    this.side.replaceChildren(simplex(this.state.classes.map(([id]) => NAMES[id]), this.point));
  }
}

customElements.define("softmax-explorer", SoftmaxExplorer);
