// The page of one room, which its address names: room.html?room=lobby. The server sends what is said here
// to everybody in the room, this window too.

import { talk } from "./talk.js";

const section = document.querySelector("#room");
const room = new URLSearchParams(location.search).get("room") || "lobby";

section.querySelector("h1").textContent = `Room ${room}`;
section.querySelector("form.enter").elements.room.value = room;
document.title = `tidegate: room ${room}`;

talk({
  section,
  path: `/ws/room/${encodeURIComponent(room)}`,
  established: `You are in room '${room}'.`,
  handlers: { room_notification: ({ message }, show) => show(message, "server") },
  compose: (text) => ({ action: "room_chat", payload: { message: text } }),
});
