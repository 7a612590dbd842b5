// A discussion. What is entered above stands in the address, so that a room can be kept and shared.

const find = (selector) => document.querySelector(selector);
const query = new URLSearchParams(location.search);
const room = query.get("room") || "tides";
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

let socket;
let delay = FIRST_DELAY_MS;

function setStatus(text, isOpen = false) {
  find(".status").textContent = text;
  find(".status").dataset.open = String(isOpen);
  find("#say button").disabled = !isOpen;
}

function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

function show(kind, ...children) {
  find(".log").append(element("li", kind, ...children));
  find(".log").scrollTop = find(".log").scrollHeight;
}

// What somebody said; what is raw stands there letter by letter.
function showSaid(kind, name, { content, raw }) {
  show(kind, element("span", "by", `${name}: `), raw ? element("code", "raw", content) : content);
}

const handlers = {
  member_message: (payload, message) =>
    showSaid(message.is_mine ? "mine" : "theirs", message.is_mine ? "You, elsewhere" : payload.authorName, payload),
  reply: ({ content }) => show("by", content),
  notification: ({ userName, messageText }) => show("notice", `For ${userName}: ${messageText}`),
  error(payload) {
    if (Array.isArray(payload)) for (const { loc, msg } of payload) show("error", `${loc.join(".")}: ${msg}`);
    else show("error", payload?.detail ?? "Something went wrong.");
  },
};

function handleClose({ code, reason }) {
  if (code >= 4400) {
    setStatus(`The server did not let you in (${code} ${reason}).`);
    return;
  }
  setStatus("Connection lost. Trying again…");
  setTimeout(connect, delay * (0.5 + Math.random() / 2));
  delay = Math.min(LONGEST_DELAY_MS, delay * 2);
}

function connect() {
  setStatus("Connecting…");
  const address = new URL(`/ws/discussion/${room}`, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  address.search = location.search;
  socket = new WebSocket(address);
  socket.addEventListener("open", () => {
    delay = FIRST_DELAY_MS;
    setStatus(`${query.get("name")} in ${room}`, true);
  });
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    handlers[message.action]?.(message.payload, message);
  });
  socket.addEventListener("close", handleClose);
}

find("#say").addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket?.readyState !== WebSocket.OPEN) return;
  const payload = { content: find("#content").value, raw: find("#raw").checked };
  socket.send(JSON.stringify({ action: "new_message", payload }));
  showSaid("mine", "You", payload);
  find("#content").value = "";
  find("#content").focus();
});

for (const [name, value] of query) if (find("#enter").elements[name]) find("#enter").elements[name].value = value;
if (query.get("name")) connect();
