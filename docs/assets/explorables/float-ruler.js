// Logits on a ruler: where exp is inf, subnormal or 0 in a float type, and what that breaks.
import { Explorable, floats, general, make, numbers } from "./explorable.js";
import {
  FORMATS,
  cross_entropy_manual,
  exps,
  first_failure,
  kind,
  log_softmax,
  softmax_naive,
  softmax_stable,
  stored,
  sum,
} from "./numerics.js";

const TYPES = Object.keys(FORMATS);
const RULERS = {
  float16: { min: -24, max: 16, step: 0.1 },
  bfloat16: { min: -130, max: 110, step: 0.5 },
  float32: { min: -130, max: 110, step: 0.5 },
  float64: { min: -900, max: 900, step: 1 },
};
const CLASSES = 8; // at most
const LOWEST = -10000; // what a field takes
const FAR = 2000; // beyond both ends of exp in every type
const FORMS = ["naive softmax", "shifted softmax", "−log of shifted", "−log_softmax"];

const total = (row, dtype) => sum(exps(row, dtype), dtype);
const has_nan = (row, dtype) => softmax_naive(row, dtype).some(Number.isNaN);

// What breaks a form, the naive one by the largest logit, the others by the gap: the target's logit
// minus the largest other.
const BREAKS = [
  [0, "all 0", FAR, (row, dtype) => total(row, dtype) === Infinity],
  [0, "nan", FAR, has_nan],
  [0, "digits lost", -FAR, (row, dtype) => /0|sub/.test(kind(total(row, dtype), dtype))],
  [0, "nan", -FAR, has_nan],
  [1, "0", -FAR, (row, dtype, y) => softmax_stable(row, dtype)[y] === 0],
  [2, "inf", -FAR, (row, dtype, y) => cross_entropy_manual(row, y, dtype) === Infinity],
  [2, "0", FAR, (row, dtype, y) => cross_entropy_manual(row, y, dtype) === 0],
  [3, "0", FAR, (row, dtype, y) => log_softmax(row, dtype)[y] === 0],
];

const minus = (text) => text.replaceAll("-", "−");

// To five decimals, away from 0: what is broken at x is broken there.
const outward = (x) => (Math.sign(x) * Math.ceil(Math.abs(x) * 1e5)) / 1e5;

const beyond = (x) => `${x < 0 ? "≤" : "≥"} ${minus(general(x, 9))}`;

// Without what decimals leave in the last digits of a sum.
const tidy = (z) => Math.max(Math.round(z * 1e9) / 1e9, LOWEST);

export class FloatRuler extends Explorable {
  static label = "Float ruler";
  static style = `
    .row { grid-template-columns: 2rem 1fr 5rem; }
    input[type="text"] { padding-inline: 0.3rem; }
    .head { align-items: end; }
    .head > :last-child { text-align: right; }
    .zones { position: relative; height: 1.2rem; margin: 0 0.4rem; }
    .zones > * { position: absolute; bottom: 0; padding: 0 0.15rem; }
    .zones > :nth-child(1) { right: calc(100% - var(--zero)); }
    .zones > :nth-child(2) { left: var(--zero); }
    .zones > :nth-child(3) { right: calc(100% - var(--inf)); }
    .zones > :nth-child(4) { left: var(--inf); }
    input[type="range"] { appearance: none; height: 1.4rem;
      --page: var(--md-default-bg-color);
      --normal: color-mix(in srgb, var(--fig-1) 35%, var(--page));
      background: linear-gradient(var(--fig-muted), var(--fig-muted)) 50% / calc(100% - 0.8rem)
        0.05rem, linear-gradient(90deg, var(--page) var(--zero), transparent var(--zero)
        var(--subnormal), var(--normal) var(--subnormal) var(--inf), var(--page) var(--inf)) 50% /
        calc(100% - 0.8rem) 0.8rem, repeating-linear-gradient(135deg, var(--fig-2) 0 0.08rem,
        transparent 0.08rem 0.2rem) 50% / calc(100% - 1rem) 0.7rem;
      background-repeat: no-repeat; }
    ::-webkit-slider-thumb { appearance: none; width: 0.8rem; height: 0.8rem; border-radius: 50%;
      background: var(--fig-1); }
    ::-moz-range-thumb { width: 0.8rem; height: 0.8rem; border: 0; border-radius: 50%;
      background: var(--fig-1); }
    table { width: 100%; border-collapse: collapse; font-size: 0.7rem; }
    td, th { padding: 0.1rem 0 0.1rem 0.5rem; border-bottom: 0.05rem solid var(--fig-rule);
      font-weight: normal; text-align: right; vertical-align: top; }
    th:first-child { padding-left: 0; text-align: left; }
    thead { color: var(--fig-muted); }
    tfoot > tr > * { border: 0; }
    i { display: inline-block; min-width: 4.6rem; padding-left: 0.4rem; font-style: normal;
      text-align: left; }
    .broken { color: var(--fig-2); font-weight: bold; }
    .form { display: grid; grid-template-columns: 7.2rem 4.5rem 1fr; gap: 0.2rem 0.8rem; }
    .form + .form { margin-top: 0.25rem; }
    .form > .number { text-align: right; white-space: nowrap; }
    .form > :last-child { display: flex; flex-wrap: wrap; gap: 0.25rem; font-size: 0.7rem; }
    .form:first-child > :last-child { min-height: 2.75rem; align-content: start; }
    .form button { min-height: 1.25rem; padding-inline: 0.3rem; }
    @media (max-width: 44.98em) {
      table { font-size: 0.6rem; }
      td, th { padding-left: 0.25rem; }
      i { display: block; min-width: 0; padding: 0; text-align: right; }
      .row { grid-template-columns: 1.3rem 1fr 5rem; gap: 0 0.4rem; }
      .row + .row { margin-top: 0; }
      .head { font-size: 0.6rem; visibility: hidden; }
      .zones { visibility: visible; }
      .form { grid-template-columns: 1fr auto; }
      .form > :last-child { grid-column: 1 / -1; }
      .form:first-child > :last-child { min-height: 4.25rem; }
      .verdict { min-height: 2.8em; }
    }
    @media (forced-colors: active) {
      ::-webkit-slider-thumb { background: CanvasText; forced-color-adjust: none; }
      ::-moz-range-thumb { background: CanvasText; forced-color-adjust: none; }
    }
  `;

