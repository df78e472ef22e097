// The queue: who runs, who waits in which order, and the buttons that change it.

import { get, send, url } from "../api.js";
import { el, fill, reconcile, say } from "../dom.js";
import { moment, plural } from "../format.js";
import { follow } from "../stream.js";
import { announce, badge, press, showLink, titled } from "./shell.js";

const WAITS = ["queued"];

export async function queueView(main) {
  titled("Queue");
  const view = {
    entries: [],
    body: el("tbody"),
    said: el("p", { class: "note", role: "status" }),
    wrong: el("p", { class: "wrong", role: "alert" }),
  };
  const head = ["place", "study", "state", "owner", "asked for", ""].map((name) =>
    name ? el("th", { scope: "col", class: "text" }, name) : el("td"),
  );
  const table = el("table", { class: "studies queue" }, el("thead", null, el("tr", null, head)), view.body);
  fill(main, el("header", { class: "head" }, el("h1", null, "Queue"), view.said), view.wrong, table);
  show(view, await get("/queue"));
  const again = async () => show(view, await get("/queue"));
  follow(url("/events"), null, {
    onTold: () => again().catch(() => {}),
    onState: (state, anew) => {
      showLink(state);
      if (anew) again().catch(() => {});
    },
  });
}

function show(view, { slots, entries }) {
  view.entries = entries;
  const waiting = view.entries.filter(({ state }) => WAITS.includes(state));
  say(view.said, `${plural(slots, "study", "studies")} at once; ${waiting.length ? `${waiting.length} waiting` : "nothing waits"}.`);
  reconcile(
    view.body,
    view.entries,
    ({ id }) => id,
    (entry) => rowNode(view, entry),
    (node, entry) => fillRow(view, node, entry, waiting),
  );
}

function rowNode(view, { id, name }) {
  const cell = (label, ...children) => el("td", { class: "text", "data-label": label }, children);
  const entryOf = () => view.entries.find((entry) => entry.id === id);
  const move = (step) => async () => {
    show(view, await send("POST", `/queue/${id}/move`, { position: entryOf().position + step }));
    announce(`${name} has place ${entryOf().position + 1}.`);
  };
  const cancel = async () => {
    await send("DELETE", `/queue/${id}`);
    announce(`${name} is cancelled.`);
    show(view, await get("/queue"));
  };
  const button = (text, label, act) =>
    el(
      "button",
      { type: "button", class: "quiet", "aria-label": `${label} ${name}`, on: { click: ({ target }) => press(target, view.wrong, act) } },
      text,
    );
  const acts = el(
    "td",
    null,
    el("div", { class: "acts" }, button("Up", "Move up", move(-1)), button("Down", "Move down", move(1)), button("Cancel", "Cancel", cancel)),
  );
  return el(
    "tr",
    { class: "queued" },
    cell("place"),
    cell("study", el("a", { href: `/studies/${encodeURIComponent(name)}` }, name)),
    cell("state"),
    cell("owner"),
    cell("asked for"),
    acts,
  );
}

function fillRow(view, node, { id, position, state, owner, created, error }, waiting) {
  const [place, , stated, owned, asked, acts] = node.children;
  say(place, position === null ? "–" : String(position + 1));
  fill(stated, badge(state), error ? el("div", { class: "note" }, error) : null);
  say(owned, owner ?? "–");
  say(asked, moment(created));
  const turn = waiting.findIndex((entry) => entry.id === id);
  const [up, down, cancel] = acts.firstChild.children;
  [up, down, cancel].forEach((button) => {
    button.hidden = turn < 0;
  });
  up.disabled = turn === 0;
  down.disabled = turn === waiting.length - 1;
}
