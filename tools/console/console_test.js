#!/usr/bin/env node
// The console in a browser, as its users see it: console_test.js CONSOLE PAGE/index.html PLAYWRIGHT
//
// Two windows: what one changes the other shows, without being asked to. Screenshots are kept with
// the test's outputs.

"use strict";

const assert = require("node:assert");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const [program, page, playwright] = process.argv.slice(2);
const { chromium } = require(path.resolve(path.dirname(playwright)));

const OUTPUTS = process.env.TEST_UNDECLARED_OUTPUTS_DIR || os.tmpdir();
const PATIENCE_MS = 60_000;

function start(folder) {
  // Where the files are: the service follows no link out of the page's folder.
  const pages = path.dirname(fs.realpathSync(page));
  const service = spawn(program, [
    "--address=127.0.0.1:0", `--page=${pages}`, `--file=${path.join(folder, "people.db")}`,
    `--key-file=${path.join(folder, "key")}`, "--people=500",
  ], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => service.once("exit", resolve));
  const url = new Promise((resolve, reject) => {
    service.stdout.once("data", (line) => resolve(String(line).trim()));
    ended.then((status) => reject(new Error(`the service ended with ${status}`)));
  });
  return { service, ended, url };
}

async function open(browser, url, options) {
  const context = await browser.newContext(options);
  const window = await context.newPage();
  window.setDefaultTimeout(PATIENCE_MS);
  window.problems = [];
  window.on("pageerror", (error) => window.problems.push(error.message));
  window.on("console", (message) => {
    if (message.type() === "error") window.problems.push(message.text());
  });
  await window.goto(url);
  await window.waitForSelector("#people tbody tr");
  await window.waitForSelector("#state.live");
  return window;
}

const cellOf = (window, id, column) =>
  window.locator(`#people tr[data-id="${id}"] td:nth-child(${column})`).textContent();

// Waits until the editor says so.
const problemOf = (window, text) => window.locator("#editor .problem", { hasText: text }).waitFor();

// The texts of a column, of all rows.
const columnOf = (window, column) =>
  window.locator(`#people tbody td:nth-child(${column})`).allTextContents();

// Waits until the column is as it is to be.
async function eventually(window, column, holds) {
  const end = Date.now() + PATIENCE_MS;
  while (!holds(await columnOf(window, column))) {
    assert.ok(Date.now() < end, `column ${column} is ${await columnOf(window, column)}`);
    await window.waitForTimeout(50);
  }
}

async function editsAreSeenByOthers(one, other) {
  await one.click('#people tr[data-id="7"]');
  await one.fill('#editor input[name="name"]', "Augusta Ada");
  await one.click("#editor .main");
  await one.waitForSelector("#editor", { state: "hidden" });
  await other.waitForFunction(
    () => document.querySelector('#people tr[data-id="7"]').textContent.includes("Augusta Ada"));
  assert.match(await other.textContent("#feed li"), /Augusta Ada was changed/);
}

async function addsAndDeletesByKeyboard(one, other) {
  await one.keyboard.press("n");
  await one.fill('#editor input[name="name"]', "Emmy Noether");
  await one.fill('#editor input[name="age"]', "33");
  await one.keyboard.press("Enter");
  await one.waitForSelector("#editor", { state: "hidden" });
  const added = other.locator("#people tr", { hasText: "Emmy Noether" });
  await added.waitFor();
  const id = await added.getAttribute("data-id");

  // The row has the focus of the window that made it, once that has been told of it.
  await one.locator(`#people tr[data-id="${id}"]`).waitFor();
  await one.focus(`#people tr[data-id="${id}"]`);
  await one.keyboard.press("ArrowDown");
  await one.keyboard.press("ArrowUp");
  await one.keyboard.press("Enter");
  await one.waitForSelector("#editor[open]");
  assert.equal(await one.inputValue('#editor input[name="name"]'), "Emmy Noether");
  await one.focus("#delete");
  await one.keyboard.press("Enter");
  await one.waitForSelector("#editor", { state: "hidden" });
  await other.waitForSelector(`#people tr.gone[data-id="${id}"]`);
}

async function whatIsWrongIsSaidWithItsField(window) {
  await window.click('#people tr[data-id="9"]');
  await window.fill('#editor input[name="age"]', "1000");
  await window.click("#editor .main");
  await problemOf(window, "150");
  assert.equal(await window.getAttribute('#editor input[name="age"]', "aria-invalid"), "");
  await window.keyboard.press("Escape");
  // Back to where one came from.
  await window.waitForFunction(() => document.activeElement.dataset.id === "9");
}

