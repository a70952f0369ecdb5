// The table of people: pages of rows, an editor, and rows that follow what others change.

const PATH = "/api/people";
const PAGE = 50;

function whenOf(text) {
  return new Date(text).toLocaleString();
}

// What a row shows and what the editor has. `wide`: not on a phone.
const COLUMNS = [
  { name: "id", label: "id", number: true, fixed: true },
  { name: "name", label: "name", required: true },
  { name: "email", label: "e-mail", type: "email", wide: true, optional: true },
  { name: "city", label: "city", wide: true },
  { name: "age", label: "age", number: true },
  { name: "balance", label: "balance", number: true, show: (value) => value.toFixed(2) },
  { name: "modified", label: "changed", fixed: true, wide: true, show: whenOf },
];

// What was answered with an error: its problem details (RFC 9457).
class Refused extends Error {
  constructor(problem) {
    super(problem.detail || problem.title);
    this.status = problem.status;
    // "#/name" is the field "name".
    this.field = problem.errors?.[0]?.pointer?.replace(/^#\//, "");
  }
}

async function ask(url, options) {
  const response = await fetch(url, options);
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({ title: response.statusText }));
  throw new Refused({ status: response.status, ...problem });
}

function send(method, url, row, tag) {
  const headers = {
    "Content-Type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
  };
  if (tag) headers["If-Match"] = tag;
  return ask(url, { method, headers, body: JSON.stringify(row) });
}

export class People {
  constructor() {
    this.body = document.querySelector("#people tbody");
    this.search = document.getElementById("search");
    this.order = document.getElementById("order");
    this.more = document.getElementById("more");
    this.count = document.getElementById("count");
    this.next = null;
    this.editor = new Editor((id) => this.focus(id));
    const head = document.querySelector("#people thead tr");
    for (const column of COLUMNS) head.append(cell("th", column, column.label));

    this.search.addEventListener("input", () => this.later(() => this.load()));
    this.order.addEventListener("change", () => this.load());
    this.more.addEventListener("click", () => this.loadMore());
    document.getElementById("add").addEventListener("click", () => this.editor.open(null));
    this.body.addEventListener("click", (event) => this.edit(event.target.closest("tr")));
    this.body.addEventListener("keydown", (event) => this.onKey(event));
  }

  later(action) {
    clearTimeout(this.timer);
    this.timer = setTimeout(action, 150);
  }

  async load() {
    clearTimeout(this.timer);
    const query = new URLSearchParams({ limit: PAGE, count: "exact" });
    const order = this.order.value;
    query.set("order", order.startsWith("-") ? `${order.slice(1)}.desc` : order);
    // "*" is any text in a pattern.
    const name = this.search.value.trim().replaceAll("*", "");
    if (name) query.set("name", `like.${name}*`);
    this.body.replaceChildren();
    await this.take(`?${query}`);
  }

  loadMore() {
    return this.take(this.next);
  }

  async take(query) {
    const started = (this.started = {});
    this.more.hidden = true;
    const response = await ask(PATH + query);
    const rows = await response.json();
    if (this.started !== started) return; // Another search has begun.
    for (const row of rows) this.body.append(this.line(row));
    const all = response.headers.get("X-Total-Count");
    if (all !== null) this.count.value = Number(all).toLocaleString();
    this.next = response.headers.get("Link")?.match(/<([^>]*)>; *rel="next"/)?.[1] ?? null;
    this.more.hidden = this.next === null;
  }

  line(row) {
    const line = document.createElement("tr");
    line.tabIndex = 0;
    line.dataset.id = row.id;
    for (const column of COLUMNS) {
      const value = row[column.name];
      line.append(cell("td", column, value === null ? "" : (column.show?.(value) ?? value)));
    }
    return line;
  }

  lineOf(id) {
    return this.body.querySelector(`tr[data-id="${CSS.escape(id)}"]`);
  }

  focus(id) {
    (this.lineOf(id) ?? this.search).focus();
  }

  edit(line) {
    if (line && !line.classList.contains("gone")) this.editor.open(line.dataset.id);
  }

