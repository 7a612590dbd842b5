// Sends what was typed, and shows the gateway's answer where it belongs. Nothing is checked here.

const section = document.querySelector("#order");
const status = section.querySelector(".status");
const form = section.querySelector("form");
const fields = [...form.querySelectorAll("[data-loc]")];
const button = form.querySelector("button");
const result = form.querySelector("output");
const kind = form.querySelector("#kind");

const address = new URL("/ws/orders", location.href);
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

let socket;
let delay = FIRST_DELAY_MS;

const isShown = (field) => !field.closest("[hidden]");

// Puts a value into an object at a path, "delivery.street".
function put(target, path, value) {
  const names = path.split(".");
  const last = names.pop();
  let place = target;
  for (const name of names) place = place[name] ??= {};
  place[last] = value;
}

// What was typed; fields that are empty or hidden are left out.
function payload() {
  const order = {};
  for (const field of fields)
    if (isShown(field) && field.value !== "") put(order, field.dataset.loc, field.value);
  return order;
}

function mark(field, text) {
  const note = document.createElement("span");
  note.className = "error";
  note.id = `${field.id}-error`;
  note.textContent = text;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", note.id);
  field.after(note);
}

function clear() {
  for (const note of form.querySelectorAll(".error")) note.remove();
  for (const field of fields) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  result.textContent = "";
}

// An error belongs to the field that its `loc` names, less the leading "payload".
function showErrors(errors) {
  const others = [];
  for (const { loc, msg } of errors) {
    const path = loc.slice(1).join(".");
    const field = fields.find((one) => one.dataset.loc === path && isShown(one));
    if (field && !field.hasAttribute("aria-invalid")) mark(field, msg);
    else others.push(`${path}: ${msg}`);
  }
  result.textContent = others.join(" ");
  form.querySelector("[aria-invalid]")?.focus();
}

function receive({ action, payload: answer }) {
  clear();
  if (action === "order_accepted")
    result.textContent = `Order ${answer.orderNumber}: ${answer.summary}. ${(answer.totalCents / 100).toFixed(2)}`;
  else if (Array.isArray(answer)) showErrors(answer);
  else result.textContent = answer?.detail ?? "Something went wrong.";
}

function setStatus(text, isOpen = false) {
  status.textContent = text;
  status.dataset.open = String(isOpen);
  button.disabled = !isOpen;
}

function connect() {
  setStatus("Connecting…");
  socket = new WebSocket(address);
  socket.addEventListener("open", () => {
    delay = FIRST_DELAY_MS;
    setStatus("Open for orders", true);
  });
  socket.addEventListener("message", ({ data }) => receive(JSON.parse(data)));
  socket.addEventListener("close", () => {
    setStatus("Connection lost. Trying again…");
    setTimeout(connect, delay * (0.5 + Math.random() / 2));
    delay = Math.min(LONGEST_DELAY_MS, delay * 2);
  });
}

kind.addEventListener("change", () => {
  for (const line of form.querySelectorAll("[data-kind]")) line.hidden = line.dataset.kind !== kind.value;
  clear();
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket.readyState === WebSocket.OPEN)
    socket.send(JSON.stringify({ action: "order", payload: payload() }));
});

connect();
