// What is committed, as it is committed, to whom it concerns.

const PATH = "/api/people";
const SHOWN = 50;
const WORDS = { insert: "is new", update: "was changed", delete: "is gone" };
const AGAIN_MS = 1000;

// Calls changed(change, row) for each change, and lost() where some were missed for good. A
// connection that was lost goes on after the last change that was seen.
export function showChanges(changed, lost) {
  const list = document.querySelector("#feed ol");
  let last = null;

  function show({ sequence, change, row }) {
    last = sequence;
    if (change === "gap") lost();
    if (!WORDS[change]) return;
    const item = document.createElement("li");
    const name = document.createElement("b");
    name.textContent = row.name;
    item.append(`${sequence} `, name, ` ${WORDS[change]}`);
    list.prepend(item);
    while (list.children.length > SHOWN) list.lastChild.remove();
    changed(change, row);
  }

  function connect() {
    const since = last === null ? "" : `&since=${last}`;
    const url = new URL(`${PATH}?changes${since}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    socket.addEventListener("message", (event) => show(JSON.parse(event.data)));
    socket.addEventListener("close", () => setTimeout(connect, AGAIN_MS));
  }
  connect();
}
