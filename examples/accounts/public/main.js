// Logs in and out, and talks while somebody is logged in: to all in a room, or to the echo. What goes over the lines
// stands below. The cookie is the browser's affair: no script can read it.

const find = (selector) => document.querySelector(selector);
const room = new URLSearchParams(location.search).get("room") || "lobby";

// The WebSockets of whoever is logged in, by the name of their consumer.
let sockets = {};

function add(list, className, text) {
  const item = document.createElement("li");
  item.className = className;
  item.textContent = text;
  list.append(item);
  list.scrollTop = list.scrollHeight;
}

const show = (kind, text) => add(find(".log"), kind, text);
const note = (text) => add(find(".lines"), "line", text);

function setStatus(text, isOpen = false) {
  find(".status").textContent = text;
  find(".status").dataset.open = String(isOpen);
  find("#say button").disabled = !isOpen;
}

function askToLogIn(text) {
  sockets = {};
  find("#login").hidden = false;
  find("#room").hidden = true;
  setStatus(text);
}

// A plain request, which the browser sends with the cookie, if it has one.
async function request(method, path, form) {
  const answer = await fetch(path, { method, body: form && new URLSearchParams(new FormData(form)) });
  note(`${method} ${path}: ${answer.status}`);
  return answer;
}

function receive(name, { action, payload, is_mine: isMine }, username) {
  if (action === "authentication" && payload.status_code === 200 && name === "chat")
    setStatus(`You are ${username}, in ${room}`, true);
  else if (action === "echo") show(isMine || name === "echo" ? "mine" : "theirs", payload);
  else if (action === "error") show("error", payload?.detail ?? payload.map(({ msg }) => msg).join(", "));
}

function open(name, path, username) {
  const address = new URL(path, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  sockets[name] = socket;
  socket.addEventListener("open", () => note(`${name} connects to ${path}`));
  socket.addEventListener("message", ({ data }) => {
    note(`${name} < ${data}`);
    receive(name, JSON.parse(data), username);
  });
  socket.addEventListener("close", ({ code, reason }) => {
    note(`${name} closes: ${code} ${reason}`.trimEnd());
    if (sockets[name] === socket) askToLogIn(code === 4401 ? "You are logged out." : "The connection has ended.");
  });
}

function enter(username) {
  find("#login").hidden = true;
  find("#room").hidden = false;
  find(".log").replaceChildren();
  setStatus("Connecting…");
  open("echo", "/ws/echo/", username);
  open("chat", `/ws/chat/${encodeURIComponent(room)}/`, username);
}

find("#login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await request("POST", "/login", event.target);
  const body = await answer.json();
  if (answer.ok) {
    event.target.reset();
    enter(body.username);
  } else {
    setStatus(typeof body.detail === "string" ? body.detail : body.detail.map(({ msg }) => msg).join(", "));
  }
});

find("#logout").addEventListener("click", () => request("POST", "/logout"));

find("#say").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = find("#echo").checked ? "echo" : "chat";
  const text = JSON.stringify({ action: "echo", payload: find("#text").value });
  sockets[name].send(text);
  note(`${name} > ${text}`);
  find("#text").value = "";
  find("#text").focus();
});

const answer = await request("GET", "/me");
if (answer.ok) enter((await answer.json()).username);
else askToLogIn("Log in to talk.");
