// The conversation of a page with its consumer: it connects by itself, shows what is said, and comes back
// when the line drops.

/** Close codes after which trying again would end the same way. */
const FINAL_CODES = new Set([1000, 1002, 1003, 1007, 1008, 1009, 4401, 4403, 4404, 4408]);
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

/** One line for each thing that is wrong: a list names the place of each, an object has one sentence. */
function errorLines(payload) {
  if (!Array.isArray(payload)) return [payload?.detail ?? "The server reported an error"];
  return payload.map(({ loc, msg }) => (loc.length > 0 ? `${loc.join(".")}: ${msg}` : msg));
}

/** Grows with each failure, and differs from client to client so that they do not come back at once. */
function retryDelay(reason, attempts) {
  const asked = /^retry_after_ms=(\d+)$/.exec(reason);
  if (asked) return Number(asked[1]);
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempts);
  return ceiling / 2 + Math.random() * (ceiling / 2);
}

/**
 * Talks to the consumer at `path`, in a section that has a status, a log and a form with one text.
 *
 * `established` is the status of an open line; `handlers[action](payload, show)` get what comes, and
 * `compose(text, show)` makes the message of what was typed. `show(text, kind)` adds to the log.
 */
export function talk({ section, path, established, handlers, compose }) {
  const status = section.querySelector(".status");
  const messages = section.querySelector(".messages");
  const form = section.querySelector("form.say");
  const input = form.elements.text;
  const button = form.querySelector("button");

  const address = new URL(path, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";

  let socket;
  let attempts = 0;
  let retryTimer;

  function setStatus(text, isOpen = false) {
    status.textContent = text;
    status.dataset.open = String(isOpen);
    button.disabled = !isOpen;
  }

  function show(text, kind) {
    const item = document.createElement("li");
    item.className = kind;
    item.textContent = text;
    messages.append(item);
    messages.scrollTop = messages.scrollHeight;
  }

  function receive({ action, payload }) {
    if (action === "error") errorLines(payload).forEach((line) => show(`Error: ${line}`, "error"));
    else handlers[action]?.(payload, show);
  }

  function handleClose({ code, reason }) {
    if (FINAL_CODES.has(code)) {
      setStatus(`The server ended the connection (${code}${reason ? `, ${reason}` : ""}).`);
      return;
    }
    const delay = retryDelay(reason, attempts);
    attempts += 1;
    setStatus(`Connection lost. Trying again in ${Math.ceil(delay / 1000)} s…`);
    retryTimer = setTimeout(connect, delay);
  }

  function connect() {
    clearTimeout(retryTimer);
    retryTimer = undefined;
    setStatus("Connecting…");
    socket = new WebSocket(address);
    socket.addEventListener("open", () => {
      attempts = 0;
      setStatus(established, true);
    });
    socket.addEventListener("message", ({ data }) => receive(JSON.parse(data)));
    socket.addEventListener("close", handleClose);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify(compose(input.value, show)));
    form.reset();
    input.focus();
  });

  addEventListener("online", () => {
    if (retryTimer !== undefined) connect();
  });

  connect();
}