  onKey(event) {
    const line = event.target.closest("tr");
    const { nextElementSibling: ArrowDown, previousElementSibling: ArrowUp } = line;
    const to = { ArrowDown, ArrowUp }[event.key];
    if (to) to.focus();
    if (event.key === "Enter") this.edit(line);
    if (to || event.key === "Enter") event.preventDefault();
  }

  // A row was changed by anybody. What is not on this page stays away, but for a new one, which is
  // put in front for all to see.
  changed(change, row) {
    const old = this.lineOf(row.id);
    if (change === "delete") {
      old?.classList.add("gone");
      return;
    }
    const line = this.line(row);
    line.classList.add("fresh");
    setTimeout(() => line.classList.remove("fresh"), 3000);
    if (old) {
      const focused = old === document.activeElement;
      old.replaceWith(line);
      if (focused) line.focus();
    } else if (change === "insert") {
      this.body.prepend(line);
    }
  }
}

function cell(kind, column, text) {
  const made = document.createElement(kind);
  if (column.number) made.classList.add("number");
  if (column.wide) made.classList.add("wide");
  made.textContent = text;
  return made;
}

// A person in a dialog. What others have changed meanwhile is not written over.
class Editor {
  constructor(closed) {
    this.dialog = document.getElementById("editor");
    this.form = this.dialog.querySelector("form");
    this.title = document.getElementById("editor-title");
    this.problem = this.dialog.querySelector(".problem");
    this.delete = document.getElementById("delete");
    this.inputs = {};
    const fields = this.dialog.querySelector(".fields");
    for (const column of COLUMNS.filter(({ fixed }) => !fixed)) {
      const label = document.createElement("label");
      const input = document.createElement("input");
      input.name = column.name;
      input.type = column.type ?? "text";
      if (column.number) input.inputMode = "decimal";
      label.append(column.label, input);
      fields.append(label);
      this.inputs[column.name] = input;
    }
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.try(() => this.save());
    });
    this.delete.addEventListener("click", () => this.try(() => this.remove()));
    document.getElementById("cancel").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => closed(this.id));
  }

  async open(id) {
    this.id = id;
    this.before = {};
    this.tag = null;
    this.complain("");
    if (id !== null) {
      const response = await ask(`${PATH}/${id}`);
      this.before = await response.json();
      this.tag = response.headers.get("ETag");
    }
    this.title.textContent = id === null ? "New person" : `Person ${id}`;
    this.delete.hidden = id === null;
    for (const [name, input] of Object.entries(this.inputs)) input.value = this.before[name] ?? "";
    this.dialog.showModal();
    this.inputs.name.focus();
  }

  complain(text, field) {
    this.problem.textContent = text;
    for (const [name, input] of Object.entries(this.inputs)) {
      input.toggleAttribute("aria-invalid", name === field);
    }
    this.inputs[field]?.focus();
  }

  // Closes the dialog if all is well, else says what is not.
  async try(action) {
    try {
      await action();
      this.dialog.close();
    } catch (error) {
      if (!(error instanceof Refused)) return this.complain("The service does not answer.");
      const lost = error.status === 412 || error.status === 404;
      const changed = "Somebody has changed this row meanwhile: open it anew.";
      this.complain(lost ? changed : error.message, error.field);
    }
  }

  save() {
    const row = {};
    for (const { name, number, optional } of COLUMNS.filter((column) => !column.fixed)) {
      const text = this.inputs[name].value.trim();
      if (text === String(this.before[name] ?? "")) continue;
      // What is no number is sent as it is: it is the service that says what is wrong with it.
      row[name] = number && text !== "" && !isNaN(text) ? Number(text) : text;
      if (text === "" && optional) row[name] = null;
    }
    if (this.id === null) return send("POST", PATH, row);
    return Object.keys(row).length > 0 && send("PATCH", `${PATH}/${this.id}`, row, this.tag);
  }

  remove() {
    return ask(`${PATH}/${this.id}`, { method: "DELETE", headers: { "If-Match": this.tag } });
  }
}
