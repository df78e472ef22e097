// The server, or what an interactive file holds of it. A refusal becomes a Problem with the sentence that the command prints.

const held = document.getElementById("interactive");

/** Of a page that was written as one file: {path, answers by address}. null where a server answers. */
export const interactive = held ? JSON.parse(held.textContent) : null;

class Problem extends Error {
  constructor(status, body) {
    super(status === 401 ? "The token is no longer known: enter it again." : body?.detail || body?.title || `the server answered ${status}`);
    this.status = status;
    this.errors = body?.errors ?? [];
  }
}

export function url(path) {
  return `/api/v1${path}`;
}

export function studyPath(name, rest = "") {
  return `/studies/${encodeURIComponent(name)}${rest}`;
}

async function answer(path, options) {
  let response;
  try {
    response = await fetch(url(path), { credentials: "same-origin", ...options });
  } catch {
    throw new Problem(0, { detail: "The server does not answer. Is gaopt serve still running?" });
  }
  const json = (response.headers.get("Content-Type") ?? "").includes("json");
  const body = json ? await response.json() : await response.text();
  if (!response.ok) throw new Problem(response.status, json ? body : null);
  return body;
}

/** Read: JSON as data, anything else as text. */
export async function get(path) {
  if (!interactive) return answer(path);
  if (path in interactive.answers) return interactive.answers[path];
  throw new Problem(404, { detail: "This is not part of the file." });
}

/** Write: a body becomes JSON, a FormData goes as it is. */
export async function send(method, path, body, headers = {}) {
  if (body instanceof FormData) return answer(path, { method, body });
  const typed = body === undefined ? headers : { "Content-Type": "application/json", ...headers };
  return answer(path, { method, headers: typed, body: body === undefined ? undefined : JSON.stringify(body) });
}
