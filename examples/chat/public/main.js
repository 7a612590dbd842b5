// The chat: shows of each message whose it is, as the server says, and what is announced from outside.

const find = (selector) => document.querySelector(selector);
const name = new URLSearchParams(location.search).get("name") || "";
const address = new URL(`/ws/chat${location.search}`, location.href);
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

let socket;
let delay = FIRST_DELAY_MS;

function setStatus(text, isOpen = false) {
  find(".status").textContent = text;
  find(".status").dataset.open = String(isOpen);
  find("#say button").disabled = !isOpen;
}

// A line of the log; `by` stands in front of it.
function show(kind, text, by) {
  const item = document.createElement("li");
  item.className = kind;
  if (by) {
    const author = document.createElement("span");
    author.className = "by";
    author.textContent = `${by}: `;
    item.append(author);
  }
  item.append(text);
  find(".log").append(item);
  find(".log").scrollTop = find(".log").scrollHeight;
}

function author({ payload, is_mine: isMine, is_current: isCurrent }) {
  if (isCurrent) return "You";
  return isMine ? "You, elsewhere" : payload.sender_name;
}

function receive(message) {
  const { action, payload } = message;
  if (action === "chat_group")
    show(message.is_mine || message.is_current ? "mine" : "theirs", payload.content, author(message));
  else if (action === "notification") show("notice", payload.text);
  else if (Array.isArray(payload)) for (const { loc, msg } of payload) show("error", `${loc.join(".")}: ${msg}`);
  else show("error", payload?.detail ?? "Something went wrong.");
}

function connect() {
  setStatus("Connecting…");
  socket = new WebSocket(address);
  socket.addEventListener("open", () => {
    delay = FIRST_DELAY_MS;
    setStatus(name ? `You are here as ${name}` : "You are here without a name", true);
  });
  socket.addEventListener("message", ({ data }) => receive(JSON.parse(data)));
  socket.addEventListener("close", () => {
    setStatus("Connection lost. Trying again…");
    setTimeout(connect, delay * (0.5 + Math.random() / 2));
    delay = Math.min(LONGEST_DELAY_MS, delay * 2);
  });
}

find("#say").addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN) return;
  const payload = { content: find("#text").value, timestamp: new Date().toISOString() };
  if (name) payload.sender_name = name;
  socket.send(JSON.stringify({ action: find("#others").checked ? "tell_others" : "chat", payload }));
  find("#text").value = "";
  find("#text").focus();
});

find("#name").value = name;
connect();
