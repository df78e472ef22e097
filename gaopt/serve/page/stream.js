// Follow a stream of the server, shared with the other tabs.

import { createHub } from "./hub.js";

const followers = new Map();
let link = null;

function hear({ path, events = [], told = [], state, again }) {
  const follower = followers.get(path);
  if (!follower) return;
  if (state) follower.onState?.(state, Boolean(again));
  if (told.length) follower.onTold?.(told.map((each) => JSON.parse(each)));
  if (events.length) follower.onEvents?.(events.map((event) => ({ ...event, data: JSON.parse(event.data) })));
}

function connect() {
  if (typeof SharedWorker === "undefined") {
    const hub = createHub((_, message) => hear(message));
    return (data) => {
      if (data.follow) hub.follow("page", data.follow, data.after);
      else if (data.leave || data.bye) hub.leave("page", data.leave);
    };
  }
  const worker = new SharedWorker(new URL("./stream-worker.js", import.meta.url), { type: "module", name: "gaopt" });
  worker.port.onmessage = ({ data }) => (data.forgotten ? followAgain() : hear(data));
  setInterval(() => worker.port.postMessage({ ping: true }), 30000);
  return (data) => worker.port.postMessage(data);
}

/** The worker dropped this page, which slept or was in the browser's cache: go on, and fetch what no number tells. */
function followAgain() {
  for (const [path, { position, onState }] of followers) {
    link({ follow: path, after: position?.() ?? null });
    onState?.("connecting", true);
  }
}

/**
 * Follow a path from after a number on; null where its messages have none. `position()` is asked for the number when
 * the page comes back from sleep or from the browser's cache.
 */
export function follow(path, after, follower) {
  if (!link) {
    link = connect();
    addEventListener("pagehide", () => link({ bye: true }));
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted) followAgain();
    });
  }
  followers.set(path, follower);
  link({ follow: path, after });
}

/** Hear again what comes after a number: some of it was missed. */
export function rewind(path, after) {
  link?.({ follow: path, after });
}
