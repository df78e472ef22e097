"""What the service refuses, with which status and words; and that nothing is written then."""

import json
from collections.abc import Iterator

import pytest

from gaopt.serve.access import CHANGES, FAILED, LARGEST
from gaopt.serve.main import Options, _address, _hosts
from gaopt.serve.tokens import cookie_of
from tests.serving import Inside, inside, listing, toml

NAMES = {"name": "there", "id": "1", "file": "config.toml", "path": "style.css"}


@pytest.fixture
def served() -> Iterator[Inside]:
    with inside() as found:
        yield found


def refused(answer, status, *words):
    """A problem as RFC 9457 has it, with what no browser would take for a page."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["status"] == status
    for word in words:
        assert word in answer.json()["detail"]


def routes(served):
    """(Method, path) of every route, also of those that are not described."""
    app = served.client.app
    described = [(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods]
    pages = [(method, route.path) for route in app.routes if hasattr(route, "path") for method in route.methods]
    return [(method, path.replace("{path:path}", "{path}").format(**NAMES)) for method, path in described + pages]


def test_no_route_but_health_and_login_answers_without_a_token(served):
    found = routes(served)
    assert len(found) > 30
    for method, path in found:
        if path.startswith(("/static/", "/login")) or path == "/api/v1/health":
            continue
        for headers in (
            {},
            {"Authorization": "Bearer nobody's"},
            {"Authorization": "Basic eA=="},
            {"Cookie": "gaopt-80=owner:x"},
        ):
            answer = served.client.request(method, path, headers=headers, json={})
            assert answer.status_code in (401, 429), (method, path)
            assert "there" not in answer.text


def test_a_token_to_read_changes_nothing(served):
    served.submit("there")
    reader = {"Authorization": f"Bearer {served.service.tokens.add('reader', 'read')}"}
    before = listing(served.service.folder.path.parent)
    for method, path in routes(served):
        if method in ("POST", "PUT", "DELETE") and path != "/login":
            refused(served.client.request(method, path, headers=reader, json={}), 403, "'reader' may read only")
    assert served.client.get("/api/v1/studies/there", headers=reader).is_success
    assert listing(served.service.folder.path.parent) == before


def test_a_cookie_changes_something_from_the_own_page_alone(served):
    cookie = cookie_of("owner", served.token)
    own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    for headers, status in (
        (own, 201),
        ({"Origin": "http://testserver"}, 201),  # a browser that sends no Sec-Fetch-Site
        ({}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        (own | {"Sec-Fetch-Site": "cross-site"}, 403),
        (own | {"Origin": "http://evil.example"}, 403),
        (own | {"Origin": "http://testserver.evil.example"}, 403),
        (own | {"Origin": "null"}, 403),
    ):
        headers = headers | {"Cookie": f"gaopt-80={cookie}"}
        answer = served.client.post("/api/v1/studies", headers=headers, json={"config": toml()})
        assert answer.status_code == status, headers
    assert served.client.get("/api/v1/studies", headers={"Cookie": f"gaopt-80={cookie}"}).is_success
    served.service.tokens.remove("owner")
    refused(served.client.get("/api/v1/studies", headers={"Cookie": f"gaopt-80={cookie}"}), 401)


def test_a_browser_names_its_page_where_the_login_form_is_sent(served):
    # With "no-referrer" it would call the form's origin null, which is refused as another page's.
    assert served.client.get("/login").headers["referrer-policy"] == "same-origin"


def test_only_its_own_hosts_are_answered(served):
    for host in ("evil.example", "testserver.evil.example", "testserver:81", "127.0.0.1", ""):
        for path in ("/api/v1/health", "/login", "/static/style.css", "/api/v1/studies"):
            refused(served.client.get(path, headers={**served.bearer, "Host": host}), 400, "is not this service's")


@pytest.mark.parametrize(
    ("options", "address", "host"),
    [
        ({}, "http://127.0.0.1:8400", "localhost:8400"),
        ({"names": ("gaopt.example.com",)}, "https://gaopt.example.com", "gaopt.example.com"),
        ({"host": "10.0.0.5"}, "http://10.0.0.5:8400", "10.0.0.5:8400"),
        ({"host": "0.0.0.0", "names": ("box",)}, "http://box:8400", "box:8400"),
        ({"host": "::1"}, "http://[::1]:8400", "[::1]:8400"),
    ],
)
def test_it_is_found_where_it_listens_or_by_the_name_of_a_proxy(options, address, host):
    given = Options(**options)
    assert _address(given, 8400) == address
    assert host in _hosts(given, 8400)
    assert "localhost" not in _hosts(given, 8400)


def test_who_tries_tokens_has_to_wait(served):
    unknown = {"Authorization": "Bearer guess"}
    for _ in range(FAILED):
        refused(served.client.get("/api/v1/studies", headers=unknown), 401, "the token is unknown")
    answer = served.client.get("/api/v1/studies", headers=unknown)
    refused(answer, 429)
    assert answer.headers["retry-after"] == "60"
    refused(served.client.post("/login", data={"token": "guess"}), 429)  # counted together
    assert served.client.get("/api/v1/studies", headers=served.bearer).is_success


def test_changes_are_counted(served):
    for _ in range(CHANGES):
        assert served.ask("POST", "/plan", json={}).status_code == 400
    refused(served.ask("POST", "/plan", json={}), 429, f"more than {CHANGES} changes")


def test_large_bodies(served):
    before = listing(served.service.folder.path.parent)
    piece = b" " * (1 << 20)
    for path, kind in (("/studies", "application/json"), ("/studies/there/predict", "multipart/form-data; boundary=x")):
        for body in (piece * 50, (piece for _ in range(50))):  # with Content-Length, and in chunks
            refused(served.ask("POST", path, content=body, headers={"Content-Type": kind}), 413, f"at most {LARGEST}")
    for length in ("-1", "x", "1" * 30):
        answer = served.ask("POST", "/studies", content=b"{}", headers={"Content-Length": length})
        assert answer.status_code == 413
    assert listing(served.service.folder.path.parent) == before


CONFIGS = {  # what is sent, status, a part of the sentence
    "code": ({"config": toml(objective="os:system")}, 403, "the objective 'os:system' is not allowed here: it is code"),
    "code by a change": ({"preset": "quick", "set": ["study.objective=os:system"]}, 403, "is not allowed here"),
    "another Ray": ({"config": toml('address = "ray://evil:1"\n')}, 403, "the service has a Ray of its own"),
    "another Ray by a change": ({"config": toml(), "set": ["pool.address=auto"]}, 403, "a Ray of its own"),
    "a study by its path": ({"config": toml('[warm]\nstudies = ["/etc/passwd"]\n')}, 403, "not a path"),
    "one above": ({"config": toml('[warm]\nstudies = [".."]\n')}, 403, "not a path"),
    "images anywhere": ({"preset": "quick", "data": "/etc"}, 403, "data.path is '/etc': not below a folder"),
    "by a change": ({"preset": "quick", "set": ["data.path=/etc"]}, 403, "not below a folder"),
    "from elsewhere": ({"preset": "images", "data": "https://evil.example/x.zip"}, 403, "not below a folder"),
    "in a home": ({"preset": "images", "set": ["data.path=~/x"]}, 403, "not below a folder"),
    "weights anywhere": ({"preset": "quick", "set": ["net.pretrained=/etc/passwd"]}, 403, "not below a folder"),
    "no TOML": ({"config": "[study"}, 400, "the config"),
    "no config": ({"config": ""}, 400, ""),
    "unknown keys": ({"config": toml("[nonsense]\na = 1\n")}, 400, "nonsense"),
    "unknown preset": ({"preset": "quik"}, 400, "did you mean 'quick'?"),
    "a path for a preset": ({"preset": "../../etc/passwd"}, 400, "there is no preset"),
    "neither": ({}, 400, "either a preset or a config"),
    "both": ({"preset": "quick", "config": toml()}, 400, "either a preset or a config"),
    "a path for a name": ({"config": toml(), "name": "../x"}, 400, "cannot be used"),
    "the service's own folder": ({"config": toml(), "name": ".serve"}, 400, "cannot be used"),
    "HTML for a name": ({"config": toml(), "name": "<img src=x>"}, 400, "cannot be used"),
    "a terminal's codes for a name": ({"config": toml(), "name": "\x1b[2Jx"}, 400, "cannot be used"),
    "a surrogate": ({"config": toml(), "name": "\ud800"}, 422, "name"),
    "an empty name": ({"config": toml(), "name": ""}, 400, "cannot be used"),
    "a bad change": ({"config": toml(), "set": ["nonsense"]}, 400, "nonsense"),
    "too many": ({"config": toml(), "population": 10**9}, 422, "population"),
    "a key that is none": ({"config": toml(), "nonsense": 1}, 422, "nonsense"),
    "no object": ([], 422, "the body"),
    "deep": ({"config": "a = " + "[" * 10**5}, 400, "the config"),
    "long": ({"config": toml(generations=10**9)}, 400, "generations"),
    "tags that are none": ({"config": toml(), "tags": [""]}, 422, "tags"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_request_that_is_refused_leaves_nothing(served, case):
    body, status, words = CONFIGS[case]
    before = listing(served.service.folder.path.parent)
    text = json.dumps(body)
    for path in ("/studies", "/plan"):
        if path == "/studies" or "name" not in body:
            headers = {"Content-Type": "application/json"}
            refused(served.ask("POST", path, content=text, headers=headers), status, words)
    assert listing(served.service.folder.path.parent) == before
    assert not served.service.queue.waiting()


def test_other_refusals(served):
    served.submit("there")
    before = listing(served.service.folder.path.parent)
    for method, path, given, status in (
        ("GET", "/studies/missing", {}, 404),
        ("GET", "/studies/missing/events", {}, 404),
        ("GET", "/studies/missing/snapshot", {}, 404),
        ("PUT", "/studies/missing/notes", {"json": {}}, 404),
        ("POST", "/studies/missing/stop", {}, 404),
        ("GET", "/studies/there/individuals/0", {}, 404),
        ("GET", "/studies/there/files/best.json", {}, 404),
        ("GET", "/studies/there/files/study.db", {}, 422),
        ("GET", "/studies/there/report", {}, 404),
        ("GET", "/nonsense", {}, 404),
        ("GET", "/compare?study=there", {}, 422),
        ("GET", "/compare?study=there&study=there", {}, 400),
        ("GET", "/compare?study=there&study=missing", {}, 404),
        ("GET", "/studies?cursor=x", {}, 400),
        ("GET", "/studies?limit=0", {}, 422),
        ("GET", "/studies/there/epochs?individuals=0;1", {}, 422),
        ("GET", f"/studies/there/epochs?individuals={','.join(map(str, range(101)))}", {}, 400),
        ("POST", "/studies", {"json": {"config": toml(), "name": "there"}}, 409),
        ("POST", "/studies/there/resume", {}, 409),
        ("POST", "/studies/there/extend", {"json": {"generations": 9}}, 409),
        ("POST", "/studies/there/extend", {"json": {"generations": 0}}, 422),
        ("DELETE", "/queue/99", {}, 404),
        ("POST", "/queue/99/move", {"json": {"position": 0}}, 404),
        ("POST", "/queue/1/move", {"json": {"position": -1}}, 422),
        ("PATCH", "/studies/there", {}, 405),
        ("POST", "/studies", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", "/studies", {"content": b"{}", "headers": {"Content-Type": ""}}, 415),
        ("POST", "/studies/there/extend", {"content": b"<a/>", "headers": {"Content-Type": "text/xml"}}, 415),
        ("POST", "/studies", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 422),
        ("POST", "/studies", {"content": b"\xff", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/studies", {"content": b"[" * 10**6, "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/studies/there/predict", {"data": {"image": "x"}}, 422),
    ):  # fmt: skip
        answer = served.ask(method, path, **given)
        assert answer.status_code == status, (method, path, answer.text)
        refused(answer, status)
    assert listing(served.service.folder.path.parent) == before


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e", "..%2f..%2fetc", "%2fetc%2fpasswd", "a%00b", "%0d%0aX:1", ".serve", "a" * 300]
)
def test_a_name_is_never_a_path(served, name):
    (served.service.folder.path.parent.parent / "study.db").touch()
    for path in ("", "/snapshot", "/report", "/files/config.toml", "/log"):
        answer = served.ask("GET", f"/studies/{name}{path}")
        assert answer.status_code in (404, 422), answer.text
    assert served.ask("PUT", f"/studies/{name}/notes", json={"note": "x"}).status_code in (404, 405, 422)


@pytest.mark.parametrize(
    "path", ["%2e%2e%2fapp.py", "..%2fapp.py", "%2fetc%2fpasswd", "a%00b", "index.html", "", "vendor"]
)
def test_static_files_are_those_of_the_page(served, path):
    assert served.client.get(f"/static/{path}").status_code == 404


def test_html_stays_text(served):
    script = "<script>alert(1)</script>"
    served.submit("there", note=script, tags=[script])
    answer = served.ask("GET", "/studies/there")
    assert answer.json()["note"] == script
    assert answer.headers["content-type"] == "application/json"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    for answer in (
        served.ask("GET", f"/studies/{script}"),
        served.client.post("/login", data={"token": script}),
        served.client.get(f"/static/{script}"),
    ):
        assert answer.status_code in (401, 404, 422)
        assert "text/html" not in answer.headers["content-type"] or script not in answer.text


def test_a_token_becomes_a_cookie(served):
    answer = served.client.post("/login", data={"token": served.token}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert served.token not in cookie
    assert served.client.get("/api/v1/studies").is_success  # the client keeps it
    asked = served.client.get(
        "/", headers={"Accept": "text/html", "Cookie": cookie.partition(";")[0]}, follow_redirects=False
    )
    assert asked.status_code == 200