  initial() {
    return { logits: [2, 1, 0.1], dtype: TYPES[0], target: 0 };
  }

  read(values) {
    const logits = numbers(values.get(this.localName), 2, CLASSES);
    const dtype = values.get("dtype");
    const target = Number(values.get("target"));
    return (
      logits && {
        logits,
        dtype: TYPES.includes(dtype) ? dtype : TYPES[0],
        target: logits[target] === undefined ? 0 : target,
      }
    );
  }

  write() {
    const { logits, dtype, target } = this.state;
    return `${logits}&dtype=${dtype}&target=${target}`;
  }

  build() {
    this.type = this.choice("float type", (at) => this.#change({ dtype: TYPES[at] }));
    this.type.append(...TYPES.map((name, at) => make("option", { value: at }, name)));
    this.aim = this.choice("target class", (target) => this.update({ target }));
    const lead = "Raise all logits, or lower them, until the naive form breaks. Change the type.";
    const choices = make("p", {}, "Type ", this.type, " target class ", this.aim);

    this.ruler = make("div", {});
    this.ends = make("p", { class: "ends muted number" });
    this.table = make("table", { class: "number" });
    this.verdict = make("p", { class: "verdict", id: "verdict" });

    this.breaks = BREAKS.map(([form], at) =>
      this.button("", () => {
        const { logits, target } = this.state;
        const size = this.sizes[at];
        this.#put(form ? logits.with(target, tidy(this.other + size)) : this.#moved(size));
      }),
    );
    this.gives = FORMS.map(() => make("span", { class: "number" }));
    const forms = FORMS.map((name, at) => {
      const breaks = make("span", {}, ...this.breaks.filter((_, i) => BREAKS[i][0] === at));
      if (at === 3) breaks.append("never inf");
      return make("div", { class: "form" }, make("span", {}, name), this.gives[at], breaks);
    });
    const about = `What each form gives for the target, and where it first breaks: the naive by the
      largest logit, the others by the target minus the largest other.`;
    this.note = make("p", { class: "muted" });

    this.more = this.button("Add class", () => this.#change({ logits: [...this.state.logits, 0] }));
    this.less = this.button("Remove class", () =>
      this.#change({ logits: this.state.logits.slice(0, -1) }),
    );
    const reset = this.button("Reset", () => this.#change(this.initial()));
    const buttons = [this.more, this.less, reset, ...this.copyButtons()];
    this.#fill();
    return [
      make("p", { class: "muted" }, lead),
      choices,
      make("div", {}, this.ruler, this.ends),
      this.table,
      this.verdict,
      make("p", { class: "muted" }, about),
      make("div", {}, ...forms),
      this.note,
      make("div", { class: "buttons" }, ...buttons),
    ];
  }

  show() {
    const { logits, dtype, target } = this.state;
    const row = logits.map((z) => stored(z, dtype));
    const terms = exps(row, dtype);
    const naive = softmax_naive(row, dtype);
    const shifted = softmax_stable(row, dtype);
    const all = [...terms, sum(terms, dtype)];
    const kinds = all.map((term) => kind(term, dtype));
    const said = (value) => minus(general(value));

    this.cells.forEach(({ logit, exp, state, p, q }, at) => {
      exp.data = `${said(all[at])} `;
      state.textContent = kinds[at];
      state.classList.toggle("broken", kinds[at] !== "normal");
      if (at === row.length) return;
      logit.textContent = minus(general(row[at], 6));
      p.textContent = said(naive[at]);
      q.textContent = said(shifted[at]);
      p.classList.toggle("broken", !(naive[at] || !shifted[at]));
      this.fields[at].tell(`${logits[at]}, exp ${general(terms[at])}, ${kinds[at]}`);
    });
    this.verdict.textContent = this.#verdict(kinds.slice(0, -1), kinds.at(-1));
    this.level.tell(`${Math.max(...logits)}. ${this.verdict.textContent}`);

    const given = [
      naive[target],
      shifted[target],
      cross_entropy_manual(row, target, dtype),
      0 - log_softmax(row, dtype)[target],
    ];
    this.gives.forEach((span, at) => {
      span.textContent = said(given[at]);
      span.classList.toggle("broken", !Number.isFinite(given[at]));
    });

    this.other = Math.max(...row.toSpliced(target, 1));
    this.sizes = BREAKS.map(([form, words, end, fails], at) => {
      const start = form ? this.other : 0;
      const moved = form ? (z) => row.with(target, z) : (z) => this.#stored(this.#raised(z));
      const broken = (z) => fails(moved(z), dtype, target);
      const z = first_failure(broken, start, stored(start + end, dtype), dtype);
      const size = outward(z - start);
      const text = `${words} ${beyond(size)}`;
      this.breaks[at].textContent = text;
      this.breaks[at].setAttribute("aria-label", `${FORMS[form]} ${text}`);
      return size;
    });
    this.breaks[0].hidden = this.sizes[0] >= this.sizes[1];
    const sums = dtype.endsWith("16") ? ", sums by way of float32" : "";
    const order = !sums && row.length > 4 ? ", up to the order of its sums" : "";
    const model = `Each operation is rounded to ${dtype}${sums}, as in torch on a CPU${order}.`;
    this.note.textContent = model;
  }

  words() {
    const given = FORMS.map((name, at) => `${name} ${this.gives[at].textContent}`);
    return `${this.verdict.textContent} Target: ${given.join(", ")}.`;
  }

  python() {
    const { logits, dtype, target } = this.state;
    const zeros = "    (\"naive all 0\", lambda z: raised(z).exp().sum().isinf(), 0.0, 2000),\n";
    return `import torch

dtype, values, y = torch.${dtype}, ${floats(logits)}, ${target}


def softmax_naive(logits):
    exps = logits.exp()
    return exps / exps.sum()


def softmax_stable(logits):
    return softmax_naive(logits - logits.max())


def log_softmax(logits):
    shifted = logits - logits.max()
    return shifted - shifted.exp().sum().log()


logits = torch.tensor(values, dtype=dtype)
naive, shifted = softmax_naive(logits), softmax_stable(logits)
for row in torch.stack([logits, logits.exp(), naive, shifted]).T.tolist():
    print("{:.6g} {:.4g} {:.4g} {:.4g}".format(*row))
print(f"sum {logits.exp().sum():.4g}")
for value in (naive[y], shifted[y], -shifted[y].log(), -log_softmax(logits)[y]):
    print(f"{value:z.4g}")


def exp(z):
    return torch.tensor(z, dtype=dtype).exp()


def raised(z):
    return torch.tensor([value - max(values) + z for value in values], dtype=dtype)


def aimed(z):
    return logits.index_fill(0, torch.tensor(y), z)


def first_failure(fails, good, bad):
    while (middle := torch.tensor((good + bad) / 2, dtype=dtype).item()) not in (good, bad):
        good, bad = (good, middle) if fails(middle) else (middle, bad)
    return bad


tiny = torch.finfo(dtype).smallest_normal
other = max(z for i, z in enumerate(logits.tolist()) if i != y)
for name, fails, good, far in (
    ("exp 0", lambda z: exp(z) == 0, 0.0, -2000),
    ("exp subnormal", lambda z: exp(z) < tiny, 0.0, -2000),
    ("exp inf", lambda z: exp(z).isinf(), 0.0, 2000),
${this.breaks[0].hidden ? "" : zeros}    ("naive nan", lambda z: softmax_naive(raised(z)).isnan().any(), 0.0, 2000),
    ("naive digits lost", lambda z: raised(z).exp().sum() < tiny, 0.0, -2000),
    ("naive nan", lambda z: softmax_naive(raised(z)).isnan().any(), 0.0, -2000),
    ("shifted 0", lambda z: softmax_stable(aimed(z))[y] == 0, other, -2000),
    ("-log of shifted inf", lambda z: softmax_stable(aimed(z))[y].log().isinf(), other, -2000),
    ("-log of shifted 0", lambda z: softmax_stable(aimed(z))[y].log() == 0, other, 2000),
    ("-log_softmax 0", lambda z: log_softmax(aimed(z))[y] == 0, other, 2000),
):
    bad = torch.tensor(good + far, dtype=dtype).item()
    x = first_failure(fails, good, bad) - good
    outward = (x * 1e5 // 1 if x < 0 else -(-x * 1e5 // 1)) / 1e5
    print(f"{name} {'<=' if x < 0 else '>='} {outward:.9g}")
`;
  }

  #verdict(kinds, total) {
    if (total === "0") return "Every exponential is 0, and 0 / 0 is nan.";
    if (kinds.includes("inf")) return "An exponential is inf, and inf / inf is nan.";
    if (total === "inf") return "Each exponential is finite, their sum is inf: every p is 0.";
    if (total === "subnormal") return "Every exponential is subnormal or 0: digits are lost.";
    if (kinds.includes("subnormal")) return "A subnormal exponential has lost digits.";
    if (kinds.includes("0")) return "An exponential is 0, and so is its naive p.";
    return "Every exponential is a normal number: the forms agree, up to roundings.";
  }

  // The same gaps with another largest logit.
  #raised(level) {
    const top = Math.max(...this.state.logits);
    return this.state.logits.map((z) => z - top + level);
  }

  #stored(logits) {
    return logits.map((z) => stored(z, this.state.dtype));
  }

