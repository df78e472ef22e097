// The shared worker: one for all tabs of a browser, so that they share the server's streams (see hub.js).

import { createHub } from "./hub.js";

const SILENT = 180000; // a tab in the background wakes once a minute
const seen = new Map();
const hub = createHub((port, message) => port.postMessage(message));

function drop(port) {
  hub.leave(port);
  seen.delete(port);
}

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data.ping && !seen.has(port)) port.postMessage({ forgotten: true });
    seen.set(port, Date.now());
    if (data.follow) hub.follow(port, data.follow, data.after);
    else if (data.leave) hub.leave(port, data.leave);
    else if (data.bye) drop(port);
  };
};

setInterval(() => {
  for (const [port, at] of seen) if (Date.now() - at > SILENT) drop(port);
}, 30000);
