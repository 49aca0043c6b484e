// What all explorables share: fields that say what is wrong, a polite voice, buttons that copy,
// state in the fragment of a link, and a life that leaves nothing behind.

export const STYLE = `
  :host { display: block; color: inherit; }
  .frame { padding: 0.7rem 0.8rem; border: 0.05rem solid var(--md-default-fg-color--lightest);
    border-radius: 0.1rem; line-height: 1.4; }
  .frame > * { margin: 0; }
  .frame > * + :not(.voice) { margin-top: 0.6rem; }
  sup { line-height: 0; }
  .muted { color: var(--fig-muted); font-size: 0.7rem; }
  .number, input { font-variant-numeric: tabular-nums; }
  .row { display: grid; grid-template-columns: 4.2rem 1fr 3.4rem 1fr 3.2rem; gap: 0 0.6rem;
    align-items: center; min-height: 1.6rem; }
  .row .number { text-align: right; white-space: nowrap; }
  .head { min-height: 0; }
  .error { grid-column: 1 / -1; color: var(--fig-2); font-size: 0.7rem; }
  .error:not(:empty)::before { content: "⚠ "; }
  .bar { height: 0.8rem; background: linear-gradient(var(--fig-rule), var(--fig-rule)) bottom / 100%
    0.05rem no-repeat; }
  .bar > i { display: block; height: 100%; background: var(--fig-1); }
  .picture { display: grid; grid-template-columns: 1fr 8rem; gap: 1rem; align-items: center; }
  .facts { display: grid; grid-template-columns: auto 1fr; gap: 0 0.8rem; align-items: baseline;
    margin-top: 0.6rem; }
  .facts > * { margin: 0; }
  svg { display: block; width: 8rem; margin: auto; overflow: visible; }
  svg text { fill: currentColor; font-size: 13px; text-anchor: middle; }
  svg .small { fill: var(--fig-muted); font-size: 11px; }
  input, select, button { box-sizing: border-box; min-height: 1.4rem; margin: 0; color: inherit;
    font: inherit; font-size: 0.8rem; }
  input[type="range"] { width: 100%; min-width: 0; accent-color: var(--fig-muted);
    touch-action: pan-y; }
  input[type="text"], select, button { padding: 0.05rem 0.4rem; border: 0.05rem solid
    var(--fig-muted); border-radius: 0.1rem; background: var(--md-default-bg-color); }
  input[type="text"] { width: 100%; text-align: right; }
  input[aria-invalid="true"] { border-color: var(--fig-2); }
  .buttons { display: flex; flex-wrap: wrap; gap: 0.4rem; }
  button { font-size: 0.7rem; cursor: pointer; }
  button:hover:enabled { border-color: var(--accent); color: var(--accent); }
  button:disabled { opacity: 0.5; cursor: default; }
  .copy { position: relative; padding-right: 1rem; }
  .done::after { content: "✓"; position: absolute; right: 0.25rem; }
  :focus-visible { outline: 0.1rem solid var(--accent); outline-offset: 0.1rem; }
  .voice { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
    white-space: nowrap; }
  @media (forced-colors: active) {
    .bar > i { background: CanvasText; forced-color-adjust: none; }
  }
  @media (max-width: 44.98em) {
    .row { grid-template-columns: 4.2rem 1fr 3.4rem; }
    .row + .row { margin-top: 0.3rem; }
    .row > .bar { grid-column: 2; }
    .head > :last-child { display: none; }
    .picture { grid-template-columns: 1fr; }
    .side { display: flex; flex-flow: row wrap; justify-content: space-around; align-items: end; }
    .side > svg { flex: 0 1 7.6rem; min-width: 0; margin: 0; }
    .buttons { display: grid; grid-template-columns: 1fr 1fr; }
    .buttons > button { padding-inline: 0.2rem; white-space: nowrap; }
    .buttons > :last-child:nth-child(odd) { grid-column: 1 / -1; }
  }
`;

export const NAMES = "buy,hold,sell,class 3,class 4,class 5,class 6,class 7".split(",");
export const LOGITS = { min: -10, max: 10, step: 0.1 }; // of a slider

