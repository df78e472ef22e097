// A form that starts a study: its trainings, time and cost stand before the button.

import { get, send } from "../api.js";
import { el, fill, say } from "../dom.js";
import { duration, number, plural } from "../format.js";
import { configTable } from "./about.js";
import { announce, press, titled } from "./shell.js";

const FIELDS = ["name", "generations", "population", "seed", "data", "set", "tags", "note"];
// What a sentence says where a key of the config is wrong, or a name is taken. A wrong field of the request is named by the server.
const KEYS = {
  config: /TOML/,
  generations: /\.generations\b/,
  population: /\.population\b/,
  seed: /\.seed\b/,
  data: /\bdata\b|\bimages?\b/,
  set: /override|key|table/,
  name: /\bname\b/,
};

export async function newView(main) {
  titled("New study");
  const { presets } = await get("/presets");
  const view = { inputs: {}, wrongs: {}, presets, key: crypto.randomUUID?.() ?? String(Math.random()), asked: 0, timer: 0 };
  view.preset = el(
    "select",
    { id: "preset" },
    presets.map(({ name }) => el("option", { value: name }, name)),
    el("option", { value: "" }, "a config of your own (TOML)"),
  );
  view.about = el("p", { class: "note" });
  view.plan = el("div", { class: "plan", role: "status" });
  view.start = el("button", { type: "submit", class: "strong", disabled: true }, "Start");
  view.wrong = el("p", { class: "wrong", role: "alert" });
  const form = el(
    "form",
    { class: "form", on: { input: () => later(view), submit: (event) => start(event, view) } },
    field(view, "preset", "Preset", view.preset),
    view.about,
    configField(view),
    el(
      "div",
      { class: "columns" },
      field(view, "generations", "Generations", el("input", { type: "number", min: 1, inputmode: "numeric" })),
      field(view, "population", "Population", el("input", { type: "number", min: 2, inputmode: "numeric" })),
      field(view, "seed", "Seed", el("input", { type: "number", min: 0, inputmode: "numeric", placeholder: "0" })),
    ),
    field(
      view,
      "data",
      "Data: a folder, archive or table of images on the server; empty for the preset's own",
      el("input", { type: "text", autocomplete: "off" }),
    ),
    field(view, "set", "Other keys, one a line: table.key=value", el("textarea", { rows: 3, spellcheck: "false", placeholder: "recipe.epochs=5" })),
    el(
      "div",
      { class: "columns" },
      field(view, "name", "Name; empty for the preset's and a number", el("input", { type: "text", autocomplete: "off" })),
      field(view, "tags", "Tags, with commas between", el("input", { type: "text", autocomplete: "off" })),
    ),
    field(view, "note", "Note", el("textarea", { rows: 2 })),
    view.plan,
    view.wrong,
    el("div", null, view.start),
  );
  fill(main, el("header", { class: "head" }, el("h1", null, "New study")), form);
  view.preset.addEventListener("change", () => choose(view));
  const wanted = new URLSearchParams(location.search).get("preset") ?? "quick";
  if (presets.some(({ name }) => name === wanted)) view.preset.value = wanted;
  choose(view);
  ask(view);
}

/** A labelled input with a place for what is wrong with it. */
function field(view, id, text, input) {
  input.id = id;
  view.inputs[id] = input;
  view.wrongs[id] = el("p", { class: "wrong", id: `${id}-wrong`, role: "alert" });
  input.setAttribute("aria-describedby", `${id}-wrong`);
  return el("div", { class: "field" }, el("label", { for: id }, text), input, view.wrongs[id]);
}

function configField(view) {
  const upload = el("input", { type: "file", accept: ".toml,text/plain", "aria-label": "Upload a TOML file" });
  const node = field(view, "config", "Config (TOML)", el("textarea", { rows: 12, spellcheck: "false" }));
  upload.addEventListener("change", async () => {
    if (upload.files.length) view.inputs.config.value = await upload.files[0].text();
    later(view);
  });
  node.append(upload);
  view.config = node;
  return node;
}

function choose(view) {
  const preset = view.presets.find(({ name }) => name === view.preset.value);
  view.config.hidden = Boolean(preset);
  say(view.about, preset ? `${preset.title} Genes: ${Object.keys(preset.space).join(", ")}.` : "Paste or upload a config as for gaopt run.");
  view.inputs.generations.placeholder = preset?.generations ?? "";
  view.inputs.population.placeholder = preset?.population ?? "";
  view.inputs.data.placeholder = preset?.data ?? "";
}

