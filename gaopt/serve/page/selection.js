// The one selection of individuals, shared by all charts and the table and kept in the address (?select=3,7).

import { interactive } from "./api.js";

const KEPT = 200; // ids in the address; a longer selection lives in the page only
const listeners = new Set();
let chosen = read();

function read() {
  const text = new URLSearchParams(location.search).get("select") ?? "";
  return new Set(
    text
      .split(",")
      .filter((each) => /^\d+$/.test(each))
      .map(Number),
  );
}

function write() {
  const address = new URL(location.href);
  if (chosen.size && chosen.size <= KEPT) address.searchParams.set("select", [...chosen].join(","));
  else address.searchParams.delete("select");
  const text = address.href.replaceAll("%2C", ",");
  if (text !== location.href && !interactive) history.replaceState(null, "", text);
}

/** The ids chosen, oldest choice first. Not to be changed. */
export function selected() {
  return chosen;
}

export function select(ids) {
  chosen = new Set(ids);
  write();
  for (const listener of listeners) listener(chosen);
}

export function toggle(id) {
  const next = new Set(chosen);
  if (!next.delete(id)) next.add(id);
  select(next);
}

export function onSelect(listener) {
  listeners.add(listener);
}