  #moved(level) {
    const top = Math.max(...this.state.logits);
    return this.#raised(level).map((z, at) => (this.state.logits[at] === top ? level : tidy(z)));
  }

  // Other logits, into every field but the one that a person moves.
  #put(logits, moving) {
    this.update({ logits });
    this.#write(logits, moving);
  }

  #write(logits, moving) {
    const shown = [...logits, Math.max(...logits)];
    [...this.fields, this.level].forEach((field, at) => field === moving || field.set(shown[at]));
  }

  // Another type, or other classes: new rows.
  #change(changes) {
    this.update(changes);
    this.#fill();
    this.show();
  }

  #fill() {
    const { logits, dtype } = this.state;
    const range = RULERS[dtype];
    this.state.target = Math.min(this.state.target, logits.length - 1);

    this.fields = logits.map((_, at) => {
      const field = this.field(`logit of class ${at}`, range, (z) =>
        this.#put(this.state.logits.with(at, z), field),
      );
      return field;
    });
    this.level = this.field("largest logit, which moves all", range, (level) =>
      this.#put(this.#moved(level), this.level),
    );
    const lane = ({ slider, input, error }, name) =>
      make("div", { class: "row" }, make("span", {}, name), slider, input, error);
    const zones = ["0", "subnormal", "normal", "inf"].map((zone) => make("span", {}, zone));
    const head = this.head("class", make("div", { class: "zones" }, ...zones), "logit");
    const lanes = this.fields.map((field, at) => lane(field, at));
    this.ruler.replaceChildren(head, ...lanes, lane(this.level, "all"));
    this.#write(logits);

    const ends = [["zero", "0", -FAR], ["subnormal", "subnormal", -FAR], ["inf", "inf", FAR]];
    const texts = ends.map(([key, word, end]) => {
      const is = (z) => kind(exps([z], dtype)[0], dtype);
      const broken = (z) => is(z) === word || is(z) === "0";
      const z = first_failure(broken, 0, end, dtype);
      const share = (100 * (z - range.min)) / (range.max - range.min);
      this.ruler.style.setProperty(`--${key}`, `${share}%`);
      return `${word} at z ${beyond(outward(z))}`;
    });
    this.ends.textContent = `exp is ${texts.join(", ")}.`;

    const heads = ["class", `in ${dtype}`, "exp", "naive", "shifted"];
    const first = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
    first.children[2].append(make("i"));
    this.cells = [...logits, "sum"].map((_, at) => {
      const [logit, p, q] = ["td", "td", "td"].map((tag) => make(tag));
      const [exp, state] = [new Text(), make("i")];
      const start = make("th", { scope: "row" }, at < logits.length ? at : "sum");
      const row = make("tr", {}, start, logit, make("td", {}, exp, state), p, q);
      return { logit, exp, state, p, q, row };
    });
    const rows = this.cells.map(({ row }) => row);
    const [foot, body] = [make("tfoot", {}, rows.pop()), make("tbody", {}, ...rows)];
    this.table.replaceChildren(make("thead", {}, first), body, foot);

    this.more.disabled = logits.length === CLASSES;
    this.less.disabled = logits.length === 2;
    this.type.value = TYPES.indexOf(dtype);
    this.aim.replaceChildren(...logits.map((_, at) => make("option", { value: at }, at)));
    this.aim.value = this.state.target;
  }
}

customElements.define("float-ruler", FloatRuler);
