// The system consumer's page: the server answers each message by itself.

import { talk } from "./talk.js";

talk({
  section: document.querySelector("#system"),
  path: "/ws/system",
  established: "Connection established!",
  handlers: { system_echo: ({ message }, show) => show(message, "server") },
  compose(text, show) {
    show(`User: ${text}`, "user");
    return { action: "user_message", payload: { message: text } };
  },
});
