// The console: charts, rows, what changes, and keys for all of it.

import { showChanges } from "./changes.js";
import { showFigures } from "./figures.js";
import { People } from "./people.js";

const root = document.documentElement;
const state = document.getElementById("state");
const burst = document.getElementById("burst");

// The button's choice outlives the page; without one it is the system's.
const dark = matchMedia("(prefers-color-scheme: dark)");
function setTheme() {
  root.dataset.theme = localStorage.getItem("theme") ?? (dark.matches ? "dark" : "light");
}
function otherTheme() {
  localStorage.setItem("theme", root.dataset.theme === "dark" ? "light" : "dark");
  setTheme();
}
setTheme();
dark.addEventListener("change", setTheme);
document.getElementById("theme").addEventListener("click", otherTheme);

async function beginBurst() {
  burst.disabled = true;
  const response = await fetch("/console/burst", { method: "POST" });
  const { seconds } = response.ok ? await response.json() : { seconds: 1 };
  setTimeout(() => {
    burst.disabled = false;
  }, seconds * 1000);
}
burst.addEventListener("click", beginBurst);

const people = new People();
people.load();
showChanges((change, row) => people.changed(change, row), () => people.load());
showFigures((connected) => {
  state.textContent = connected ? "live" : "connecting";
  state.classList.toggle("live", connected);
});

const KEYS = {
  "/": () => people.search.focus(),
  n: () => people.editor.open(null),
  b: () => burst.click(),
  t: otherTheme,
};

document.addEventListener("keydown", (event) => {
  const writes = event.target.closest("input, select, dialog");
  if (writes || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});