/** What is asked of the server: only what was filled in. */
function request(view) {
  const value = (id) => view.inputs[id].value.trim();
  const body = view.preset.value ? { preset: view.preset.value } : { config: view.inputs.config.value };
  const list = (text, by) =>
    text
      .split(by)
      .map((each) => each.trim())
      .filter(Boolean);
  for (const id of FIELDS) {
    if (!value(id)) continue;
    if (["generations", "population", "seed"].includes(id)) body[id] = Number(value(id));
    else body[id] = id === "set" ? list(value(id), "\n") : id === "tags" ? list(value(id), ",") : value(id);
  }
  return body;
}

function later(view) {
  clearTimeout(view.timer);
  view.timer = setTimeout(() => ask(view), 300);
}

async function ask(view) {
  const turn = ++view.asked;
  const body = request(view);
  clear(view);
  if (body.config === "")
    return void (fill(view.plan, el("p", { class: "note" }, "The plan appears here once there is a config.")), (view.start.disabled = true));
  try {
    fill(view.plan, el("p", { class: "note" }, "Planning …"));
    const plan = await send("POST", "/plan", body);
    if (turn !== view.asked) return;
    showPlan(view, plan);
    view.start.disabled = false;
  } catch (error) {
    if (turn === view.asked) complain(view, error);
  }
}

function showPlan(view, { trainings, generations, population, at_once, seconds, epochs, cost, doubts, config }) {
  const wrong = el("p", { class: "wrong", role: "alert" });
  const timed = el("button", { type: "button", on: { click: ({ target }) => measure(view, target, wrong) } }, "Measure time and cost");
  const fact = (name, text) => el("div", null, el("dt", null, name), el("dd", null, text));
  fill(
    view.plan,
    el(
      "dl",
      { class: "facts" },
      fact("trainings", `${trainings} in ${plural(generations, "generation")} of ${population}`),
      at_once ? fact("at once", String(at_once)) : null,
      epochs ? fact("epochs, all trainings", epochs.toLocaleString("en")) : null,
      seconds === null ? null : fact("time", `about ${duration(seconds)}`),
      cost === null ? null : fact("cost", number(cost, 3)),
    ),
    seconds === null
      ? el("div", { class: "acts" }, timed, el("span", { class: "note" }, "trains three steps on the server, about half a minute"))
      : null,
    wrong,
    (doubts ?? []).map((doubt) => el("p", { class: "note" }, doubt)),
    el("details", null, el("summary", null, "The whole config"), configTable(config)),
  );
  say(view.start, `Start ${plural(trainings, "training")}`);
}

/** Three steps of the study, timed on the server: half a minute, so only when asked. */
async function measure(view, button, wrong) {
  const turn = view.asked;
  await press(button, wrong, async () => {
    const plan = await send("POST", "/plan?measure=true", request(view));
    if (turn === view.asked) showPlan(view, plan);
  });
}

function clear(view) {
  for (const [id, node] of Object.entries(view.wrongs)) {
    node.textContent = "";
    view.inputs[id].removeAttribute("aria-invalid");
  }
  view.wrong.textContent = "";
}

/** Put each error beside the field that it names, else above the button. */
function complain(view, error) {
  view.start.disabled = true;
  fill(view.plan);
  const named = error.errors.map(({ where, message }) => [where.find((part) => part in view.wrongs), message]).filter(([id]) => id);
  const guess = Object.keys(KEYS).find((id) => (id !== "config" || !view.preset.value) && KEYS[id].test(error.message));
  const place = guess ?? (view.preset.value || error.status === 0 ? null : "config");
  const places = named.length ? named : place ? [[place, error.message]] : [];
  for (const [id, text] of places) {
    view.wrongs[id].textContent = text;
    view.inputs[id].setAttribute("aria-invalid", "true");
  }
  if (!places.length) view.wrong.textContent = error.message;
}

async function start(event, view) {
  event.preventDefault();
  clear(view);
  view.start.disabled = true;
  try {
    const { name } = await send("POST", "/studies", request(view), { "Idempotency-Key": view.key });
    announce(`${name} is queued.`);
    location.assign(`/studies/${encodeURIComponent(name)}`);
  } catch (error) {
    complain(view, error);
    view.start.disabled = error.status !== 0 && error.status < 500;
  }
}
