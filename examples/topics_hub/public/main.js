// Several streams over one connection. What the server confirms stands in the list of topics; after a lost
// connection the page subscribes to the same ones again.

const find = (selector) => document.querySelector(selector);
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

const topics = new Map(); // by name, its item of the list
let socket;
let delay = FIRST_DELAY_MS;

function setStatus(text, isOpen = false) {
  find(".status").textContent = text;
  find(".status").dataset.open = String(isOpen);
  find("#subscribe button").disabled = !isOpen;
  find("#say button").disabled = !isOpen || find("#room").length === 0;
}

function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

function show(kind, topic, text) {
  const by = topic ? [element("span", "by", `${topic}: `)] : [];
  find(".log").append(element("li", kind, ...by, text));
  find(".log").scrollTop = find(".log").scrollHeight;
}

const send = (message) => socket.send(JSON.stringify(message));

// The rooms of the list, which are what can be posted to.
function offerRooms() {
  const rooms = [...topics.keys()].filter((name) => name.startsWith("room:"));
  const chosen = rooms.includes(find("#room").value) ? find("#room").value : rooms.at(-1);
  find("#room").replaceChildren(...rooms.map((name) => new Option(name, name, false, name === chosen)));
  find("#say button").disabled = rooms.length === 0;
}

function addTopic(name) {
  if (topics.has(name)) return;
  const button = element("button", "", "Leave");
  button.setAttribute("aria-label", `Leave ${name}`);
  button.addEventListener("click", () => send({ action: "unsubscribe", topic: name }));
  const item = element("li", "", element("span", "", name), button);
  topics.set(name, item);
  find("#topics").append(item);
  offerRooms();
}

function removeTopic(name) {
  topics.get(name)?.remove();
  topics.delete(name);
  offerRooms();
}

const handlers = {
  subscribed: ({ topic }) => addTopic(topic),
  unsubscribed: ({ topic }) => removeTopic(topic),
  posted: ({ topic, payload, is_current: isCurrent }) => show(isCurrent ? "mine" : "theirs", topic, payload.message),
  room_event: ({ topic, payload }) => show("notice", topic, payload.message),
  present({ topic, payload }) {
    show("notice", "", `${payload.user}: ${payload.connections} watching`);
    topics.get(topic)?.firstChild.replaceChildren(`${topic} (${payload.connections})`);
  },
  error({ topic, payload }) {
    if (Array.isArray(payload)) for (const { loc, msg } of payload) show("error", topic, `${loc.join(".")}: ${msg}`);
    else show("error", topic, payload?.detail ?? "Something went wrong.");
  },
};

function handleOpen() {
  delay = FIRST_DELAY_MS;
  setStatus("Connected", true);
  for (const name of [...topics.keys()]) {
    removeTopic(name);
    send({ action: "subscribe", topic: name });
  }
}

function connect() {
  setStatus("Connecting…");
  const address = new URL("/ws/topics", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(address);
  socket.addEventListener("open", handleOpen);
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    handlers[message.action]?.(message);
  });
  socket.addEventListener("close", () => {
    setStatus("Connection lost. Trying again…");
    setTimeout(connect, delay * (0.5 + Math.random() / 2));
    delay = Math.min(LONGEST_DELAY_MS, delay * 2);
  });
}

// Calls `act` when a form is sent over an open line.
function onSubmit(selector, act) {
  find(selector).addEventListener("submit", (event) => {
    event.preventDefault();
    if (socket.readyState === WebSocket.OPEN) act();
  });
}

onSubmit("#subscribe", () => send({ action: "subscribe", topic: find("#topic").value }));
onSubmit("#say", () => {
  send({ action: "post", topic: find("#room").value, payload: { message: find("#text").value } });
  find("#text").value = "";
  find("#text").focus();
});

connect();
