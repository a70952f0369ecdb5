// Charts as SVG: lines over the last minute, and bars.

const LEFT = 48; // For the labels of the axis.
const LABEL = 52; // Of a bar, with its distance to the next.
const TOP = 8;
const BOTTOM = 16;

function element(name, attributes, parent, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

// The least of 1, 2, 5 times a power of ten that is not below `value`.
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((step) => step * power >= value) * power;
}

class Chart {
  constructor(figure) {
    this.output = figure.querySelector("output");
    this.name = figure.querySelector("figcaption").firstChild.textContent.trim();
    this.svg = element("svg", { class: "chart", role: "img" }, figure);
  }

  // Empties it for another picture; a unit is a pixel.
  begin() {
    this.width = this.svg.clientWidth || 300;
    this.height = this.svg.clientHeight || 100;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.replaceChildren();
  }

  // A horizontal line, with its value.
  rule(y, text) {
    element("line", { class: "grid", x1: LEFT, x2: this.width, y1: y, y2: y }, this.svg);
    element("text", { x: LEFT - 5, y: y + 3, "text-anchor": "end" }, this.svg, text);
  }

  // What the newest values are, for those who see and those who do not.
  say(text) {
    this.output.value = text;
    this.svg.setAttribute("aria-label", `${this.name}: ${text}`);
  }
}

// Each sample has a value for each series; the newest is at the right.
export class LineChart extends Chart {
  constructor(figure, { series, format, samples = 60 }) {
    super(figure);
    this.format = format;
    this.samples = samples;
    this.values = [];
    this.series = series;
  }

  add(values) {
    this.values.push(values);
    if (this.values.length > this.samples) this.values.shift();
    this.draw();
    this.say(values.map(this.format).join(" · "));
  }

  draw() {
    this.begin();
    const top = roundUp(Math.max(1, ...this.values.flat()));
    const step = (this.width - LEFT) / (this.samples - 1);
    const x = (i) => LEFT + step * (this.samples - this.values.length + i);
    const y = (value) => this.height - BOTTOM - ((this.height - TOP - BOTTOM) * value) / top;
    for (const value of [0, top / 2, top]) this.rule(y(value), this.format(value));
    this.series.forEach((name, index) => {
      const points = this.values.map(
        (values, i) => `${x(i).toFixed(1)},${y(values[index]).toFixed(1)}`);
      element("path", { class: name, d: `M${points.join("L")}` }, this.svg);
    });
  }
}

// Bars side by side, each of parts on top of each other.
export class BarChart extends Chart {
  constructor(figure, { series, format }) {
    super(figure);
    this.series = series;
    this.format = format;
  }

  // bars: [{label, values}].
  show(bars, text) {
    this.begin();
    const top = roundUp(Math.max(1, ...bars.map((bar) => bar.values.reduce((a, b) => a + b, 0))));
    const width = (this.width - LEFT) / Math.max(bars.length, 1);
    const scale = (this.height - TOP - BOTTOM) / top;
    const labelled = Math.ceil(LABEL / width); // Others would overlap.
    for (const value of [0, top]) {
      this.rule(this.height - BOTTOM - value * scale, this.format(value));
    }
    bars.forEach(({ label, values }, i) => {
      let y = this.height - BOTTOM;
      values.forEach((value, part) => {
        const height = value * scale;
        y -= height;
        const x = LEFT + i * width + 0.5;
        const place = { x, y, width: Math.max(width - 1, 0.5), height };
        const bar = element("rect", { class: this.series[part], ...place }, this.svg);
        element("title", {}, bar, `${label}: ${this.format(value)}`);
      });
      if (i % labelled === 0) {
        const place = { x: LEFT + (i + 0.5) * width, y: this.height - 3, "text-anchor": "middle" };
        element("text", place, this.svg, label);
      }
    });
    this.say(text);
  }
}
