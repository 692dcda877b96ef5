"""openapi.json against real answers: every address, every status that it names, every field."""
import crypt
import datetime as dt
import glob
import http.client
import json
import os
import re
import unittest

import jsonschema

from pipeline import ROOT, Pipeline, eventually

with open(os.path.join(ROOT, "Sources/Dashboard/openapi.json"), encoding="utf-8") as file:
    DESCRIPTION = json.load(file)
SCHEMAS = DESCRIPTION["components"]["schemas"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z")
FORMATS = jsonschema.FormatChecker(())
FORMATS.checks("date-time")(lambda value: not isinstance(value, str) or TIME.fullmatch(value) is not None)
RANGE = "customer_id=cust_0001"
QUERIES = {"/api/v1/customer": RANGE, "/api/v1/care": RANGE, "/api/v1/changes": RANGE, "/api/v1/readings": RANGE, "/api/v1/readings.csv": RANGE,
           "/api/v1/readings.json": RANGE, "/fhir/Observation": "patient=cust_0001&date=ge2020", "/fhir/Observation/$lastn": "patient=cust_0001&max=5"}


def operations():
    for path, methods in DESCRIPTION["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation["responses"]


def objects(schema):
    """Every schema of an object with properties inside of this one."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)


class OpenAPI(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pipeline = cls.enterClassContext(Pipeline())
        cls.pipeline.start("consumer")
        cls.pipeline.start_dashboard()
        cls.pipeline.start("producer", NUM_CUSTOMERS="3", INTERVAL_SECONDS="0.2", MALFORMED_RATE="0.2")
        cls.pipeline.run("INSERT INTO customer_limits VALUES ('cust_0001', 45, 160)")
        cls.pipeline.run("""
            WITH told AS (
                INSERT INTO episode_events (event, happened_at, episode_id, customer_id, groups, kind, severity, worst_severity,
                                            opened_at, raised_at, reason)
                VALUES ('opened', now(), 1, 'cust_0001', '', 'tachycardia', 'high', 'high', now(), now(), 'fast')
                RETURNING event_id)
            INSERT INTO notifications (event_id, receiver) SELECT event_id, 'duty' FROM told""")
        cls.seen = set()

    def ask(self, method, path, query="", headers=None, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.pipeline.port, timeout=30)
        try:
            connection.request(method, path + ("?" + query if query else ""), body, headers or {})
            response = connection.getresponse()
            kind = response.getheader("Content-Type").split(";")[0]
            return response.status, kind, b"" if kind == "text/event-stream" else response.read()
        finally:
            connection.close()

    def check(self, method, path, status, query="", headers=None, body=None, id=1):
        """One answer has this status, and is as the description says. Answers its JSON."""
        address = path.replace("{id}", str(id))
        answered, kind, text = self.ask(method, address, query, headers, body)
        where = f"{method} {address}?{query}: {answered} {text[:300]!r}"
        self.assertEqual(answered, status, where)
        self.seen.add((method, path, status))
        responses = DESCRIPTION["paths"][path][method.lower()]["responses"]
        self.assertIn(str(status), responses, where)
        content = responses[str(status)]["content"]
        self.assertEqual([kind], list(content), where)
        if not kind.endswith("json"):
            return None
        value = json.loads(text)
        schema = {**content[kind].get("schema", {}), "components": DESCRIPTION["components"]}
        jsonschema.Draft202012Validator(schema, format_checker=FORMATS).validate(value)
        return value

    def test_addresses(self):
        """The program's addresses are those of the description."""
        found = set()
        for source in glob.glob(os.path.join(ROOT, "Sources/Dashboard/**/*.swift"), recursive=True):
            with open(source, encoding="utf-8") as file:
                for kind, method, path in re.findall(r'\b(routes|router)\.(get|post|put|patch|delete)\("([^"]*)"', file.read()):
                    path = "/" + re.sub(r":(\w+)", r"{\1}", path)
                    found.add((method.upper(), "/api/v1" + path if kind == "routes" else path))
        page = {("GET", "/"), ("GET", "/customer"), ("GET", "/customers"), ("GET", "/operations"), ("GET", "/report"),
                ("GET", "/wall"), ("GET", "/static/{first}"), ("GET", "/static/{first}/{second}"),
                ("GET", "/static/{first}/{second}/{third}")}
        self.assertEqual(found - page, {(method, path) for method, path, _ in operations()})

    def test_closed(self):
        """Each object has all of its fields and no other, so that an answer proves the names of all."""
        for schema in objects(SCHEMAS):
            self.assertEqual(sorted(schema["required"]), sorted(schema["properties"]))
            self.assertIs(schema["additionalProperties"], False)

    def episode(self):
        self.pipeline.run("DELETE FROM episodes")
        return self.pipeline.run("""
            INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at,
                                  extreme_heart_rate, readings, reason)
            VALUES ('cust_0001', 'tachycardia', 'high', 'high', now(), now(), now(), 201, 40, 'fast')
            RETURNING episode_id""").fetchone()[0]

    def full_state(self):
        """A state in which nothing is empty."""
        def state():
            value = self.check("GET", "/api/v1/state", 200)
            full = [value["last_reading"], value["anomalies"], value["throughput"], value["most_active"], value["lag"],
                    value["people"]["listed"], value["daemons"], value["chart_points"], value["receivers"]]
            return value if all(full) else None
        return eventually(state, "a state with everything in it")

    def test_answers(self):
        page = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        acknowledge = "/api/v1/episodes/{id}/acknowledge"
        number = self.episode()
        self.pipeline.publish([("cust_0001", dt.datetime.now(dt.UTC), 210)])
        self.full_state()
        for method, path, responses in operations():
            if method == "GET":
                value = self.check(method, path, 200, QUERIES.get(path, ""), id=number)
                for name in ("items", "series", "minutes", "points"):
                    # Nothing is set yet.
                    if isinstance(value, dict) and name in value and path not in ("/api/v1/care", "/api/v1/changes", "/api/v1/groups"):
                        self.assertTrue(value[name], f"{path}: {name}")
            if "400" in responses and method == "GET":
                self.check(method, path, 400, "nonsense=1", id=number)
            if "406" in responses:
                self.check(method, path, 406, "_format=xml", id=number)
            if "404" in responses and method == "GET":
                self.check(method, path, 404, "customer_id=nobody" if path.endswith("customer") else "", id=999999)
            self.check(method, path, 421, headers={"Host": "elsewhere.example", **page}, body=None if method == "GET" else "{}")
        self.check("POST", acknowledge, 413, headers=page, body=json.dumps({"by": "x" * 2000}), id=number)
        self.check("POST", acknowledge, 415, headers={**page, "Content-Type": "text/plain"}, body="{}", id=number)
        body = json.dumps({"by": "Ann"})
        self.check("POST", acknowledge, 403, headers={**page, "Sec-Fetch-Site": "cross-site"}, body=body, id=number)
        self.check("POST", acknowledge, 400, headers=page, body="{}", id=number)
        self.check("POST", acknowledge, 404, headers=page, body=body, id=999999)
        self.check("POST", acknowledge, 200, headers=page, body=body, id=number)
        self.check("POST", acknowledge, 409, headers=page, body=body, id=number)
        undo = "/api/v1/episodes/{id}/undo"
        self.check("POST", undo, 413, headers=page, body=json.dumps({"by": "x" * 2000}), id=number)
        self.check("POST", undo, 415, headers={**page, "Content-Type": "text/plain"}, body="{}", id=number)
        self.check("POST", undo, 403, headers={**page, "Sec-Fetch-Site": "cross-site"}, body=body, id=number)
        self.check("POST", undo, 400, headers=page, body="{}", id=number)
        self.check("POST", undo, 404, headers=page, body=body, id=999999)
        self.check("POST", undo, 200, headers=page, body=body, id=number)
        self.check("POST", undo, 409, headers=page, body=body, id=number)
        for more in ({"severity": "high"}, {"note": "called"}, {"severity": "high", "note": "called"}):
            number = self.episode()
            self.check("POST", acknowledge, 200, headers=page, body=json.dumps({"by": "Ann", **more}), id=number)
        self.changes(page)
        self.try_receiver(page)
        self.with_password(page, body)
        self.with_token()
        missing = {(method, path, int(status)) for method, path, responses in operations() for status in responses}
        # Statuses that need a database in trouble or a crowd have tests of their own.
        self.assertEqual({each for each in missing - self.seen if each[2] not in (429, 503)}, set())

    def changes(self, page):
        """What is set for a customer."""
        for what, right in (("limits", {"heart_rate_min": None, "heart_rate_max": 170}), ("pause", {"minutes": 5}),
                            ("groups", {"groups": ["Ward 3"]}), ("note", {"note": "well"})):
            path = "/api/v1/customer/" + what
            body = {"customer_id": "cust_0001", "by": "Ann", **right}
            self.check("POST", path, 413, headers=page, body=json.dumps({"by": "x" * 2000}))
            self.check("POST", path, 415, headers={**page, "Content-Type": "text/plain"}, body="{}")
            self.check("POST", path, 403, headers={**page, "Sec-Fetch-Site": "cross-site"}, body=json.dumps(body))
            self.check("POST", path, 400, headers=page, body="{}")
            self.check("POST", path, 404, headers=page, body=json.dumps({**body, "customer_id": "nobody"}))
            self.check("POST", path, 200, headers=page, body=json.dumps(body))
        actions = [item["action"] for item in self.check("GET", "/api/v1/care", 200, "customer_id=cust_0001")["items"]]
        self.assertEqual(len(set(actions[:4]) - {"acknowledged", "undid"}), 4, actions)
        self.check("GET", "/api/v1/report", 200)
        eventually(lambda: self.check("GET", "/api/v1/groups", 200)["items"], "the group")

    def try_receiver(self, page):
        path, body = "/api/v1/receivers/test", {"receiver": "duty", "by": "Ann"}
        self.check("POST", path, 413, headers=page, body=json.dumps({"by": "x" * 2000}))
        self.check("POST", path, 415, headers={**page, "Content-Type": "text/plain"}, body="{}")
        self.check("POST", path, 403, headers={**page, "Sec-Fetch-Site": "cross-site"}, body=json.dumps(body))
        self.check("POST", path, 400, headers=page, body="{}")
        self.check("POST", path, 404, headers=page, body=json.dumps({**body, "receiver": "nobody"}))
        # Twice while the first one waits is once.
        for _ in range(2):
            self.check("POST", path, 200, headers=page, body=json.dumps(body))
        self.assertEqual(self.pipeline.rows("SELECT person, episode_id FROM episode_events WHERE event = 'test'"), [("Ann", 0)])

    def with_password(self, page, body):
        path = os.path.join(self.pipeline.folder, "password")
        with open(path, "w", encoding="utf-8") as file:
            file.write(crypt.crypt("secret", crypt.mksalt(crypt.METHOD_SHA512)) + "\n")
        os.chmod(path, 0o644)
        self.pipeline.stop("dashboard")
        self.pipeline.start_dashboard(DASHBOARD_PASSWORD_FILE=path)
        for method, path, responses in operations():
            if "401" in responses:
                self.check(method, path, 401, headers=page, body=None if method == "GET" else body)

    def with_token(self):
        """A token is for its scopes alone, and acts under its own name."""
        path = os.path.join(self.pipeline.folder, "tokens")
        self.pipeline.stop("dashboard")
        tokens = {scope: self.pipeline.new_token("dashboard", "for_" + scope, path, "--scopes", scope) for scope in ("read", "acknowledge", "manage")}
        self.pipeline.start_dashboard(DASHBOARD_TOKENS_FILE=path)
        def headers(scope):
            return {"Authorization": "Bearer " + tokens[scope], "Content-Type": "application/json"}
        for method, path, responses in operations():
            needed = "read" if method == "GET" else "acknowledge" if "episodes" in path else "manage"
            for scope in tokens:
                if "403" in responses and scope != needed:
                    self.check(method, path, 403, headers=headers(scope), body=None if method == "GET" else "{}")
        number = self.episode()
        answer = self.check("POST", "/api/v1/episodes/{id}/acknowledge", 200, headers=headers("acknowledge"), body="{}", id=number)
        self.assertEqual(answer["acknowledged_by"], "for_acknowledge")
        self.check("POST", "/api/v1/customer/note", 200, headers=headers("manage"), body=json.dumps({"customer_id": "cust_0001", "note": "by token"}))
        self.assertEqual(self.check("GET", "/api/v1/care", 200, RANGE, headers("read"))["items"][0]["by"], "for_manage")
        self.check("GET", "/fhir/Observation", 200, QUERIES["/fhir/Observation"], headers("read"))
