// Talks plain text: each frame is one line to show, each line that is typed is one frame.

const section = document.querySelector("#system");
const status = section.querySelector(".status");
const messages = section.querySelector(".messages");
const form = section.querySelector("form");
const input = form.elements.text;
const button = form.querySelector("button");

const address = new URL("/ws/system", location.href);
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

let socket;
let delay = FIRST_DELAY_MS;

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

function connect() {
  setStatus("Connecting…");
  socket = new WebSocket(address);
  socket.addEventListener("open", () => {
    delay = FIRST_DELAY_MS;
    setStatus("Connection established!", true);
  });
  socket.addEventListener("message", ({ data }) => show(data, "server"));
  socket.addEventListener("close", () => {
    setStatus("Connection lost. Trying again…");
    setTimeout(connect, delay * (0.5 + Math.random() / 2));
    delay = Math.min(LONGEST_DELAY_MS, delay * 2);
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(input.value);
  show(`User: ${input.value}`, "user");
  form.reset();
  input.focus();
});

connect();
