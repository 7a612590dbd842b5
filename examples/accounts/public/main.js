// Logs in and out, and talks in a room while somebody is logged in. The cookie is the browser's affair.

const find = (selector) => document.querySelector(selector);
const room = new URLSearchParams(location.search).get("room") || "lobby";
const address = new URL(`/ws/chat/${encodeURIComponent(room)}/`, location.href);
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";

let socket = null;

function setStatus(text, isOpen = false) {
  find(".status").textContent = text;
  find(".status").dataset.open = String(isOpen);
  find("#say button").disabled = !isOpen;
}

function show(kind, text) {
  const item = document.createElement("li");
  item.className = kind;
  item.append(text);
  find(".log").append(item);
  find(".log").scrollTop = find(".log").scrollHeight;
}

function receive(message, username) {
  const { action, payload } = message;
  if (action === "echo") show(message.is_mine ? "mine" : "theirs", payload);
  else if (action === "authentication" && payload.status_code === 200) setStatus(`You are ${username}, in ${room}`, true);
  else if (action === "error") show("error", payload?.detail ?? payload.map(({ msg }) => msg).join(", "));
}

function connect(username) {
  find("#login").hidden = true;
  find("#room").hidden = false;
  setStatus("Connecting…");
  socket = new WebSocket(address);
  socket.addEventListener("message", ({ data }) => receive(JSON.parse(data), username));
  socket.addEventListener("close", () => askWho("The connection has ended."));
}

function askToLogIn(text) {
  find("#login").hidden = false;
  find("#room").hidden = true;
  setStatus(text);
}

async function askWho(text) {
  const answer = await fetch("/me");
  if (!answer.ok) askToLogIn("Log in to talk.");
  else if (text) setStatus(`${text} Reload the page to come back.`);
  else connect((await answer.json()).username);
}

find("#login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch("/login", { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
  const body = await answer.json();
  if (!answer.ok) {
    setStatus(typeof body.detail === "string" ? body.detail : body.detail.map(({ msg }) => msg).join(", "));
    return;
  }
  event.target.reset();
  connect(body.username);
});

find("#logout").addEventListener("click", async () => {
  await fetch("/logout", { method: "POST" });
  socket?.close();
});

find("#say").addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ action: "echo", payload: find("#text").value }));
  find("#text").value = "";
  find("#text").focus();
});

askWho();