const LIMIT = 10000;
// The numbers that a field takes, and where its slider stands for them.
const PLAIN = { min: -LIMIT, max: LIMIT, value: Number, position: Number };
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

// An element of the page, or of a drawing when its parent is an SVG.
export function make(tag, attributes = {}, ...children) {
  const drawn = /^(svg|path|circle|text|line|polygon)$/.test(tag);
  const node = drawn
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// The number that a text writes, or a sentence that says what is wrong with it.
export function parsed(text, min = -LIMIT, max = LIMIT) {
  const written = text.trim().replace("−", "-");
  if (!written) return "Type a number.";
  if (!NUMBER.test(written)) return `“${text.trim()}” is not a number such as -1.5 or 2e3.`;
  const value = Number(written) + 0; // no −0
  if (!(min <= value && value <= max)) return `Type a number from ${min} to ${max}.`;
  return value;
}

// The numbers of a list in a link; nothing, when one of them is bad or there are too few or many.
export function numbers(text, least, most, min = -LIMIT, max = LIMIT) {
  const values = (text ?? "").split(",").map((part) => parsed(part, min, max));
  const good = values.every((value) => typeof value === "number");
  return good && least <= values.length && values.length <= most ? values : undefined;
}

// As Python's f"{x:.4g}".
export function general(x, digits = 4) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  // Of two equally near numbers Python takes the even one, which is this one cut off.
  const tie = x.toExponential(digits + 40).match(/^(.*[02468])50{40}(e.*)$/);
  const shown = tie ? tie[1] + tie[2] : x.toExponential(digits - 1);
  const [mantissa, exponent] = shown.split("e");
  if (-4 <= exponent && exponent < digits) return String(Number(shown));
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${Number(mantissa)}e${exponent < 0 ? "-" : "+"}${size}`;
}

// As Python's f"{x:z.4f}": without a minus before 0.
export function fixed(x, digits = 4) {
  return (Number(x.toFixed(digits)) + 0).toFixed(digits);
}

// As Python writes a float, and a list of them.
export function float(x) {
  return Number.isInteger(x) ? `${x}.0` : String(x);
}

export function floats(values) {
  return `[${values.map(float).join(", ")}]`;
}

// An element says how its state begins and is read from a link and written to one (`initial`,
// `read`, `write`), makes its nodes once (`build`), writes numbers into them (`show`), says them in
// words (`words`), and writes them as a program (`python`). It calls `update` when a person has
// changed the state. Its class has a `label` and a `style`.
export class Explorable extends HTMLElement {
  #gone;
  #frame = 0;
  #timers = new Map();

  connectedCallback() {
    this.#gone = new AbortController();
    const linked = this.#written(location.hash.slice(1));
    const given = `${this.localName}=${this.getAttribute("state")}`;
    this.state = linked ?? this.state ?? this.#written(given) ?? this.initial();
    this.#render();
    this.listen(window, "hashchange", () => {
      const state = this.#written(location.hash.slice(1));
      if (!state) return;
      this.state = state;
      this.#render();
      this.#comeIntoView();
    });
    if (linked) this.#comeIntoView();
  }

  disconnectedCallback() {
    this.#gone.abort();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#timers.forEach(clearTimeout);
    this.#timers.clear();
    this.shadowRoot.replaceChildren();
  }

  listen(target, type, handler) {
    target.addEventListener(type, handler, { signal: this.#gone.signal });
  }

  // Do this when nothing has asked for it again for a while.
  later(what, wait, action) {
    clearTimeout(this.#timers.get(what));
    this.#timers.set(what, setTimeout(action, wait));
  }

  // Take over what a person has changed: shown with the next frame, said when it rests.
  update(changes) {
    Object.assign(this.state, changes);
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.show();
    });
    this.later("say", 700, () => this.say(this.words()));
  }

  say(words) {
    this.voice.textContent = words;
  }

  button(text, press) {
    const button = make("button", { type: "button" }, text);
    this.listen(button, "click", () => press(button));
    return button;
  }

  // A choice of one among several, by number.
  choice(name, chosen) {
    const select = make("select", { "aria-label": name });
    this.listen(select, "change", () => chosen(Number(select.value)));
    return select;
  }

  copyButtons() {
    const copy = (text) => async (button) => {
      const done = await copied(text(), this.voice.parentNode);
      button.focus();
      const words = done ? "Copied." : "This browser does not let a page copy.";
      this.later("say", 0, () => this.say(words)); // in place of a change that has yet to rest
      button.classList.toggle("done", done);
      this.later(button, 2000, () => button.classList.remove("done"));
    };
    const link = () => `${location.href.split("#")[0]}#${this.localName}=${this.write()}`;
    const buttons = [
      this.button("Copy link", copy(link)),
      this.button("Copy as Python", copy(() => this.python())),
    ];
    buttons.forEach((button) => button.classList.add("copy"));
    return buttons;
  }

  // A slider and a field for one number. A bad text changes nothing but says so beside the field.
  field(name, range, changed, { min, max, value: valueAt, position } = PLAIN) {
    const id = `error-${name.replace(/\W/g, "-")}`;
    const slider = make("input", { type: "range", "aria-label": `${name}, slider`, ...range });
    const input = make("input", {
      type: "text",
      "aria-label": name,
      "aria-describedby": id,
      autocomplete: "off",
    });
    const error = make("span", { class: "error", id, role: "alert" });
    const judge = () => {
      const value = parsed(input.value, min, max);
      error.textContent = typeof value === "string" ? value : "";
      input.setAttribute("aria-invalid", Boolean(error.textContent));
    };
    this.listen(slider, "input", () => {
      input.value = valueAt(slider.value);
      judge();
      changed(valueAt(slider.value));
    });
    this.listen(input, "input", () => {
      const value = parsed(input.value, min, max);
      if (typeof value === "number") {
        slider.value = position(value);
        judge();
        changed(value);
      }
      this.later(input, 700, judge); // not while a minus sign waits for its number
    });
    this.listen(input, "change", judge);
    const set = (value) => {
      slider.value = position(value);
      input.value = value;
      judge();
    };
    const tell = (words) => slider.setAttribute("aria-valuetext", words);
    return { slider, input, error, set, tell };
  }

  // The row of a class: its logit to change, and its probability.
  row(name, range, changed) {
    const field = this.field(`logit of ${name}`, range, changed);
    const [fill, number] = [make("i"), make("span", { class: "number" })];
    const bar = make("div", { class: "bar" }, fill);
    const { slider, input, error } = field;
    const row = make("div", { class: "row" }, name, slider, input, bar, number, error);
    const show = (p, logit) => {
      fill.style.width = `${100 * p}%`;
      number.textContent = p.toFixed(4);
      field.tell(`${logit}, probability ${p.toFixed(4)}`);
    };
    return { row, field, bar, number, show };
  }

  // Named numbers, a line each: their list, and the nodes of each name and number.
  facts(...names) {
    const nodes = names.map((name) => [
      make("dt", { class: "muted" }, name),
      make("dd", { class: "number" }),
    ]);
    return [make("dl", { class: "facts" }, ...nodes.flat()), nodes];
  }

  head(...names) {
    return make("div", { class: "row head muted" }, ...names.map((name) => make("span", {}, name)));
  }

  #render() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    this.voice = make("p", { class: "voice", role: "status" });
    const style = make("style", {}, STYLE + this.constructor.style);
    const label = { class: "frame", role: "group", "aria-label": this.constructor.label };
    root.replaceChildren(style, make("div", label, ...this.build(), this.voice));
    this.show();
  }

  #written(fragment) {
    const values = new URLSearchParams(fragment);
    return values.has(this.localName) ? this.read(values) : undefined;
  }

  #comeIntoView() {
    requestAnimationFrame(() => this.scrollIntoView({ block: "center", behavior: "instant" }));
  }
}

async function copied(text, place) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { class: "voice" }, text); // where a page has no clipboard
    place.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
