// What one client says, all get: the way it is commonly written with ws, and with Socket.IO.
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { Server } from "socket.io";

const http = createServer();

if (process.argv[2] === "socket.io") {
  const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
  io.on("connection", (socket) => socket.on("m", (text) => io.emit("m", text)));
} else {
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  server.on("connection", (socket) => {
    socket.on("error", () => socket.terminate());
    socket.on("message", (data, isBinary) => {
      for (const client of server.clients) {
        if (client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
      }
    });
  });
}

http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () =>
  console.log(`listening on ${http.address().port}`),
);
