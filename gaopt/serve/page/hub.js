// Streams of the server, each opened once for all who follow it. Runs in the shared worker, or in the page where there is none.
//
// A browser opens six connections to a host at most. So no more than STREAMS are open at once; where more are followed
// they take turns, and each goes on from the last number that it had.

const STREAMS = 4;
const TURN = 2000;
const KINDS = ["Opened", "Recalled", "Bred", "Granted", "Started", "Reported", "Noted", "Retried", "Scored", "Failed", "Judged", "Closed"];

/** `deliver(port, message)` hands a follower {path, events, told, state}: new events, other messages, "live" or "broken". */
export function createHub(deliver) {
  const topics = new Map();

  function tell(topic, message) {
    for (const port of topic.ports) deliver(port, { path: topic.path, ...message });
  }

  function flush(topic) {
    topic.timer = 0;
    const { events, told } = topic;
    topic.events = [];
    topic.told = [];
    tell(topic, { events, told });
  }

  function soon(topic) {
    topic.timer ||= setTimeout(() => flush(topic), 60);
  }

  function take(topic, message) {
    const number = Number(message.lastEventId);
    if (number > topic.after) topic.after = number;
    topic.events.push({ number, kind: message.type, data: message.data });
    soon(topic);
  }

  function open(topic) {
    const source = new EventSource(topic.numbered ? `${topic.path}?after=${topic.after}` : topic.path);
    topic.source = source;
    topic.opened = Date.now();
    source.onopen = () => {
      topic.wait = 1000;
      tell(topic, { state: "live", again: topic.broken });
      topic.broken = false;
    };
    source.onerror = () => {
      tell(topic, { state: "broken" });
      topic.broken = true;
      close(topic); // the browser would go on from its own last number; ours is the one that was delivered
      topic.retry = setTimeout(() => {
        topic.retry = 0; // from now on it waits for its turn, as others do
        if (topic.ports.size) schedule(topic);
      }, topic.wait);
      topic.wait = Math.min(2 * topic.wait, 15000);
    };
    for (const kind of KINDS) source.addEventListener(kind, (message) => take(topic, message));
    for (const kind of ["progress", "studies"]) {
      source.addEventListener(kind, (message) => {
        topic.told.push(message.data);
        soon(topic);
      });
    }
  }

  function close(topic) {
    clearTimeout(topic.retry);
    topic.retry = 0;
    topic.source?.close();
    topic.source = null;
  }

  const opened = () => [...topics.values()].filter((topic) => topic.source);

  function schedule(topic) {
    if (!topic.source && opened().length < STREAMS) open(topic);
  }

  /** Where more are followed than may be open, the one that was open longest gives its place to one that waits. */
  function turn() {
    const waiting = [...topics.values()].filter((topic) => !topic.source && !topic.retry);
    const [next] = waiting.sort((one, other) => (one.opened ?? 0) - (other.opened ?? 0));
    if (!next) return;
    const [oldest] = opened().sort((one, other) => one.opened - other.opened);
    if (oldest && opened().length >= STREAMS) close(oldest);
    schedule(next);
  }
  setInterval(turn, TURN);

  return {
    follow(port, path, after) {
      let topic = topics.get(path);
      if (!topic) {
        topic = { path, after: after ?? 0, numbered: after !== null, ports: new Set(), events: [], told: [], wait: 1000 };
        topics.set(path, topic);
      }
      topic.ports.add(port);
      if (topic.numbered && after < topic.after) {
        // behind the others: all hear it again, and drop what they have
        topic.after = after;
        close(topic);
      }
      if (topic.source?.readyState === 1) deliver(port, { path, state: "live" });
      schedule(topic);
    },
    leave(port, path) {
      for (const topic of topics.values()) {
        if (path && topic.path !== path) continue;
        topic.ports.delete(port);
        if (!topic.ports.size) {
          close(topic);
          clearTimeout(topic.timer);
          topics.delete(topic.path);
        }
      }
    },
  };
}