async function nothingOfOthersIsWrittenOver(one, other) {
  await one.click('#people tr[data-id="11"]');
  await one.waitForSelector("#editor[open]");
  const done = await other.evaluate(async () => {
    const headers = { "Content-Type": "application/merge-patch+json" };
    const body = JSON.stringify({ city: "Elsewhere" });
    return (await fetch("/api/people/11", { method: "PATCH", headers, body })).status;
  });
  assert.equal(done, 200);
  await one.fill('#editor input[name="city"]', "Nowhere");
  await one.click("#editor .main");
  await problemOf(one, "meanwhile");
  await one.click("#cancel");
  assert.equal(await cellOf(other, 11, 4), "Elsewhere");
}

async function searchesAndOrders(window) {
  await window.keyboard.press("/");
  await window.keyboard.type("Ada");
  const isAda = (name) => name.startsWith("Ada");
  await eventually(window, 2, (names) => names.length > 0 && names.every(isAda));
  await window.fill("#search", "");
  await window.selectOption("#order", "-age");
  const isSorted = (age, i, ages) => i === 0 || Number(age) <= Number(ages[i - 1]);
  await eventually(window, 5, (ages) => ages.length === 50 && ages.every(isSorted));
  await window.click("#more");
  await eventually(window, 5, (ages) => ages.length === 100 && ages.every(isSorted));
}

async function chartsMoveUnderLoad(window) {
  await window.click("#burst");
  await window.waitForFunction(() => {
    const shown = document.querySelector("#requests output").textContent;
    return parseFloat(shown) * (shown.endsWith("k") ? 1000 : 1) > 100;
  });
  assert.equal(await window.isDisabled("#burst"), true);
  assert.match(await window.getAttribute("#requests path", "d"), /L/, "a line of several points");
  assert.ok((await window.locator("#heap rect").count()) > 5, "bars of the heap");
  assert.match(await window.getAttribute("#latency svg", "aria-label"), /ms|µs/);
  await window.waitForFunction(() => !document.querySelector("#burst").disabled);
}

async function fitsAPhone(browser, url) {
  const phone = { viewport: { width: 390, height: 844 }, colorScheme: "dark" };
  const window = await open(browser, url, phone);
  const [wide, theme] = await window.evaluate(
    () => [document.documentElement.scrollWidth, document.documentElement.dataset.theme]);
  assert.ok(wide <= 390, `as wide as ${wide}`);
  assert.equal(theme, "dark");
  await window.screenshot({ path: path.join(OUTPUTS, "phone.png") });
  await window.keyboard.press("t");
  assert.equal(await window.evaluate(() => document.documentElement.dataset.theme), "light");
  return window;
}

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "console"));
  const { service, ended, url: started } = start(folder);
  let browser;
  try {
    const url = await started;
    browser = await chromium.launch({
      executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"],
      env: { ...process.env, HOME: folder },
    });
    const desk = { viewport: { width: 1280, height: 900 } };
    const one = await open(browser, url, desk);
    const other = await open(browser, url, desk);
    await editsAreSeenByOthers(one, other);
    await addsAndDeletesByKeyboard(one, other);
    assert.deepEqual(one.problems, []);
    await chartsMoveUnderLoad(other);
    await other.screenshot({ path: path.join(OUTPUTS, "console.png") });
    assert.deepEqual(other.problems, []);
    await nothingOfOthersIsWrittenOver(one, other);
    await whatIsWrongIsSaidWithItsField(one);
    await searchesAndOrders(one);
    // What was refused, and shown, the browser has said too.
    assert.deepEqual(one.problems.filter((problem) => !/ 4(12|22) /.test(problem)), []);
    assert.deepEqual((await fitsAPhone(browser, url)).problems, []);
  } finally {
    if (browser) await browser.close();
    service.kill("SIGTERM");
  }
  assert.equal(await ended, 0);
  const file = fs.readFileSync(path.join(folder, "people.db"));
  assert.ok(!file.includes("Augusta"), "the file is encrypted");
  fs.rmSync(folder, { recursive: true });
}

const patience = setTimeout(() => {
  console.error("no end after all this time");
  process.exit(1);
}, 4 * PATIENCE_MS);
main().then(() => clearTimeout(patience), (error) => {
  console.error(error);
  process.exit(1);
});
