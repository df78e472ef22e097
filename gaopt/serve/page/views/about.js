// About a study, besides its search: note and tags, files to take away, config and images, log, and a try of the best.

import { get, interactive, send, studyPath, url } from "../api.js";
import { el, fill } from "../dom.js";
import { percent } from "../format.js";
import { announce, press } from "./shell.js";

const FILES = ["individuals.csv", "generations.csv", "epochs.csv", "best.json", "config.toml"];

export function notesPanel(store) {
  const { study } = store.snapshot;
  const note = el("textarea", { id: "note", rows: 3, maxlength: 10000 });
  const tags = el("input", { id: "tags", type: "text", autocomplete: "off", placeholder: "roses, first try" });
  note.value = study.note ?? "";
  tags.value = (study.tags ?? []).join(", ");
  const wrong = el("p", { class: "wrong", role: "alert" });
  const keep = el("button", { type: "submit" }, "Save");
  const submit = (event) => {
    event.preventDefault();
    const list = tags.value
      .split(",")
      .map((tag) => tag.trim())
      .filter(Boolean);
    press(keep, wrong, async () => {
      store.take(await send("PUT", studyPath(store.name, "/notes"), { note: note.value, tags: list }));
      announce("Saved.");
    });
  };
  return el(
    "section",
    { id: "notes", "aria-labelledby": "notes-title" },
    el("header", null, el("h2", { id: "notes-title" }, "Note and tags")),
    el(
      "form",
      { class: "stacked", on: { submit } },
      el("label", { for: "note" }, "Note"),
      note,
      el("label", { for: "tags" }, "Tags, with commas between"),
      tags,
      el("div", null, keep),
      wrong,
    ),
  );
}

export function filesPanel(store) {
  const body = el("div");
  const node = el(
    "section",
    { id: "files", "aria-labelledby": "files-title" },
    el("header", null, el("h2", { id: "files-title" }, "Take away")),
    body,
  );
  const update = () => {
    const links = store.study?.links ?? {};
    const file = (name) => el("li", null, el("a", { href: url(studyPath(store.name, `/files/${name}`)), download: `${store.name}-${name}` }, name));
    const weights = links.weights ? file("best.safetensors") : null;
    fill(
      body,
      el(
        "ul",
        { class: "links" },
        el("li", null, el("a", { href: url(studyPath(store.name, "/report")) }, "Report")),
        el("li", null, el("a", { href: url(studyPath(store.name, "/report.interactive")), download: `${store.name}.html` }, "This page as one file")),
        FILES.map(file),
        weights,
        links.job ? el("li", null, el("a", { href: links.job, rel: "noreferrer" }, "Its job in Ray")) : null,
      ),
      links.weights ? tryBest(store) : null,
    );
  };
  return { node, update };
}

/** What the best says of an image. */
function tryBest(store) {
  const wrong = el("p", { class: "wrong", role: "alert" });
  const found = el("ol", { class: "classes", "aria-live": "polite" });
  const image = el("input", { type: "file", accept: "image/*", id: "image" });
  const change = () => {
    if (!image.files.length) return;
    const form = new FormData();
    form.append("image", image.files[0]);
    fill(found);
    press(image, wrong, async () => {
      const { classes } = await send("POST", studyPath(store.name, "/predict"), form);
      fill(
        found,
        classes.map(([name, share]) => el("li", null, `${name} ${percent(share, 1)}`)),
      );
    });
  };
  image.addEventListener("change", change);
  return el("div", { class: "stacked" }, el("label", { for: "image" }, "What the best says of an image"), image, found, wrong);
}

/** Config, images, log: folded away, read when opened. */
export function settingPanel(store) {
  const body = el("div");
  const node = el(
    "section",
    { id: "setting", "aria-labelledby": "setting-title" },
    el("header", null, el("h2", { id: "setting-title" }, "Setting")),
    body,
  );
  let shown = "";
  const update = () => {
    const now = JSON.stringify([store.study?.config, store.study?.data]);
    if (!store.study || now === shown) return;
    shown = now;
    fill(body, imagesOf(store.study.data), folded("Config", configTable(store.study.config)), interactive ? null : logOf(store));
  };
  return { node, update };
}

function folded(name, ...children) {
  return el("details", null, el("summary", null, name), ...children);
}

function imagesOf(data) {
  if (!data) return null;
  const sum = (counts) => counts.reduce((all, each) => all + each, 0);
  const counts = Object.entries(data.counts).map(
    ([split, each]) => `${sum(each).toLocaleString("en")} to ${{ train: "train on", valid: "choose by", test: "test on, once" }[split] ?? split}`,
  );
  return [
    el("p", null, `${data.name}: ${data.classes.length} classes; images: ${counts.join(", ")}.`),
    (data.warnings ?? []).map((each) => el("p", { class: "note" }, each)),
  ];
}

export function configTable(config) {
  const rows = Object.entries(config).flatMap(([table, keys]) => Object.entries(keys ?? {}).map(([key, value]) => [`${table}.${key}`, value]));
  const text = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  return el(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": "Config" },
    el(
      "table",
      { class: "config" },
      el(
        "tbody",
        null,
        rows.map(([key, value]) => el("tr", null, el("th", { scope: "row" }, key), el("td", { class: "text" }, text(value)))),
      ),
    ),
  );
}

function logOf(store) {
  const text = el("pre", { tabindex: 0 }, "…");
  const node = folded("Log", text);
  node.addEventListener("toggle", async () => {
    if (node.open) text.textContent = (await get(studyPath(store.name, "/log?tail=65536")).catch((error) => error.message)) || "Nothing was logged.";
  });
  return node;
}
