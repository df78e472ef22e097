// What surrounds every view: the bar at the top, the sentence that says what went wrong, and words of a study's state.

import { get, interactive } from "../api.js";
import { el, fill, say } from "../dom.js";

const PAGES = [
  ["/", "Studies"],
  ["/new", "New study"],
  ["/queue", "Queue"],
];
const spoken = el("p", { class: "hidden", role: "status", "aria-live": "polite" });
const link = el("span", { class: "link" });

/** The bar, the place of a view, and the voice for who does not see. Returns the place. */
export function shell() {
  const main = el("main", { id: "main", tabindex: -1 });
  const items = PAGES.map(([path, name]) => el("a", { href: path, "aria-current": location.pathname === path ? "page" : null }, name));
  const bar = el(
    "nav",
    { class: "bar", "aria-label": "Pages" },
    el("strong", null, "gaopt"),
    interactive ? null : items,
    el("span", { class: "gap" }),
    link,
  );
  document.body.append(el("a", { href: "#main", class: "skip" }, "Skip to the content"), bar, main, spoken);
  if (!interactive) linkRay();
  return main;
}

async function linkRay() {
  const ready = await get("/ready").catch(() => null);
  if (ready?.ray) link.before(el("a", { href: ready.ray, rel: "noreferrer" }, "Ray"));
}

/** Whether what is shown keeps up with the server. */
export function showLink(state) {
  const words = { live: "live", broken: "reconnecting …", connecting: "connecting …", interactive: "" };
  link.dataset.state = state;
  say(link, words[state] ?? "");
}

/** Say it to a screen reader. */
export function announce(sentence) {
  say(spoken, sentence);
}

export function titled(name) {
  document.title = `${name} · gaopt`;
}

/** A sentence in the place of a view or a part of it that failed. */
export function refused(node, error) {
  const again = error.status === 401 ? el("p", null, el("a", { href: "/" }, "Enter the token")) : null;
  fill(node, el("div", { class: "refused", role: "alert" }, el("p", null, error.message), again));
}

/** The state of a study, in its words. */
export function badge(state) {
  return el("span", { class: "state", "data-state": state.replace(" ", "-") }, state);
}

/** How far it is: a bar, and its words. */
export function progressBar({ done, trainings, name }) {
  const bar = el("progress", { max: Math.max(trainings, 1), "aria-label": `Trainings of ${name}` });
  bar.value = done;
  return bar;
}

/** Run what a button does: it rests meanwhile, and `where` says what went wrong. */
export async function press(button, where, act) {
  button.disabled = true;
  where.textContent = "";
  try {
    await act();
  } catch (error) {
    where.textContent = error.message;
  } finally {
    button.disabled = false;
  }
}
