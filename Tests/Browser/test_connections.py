"""Clients of the dashboard that are old, slow or many: /healthz answers all the time, and the process goes on."""
import multiprocessing
import os
import socket
import time
import unittest

from pipeline import PATIENCE, Pipeline

LONG = os.environ.get("HEARTBEAT_TEST_LONG") == "1"
EVENTS = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
# Beside events: nothing at all, half a header, a body that does not come, an answer that is not read.
SLOW = [
    b"", b"GET /healthz HTTP/1.1\r\nHost: loc",
    b"POST /api/v1/episodes/1/acknowledge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Sec-Fetch-Site: same-origin\r\nContent-Length: 12\r\n\r\n{",
    b"GET /static/chart.min.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5,
]


def storm(port, count):
    """Connects as fast as it can, three times; each time all are closed at once."""
    for _ in range(3):
        connections = []
        for number in range(count):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connections.append(connection)
            try:
                connection.connect(("127.0.0.1", port))
                connection.sendall(EVENTS if number % 5 == 0 else SLOW[number % 4])
            except ConnectionError:
                pass  # It was closed for another one.
        for connection in connections:
            connection.close()


class Connections(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pipeline = cls.enterClassContext(Pipeline())
        cls.times = []

    @classmethod
    def tearDownClass(cls):
        # None when one test alone runs that does not ask.
        times = sorted(cls.times) or [0]
        print(f"\n/healthz answered {len(times)} times within {times[-1]:.3f} s, 99 % of them within "
              f"{times[len(times) * 99 // 100 - 1]:.3f} s", flush=True)

    def start(self, files=None, **settings):
        self.pipeline.port = 0
        self.pipeline.start_dashboard(files, **settings)
        self.addCleanup(self.pipeline.stop, "dashboard")

    def connect(self, request=b"", receive=None):
        connection = socket.socket()
        self.addCleanup(connection.close)
        if receive:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        connection.settimeout(PATIENCE)
        connection.connect(("127.0.0.1", self.pipeline.port))
        connection.sendall(request)
        return connection

    def answer(self, request):
        """Everything that comes until the server ends the connection: status, header fields, body."""
        return self.read(self.connect(request))

    def read(self, connection):
        text = b""
        while part := connection.recv(65536):
            text += part
        return self.parts(text)

    def parts(self, text):
        head, _, body = text.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return int(lines[0].split()[1]), fields, body

    def health(self):
        begun = time.monotonic()
        connection = socket.create_connection(("127.0.0.1", self.pipeline.port), PATIENCE)
        with connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            status, _, body = self.read(connection)
        self.times.append(time.monotonic() - begun)
        self.assertEqual((status, body), (200, b"ok\n"))

    def test_old_clients(self):
        """HTTP/1.0: the end of an answer is the end of the connection, unless the client asks for more."""
        self.start()
        for path in ("/healthz", "/", "/metrics", "/api/v1/state", "/static/chart.min.js", "/api/v1/openapi.json"):
            for host in (b"", b"Host: localhost\r\n"):
                status, fields, body = self.answer(b"GET " + path.encode() + b" HTTP/1.0\r\n" + host + b"\r\n")
                self.assertEqual((status, fields["connection"], len(body)), (200, "close", int(fields["content-length"])))
                self.assertNotIn("transfer-encoding", fields)
        self.assertEqual(self.answer(b"GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n")[0], 421)
        self.assertEqual(self.answer(b"GET /nothing HTTP/1.0\r\n\r\n")[0], 404)
        for path in (b"/", b"/healthz"):
            hosts = b"Host: localhost\r\nHost: evil.example\r\n"
            self.assertEqual(self.answer(b"GET " + path + b" HTTP/1.1\r\n" + hosts + b"\r\n")[0], 400)
        for target, host, status in ((b"http://localhost/api/v1/state", b"evil.example", 200),
                                     (b"http://evil.example/api/v1/state", b"localhost", 421),
                                     (b"HTTP://localhost", b"localhost", 200)):
            request = b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
            self.assertEqual(self.answer(request)[0], status, target)
        connection = self.connect()
        for _ in range(2):
            connection.sendall(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            text = b""
            while not text.endswith(b"ok\n"):
                text += connection.recv(65536)
            self.assertEqual(self.parts(text)[1]["connection"], "keep-alive")
        for close in (b"close", b"Close", b"TE, close"):
            connection = self.connect(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: " + close + b"\r\n\r\n")
            self.assertEqual(self.read(connection)[1]["connection"], "close")

    def test_old_clients_of_streams(self):
        """What has no length is sent to HTTP/1.0 without chunks."""
        self.start()
        self.pipeline.start("consumer")
        self.addCleanup(self.pipeline.stop, "consumer")
        self.pipeline.publish([("old", self.pipeline.rows("SELECT now()")[0][0], 70)])
        for keep in (b"", b"Connection: keep-alive\r\n"):
            stream = self.connect(b"GET /api/v1/events HTTP/1.0\r\n" + keep + b"\r\n")
            text = b""
            while b"event: state" not in text:
                text += stream.recv(65536)
            _, fields, body = self.parts(text)
            self.assertNotIn("transfer-encoding", fields)
            self.assertEqual(fields["connection"], "close")
            self.assertTrue(body.startswith(b"retry: 2000\n\nevent: state\ndata: {"), body[:60])
            status, fields, body = self.answer(b"GET /api/v1/readings.csv?customer_id=old HTTP/1.0\r\n" + keep + b"\r\n")
            self.assertEqual((status, fields["connection"]), (200, "close"))
            self.assertNotIn("transfer-encoding", fields)
            lines = body.decode().split("\r\n")
            header = "customer_id,recorded_at,heart_rate,is_anomaly,anomaly_reason,activity"
            self.assertEqual((lines[0], len(lines), lines[-1]), (header, 3, ""))

    def test_head(self):
        """HEAD has the header of GET, nothing false in it, and no body: the next answer follows at once (RFC 9110, 9.3.2)."""
        self.start()
        end = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for path, length in (("/api/v1/events", None), ("/api/v1/readings.csv?customer_id=x", None), ("/healthz", "3"),
                             ("/nothing", "88"), ("/api/v1/customer", None)):
            for version in (b"1.1", b"1.0"):
                head = b"HEAD " + path.encode() + b" HTTP/" + version + b"\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
                text = self.connect(head + end)
                _, fields, rest = self.read(text)
                self.assertTrue(rest.startswith(b"HTTP/1.1 200 OK"), f"{path}: {rest[:80]}")
                self.assertNotIn("transfer-encoding", fields)
                self.assertNotEqual(fields.get("content-length"), "0", path)
                if length:
                    self.assertEqual(fields["content-length"], length)

    def test_not_found_for_people(self):
        self.start()
        status, fields, body = self.answer(b"GET /a/b/nothing HTTP/1.0\r\nAccept: text/html,*/*\r\n\r\n")
        self.assertEqual((status, fields["content-type"]), (404, "text/html; charset=utf-8"))
        self.assertIn(b'<a href="../../">', body)
        for accept, path in ((b"application/json", b"/nothing"), (b"text/html", b"/api/v1/nothing")):
            _, fields, _ = self.answer(b"GET " + path + b" HTTP/1.0\r\nAccept: " + accept + b"\r\n\r\n")
            self.assertEqual(fields["content-type"], "application/problem+json")

    def test_more_pages_than_viewers(self):
        """The live pages that are too many are refused and closed; the others get events."""
        self.start(DASHBOARD_VIEWERS="20")
        pages = [self.connect(EVENTS) for _ in range(20)]
        for page in pages:
            self.assertTrue(page.recv(12).endswith(b"200"))
        for _ in range(300):
            status, fields, _ = self.answer(EVENTS)
            self.assertEqual((status, fields["retry-after"], fields["connection"]), (503, "10", "close"))
            self.health()
        for page in pages:
            self.assertTrue(page.recv(65536))

    def crowd(self, count):
        """So many connections, one in five of them a live page."""
        for number in range(count):
            if number % 5 == 0:
                self.connect(EVENTS)
            else:
                self.connect(SLOW[number % 4], receive=4096)
            if number % 25 == 0:
                self.health()
        self.health()

    def test_many(self):
        self.start(DASHBOARD_VIEWERS="100")
        self.crowd(5000 if LONG else 600)
        self.assertIsNone(self.pipeline.daemons["dashboard"].process.poll())

    def test_few_descriptors(self):
        self.start(files=60)
        dashboard = self.pipeline.daemons["dashboard"]
        dashboard.logged(r"DASHBOARD_VIEWERS=500 .*: there can be 10 live pages, since the limit of open files is too low")
        self.crowd(5000 if LONG else 300)
        self.assertIsNone(dashboard.process.poll())

    def storms(self, count):
        """Two at a time; whoever asks for the health meanwhile is always answered."""
        storms = [multiprocessing.get_context("fork").Process(target=storm, args=(self.pipeline.port, count // 2))
                  for _ in range(2)]
        for process in storms:
            process.start()
        while any(process.is_alive() for process in storms):
            self.health()
        for process in storms:
            process.join()
            self.assertEqual(process.exitcode, 0)
        self.health()
        self.assertIsNone(self.pipeline.daemons["dashboard"].process.poll())

    def test_storm(self):
        self.start(DASHBOARD_VIEWERS="100")
        self.storms(5000 if LONG else 900)

    def test_storm_with_few_descriptors(self):
        self.start(files=60)
        self.storms(5000 if LONG else 900)

    def test_no_descriptor(self):
        """Even when there is really none left, it goes on with the next that is free."""
        self.start()
        dashboard = self.pipeline.daemons["dashboard"].process
        open_now = len(os.listdir(f"/proc/{dashboard.pid}/fd"))
        import resource
        resource.prlimit(dashboard.pid, resource.RLIMIT_NOFILE, (open_now + 4, open_now + 4))
        crowd = [self.connect(b"GET /healthz HTTP/1.1\r\nHost: loc") for _ in range(50)]
        self.health()
        for connection in crowd:
            connection.close()
        self.health()
        self.assertIsNone(dashboard.poll())

    def test_byte_by_byte(self):
        """A header that comes byte by byte does not hold its connection without end."""
        self.start()
        connection = self.connect()
        connection.settimeout(0.2)
        ended = False
        for byte in (b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 1000):
            self.health()
            try:
                connection.sendall(bytes([byte]))
                ended = connection.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                ended = True
            if ended:
                break
        self.assertTrue(ended)


if __name__ == "__main__":
    unittest.main()
