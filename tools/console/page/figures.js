// The charts, fed by events of the service.

import { BarChart, LineChart } from "./charts.js";

const UNITS = ["B", "KB", "MB", "GB"];

export function bytes(value) {
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const whole = value >= 100 || Number.isInteger(value);
  return `${whole ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

function number(value) {
  return value >= 10_000 ? `${(value / 1000).toFixed(0)}k` : `${Math.round(value)}`;
}

function microseconds(value) {
  if (value < 1000) return `${Math.round(value)} µs`;
  return `${value < 10_000 ? (value / 1000).toFixed(1) : Math.round(value / 1000)} ms`;
}

// Shows samples until the page is closed; `connected` is told whether they come.
export function showFigures(connected) {
  const figure = (id) => document.getElementById(id);
  const requests = new LineChart(figure("requests"), { series: ["first"], format: number });
  const both = ["first", "second"];
  const latency = new LineChart(figure("latency"), { series: both, format: microseconds });
  const connections = new LineChart(figure("connections"), { series: ["first"], format: number });
  const heap = new BarChart(figure("heap"), { series: both, format: bytes });

  const events = new EventSource("/console/figures");
  events.addEventListener("open", () => connected(true));
  events.addEventListener("error", () => connected(false));
  events.addEventListener("sample", (event) => {
    const sample = JSON.parse(event.data);
    requests.add([sample.requests]);
    latency.add([sample.p50, sample.p99]);
    connections.add([sample.connections]);
    heap.show(
      sample.heap.classes.map(({ size, live, cached }) => ({
        label: size === 0 ? "large" : bytes(size), values: [live, cached],
      })),
      `${bytes(sample.heap.live)} of ${bytes(sample.heap.held)}`,
    );
  });
}
