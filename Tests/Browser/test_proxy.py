"""The page in a browser behind nginx and Caddy, set up as dashboard.md says, at the root of a site and below a prefix."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from browser import Browser
from pipeline import ROOT, Pipeline, eventually

with open(os.path.join(ROOT, "packaging/doc/dashboard.md"), encoding="utf-8") as file:
    DOCUMENT = file.read()
NGINX, CADDY = (re.findall(rf"^```{name}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL) for name in ("nginx", "caddy"))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def nginx(server):
    """An nginx of its own with this part of its configuration."""
    folder = tempfile.mkdtemp(prefix="heartbeat-nginx-")
    path = os.path.join(folder, "nginx.conf")
    paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
                  f"http {{\naccess_log off;\n{paths}{server}}}\n")
    process = subprocess.Popen(["/usr/sbin/nginx", "-c", path, "-e", "stderr"])
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(folder)


@contextlib.contextmanager
def caddy(sites):
    """A Caddy of its own with these sites."""
    folder = tempfile.mkdtemp(prefix="heartbeat-caddy-")
    path = os.path.join(folder, "Caddyfile")
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"{{\nadmin off\nauto_https off\n}}\n{sites}")
    process = subprocess.Popen(["/usr/bin/caddy", "run", "--config", path, "--adapter", "caddyfile"],
                               env={**os.environ, "HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder},
                               stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(folder)


class Proxy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pipeline = cls.enterClassContext(Pipeline())
        cls.pipeline.start("consumer")
        cls.pipeline.start_dashboard()
        cls.pipeline.start("producer", NUM_CUSTOMERS="3", INTERVAL_SECONDS="0.5")
        cls.port = free_port()
        site, location = (text.replace("127.0.0.1:8501", f"127.0.0.1:{cls.pipeline.port}") for text in NGINX)
        site = site.replace("443 ssl", f"127.0.0.1:{cls.port}").replace("hearts.example;", "localhost;")
        site = re.sub(r"\n *ssl_.*", "", site)
        prefixed = site.replace(f"127.0.0.1:{cls.port}", f"127.0.0.1:{cls.port + 1}")
        prefixed = re.sub(r"    location / \{.*?\n    \}\n", location, prefixed, flags=re.DOTALL)
        cls.enterClassContext(nginx(site + prefixed))
        # Without TLS, which the browser would not trust; on ports that nobody has.
        cls.caddy_ports = [free_port(), free_port()]
        cls.enterClassContext(caddy("".join(
            text.replace("127.0.0.1:8501", f"127.0.0.1:{cls.pipeline.port}")
                .replace("hearts.example {", f"http://localhost:{port} {{\nbind 127.0.0.1")
            for text, port in zip(CADDY, cls.caddy_ports, strict=True))))
        cls.browser = Browser("")
        cls.addClassCleanup(cls.browser.close)

    def episode(self):
        return self.pipeline.run("""
            INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at,
                                  extreme_heart_rate, readings, reason)
            VALUES ('cust_0003', 'tachycardia', 'high', 'high', now(), now(), now(), 201, 40, 'fast')
            RETURNING episode_id""").fetchone()[0]

    def acknowledge(self, address, origin, number):
        body = json.dumps({"by": "Ann"}).encode()
        request = urllib.request.Request(f"{address}api/v1/episodes/{number}/acknowledge", body, {
            "Content-Type": "application/json", "Origin": origin})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def test_behind_nginx(self):
        self.check((f"http://localhost:{self.port}", "/"), (f"http://localhost:{self.port + 1}", "/hearts/"))

    def test_behind_caddy(self):
        site, prefixed = self.caddy_ports
        self.check((f"http://localhost:{site}", "/"), (f"http://localhost:{prefixed}", "/hearts/"))

    def check(self, *sites):
        for origin, prefix in sites:
            with self.subTest(prefix=prefix):
                address = origin + prefix
                browser = self.browser
                eventually(lambda: self.opened(address), "the proxy answers")
                browser.wait_quiet()
                eventually(lambda: browser.all("#customers tbody th a"), "customers")
                browser.click("#customers tbody th a")
                eventually(lambda: browser.script("return location.pathname") == f"{prefix}customer", "the customer's page")
                browser.wait_quiet()
                eventually(lambda: browser.all("#figures .card"), "figures")
                csv = browser.script("return document.querySelector('#csv').href")
                self.assertTrue(csv.startswith(f"{address}api/v1/readings.csv?"), csv)
                with urllib.request.urlopen(csv, timeout=30) as answer:
                    self.assertTrue(answer.read().startswith(b"customer_id,recorded_at,"))
                browser.click(".back")
                eventually(lambda: browser.script("return location.href") == address, "the overview again")
                browser.click(".brand")
                self.assertEqual(browser.script("return location.href"), address)
                browser.driver.get(f"{address}operations")
                browser.wait_quiet()
                eventually(lambda: browser.points(), "lines")
                self.assertEqual(browser.errors(), [])
                # A page whose browser says nothing but its origin; and one of somebody else.
                number = self.episode()
                self.assertEqual(self.acknowledge(address, "http://evil.example", number), 403)
                self.assertEqual(self.acknowledge(address, origin, number), 200)

    def opened(self, address):
        try:
            with urllib.request.urlopen(address, timeout=30):
                self.browser.driver.get(address)
                return True
        except urllib.error.URLError:
            return False

    def test_prefix_without_its_slash(self):
        """Both proxies send it on; so does the dashboard for its own page."""
        for port in (self.port + 1, self.caddy_ports[1]):
            self.browser.driver.get(f"http://localhost:{port}/hearts")
            self.assertEqual(self.browser.script("return location.pathname"), "/hearts/")
        self.browser.driver.get(f"http://localhost:{self.port + 1}/hearts/customer/?customer_id=cust_0001")
        self.browser.wait_quiet()
        self.assertEqual(self.browser.script("return location.pathname + location.search"), "/hearts/customer?customer_id=cust_0001")

    def test_no_address_is_absolute(self):
        """No file of the page has an address that begins at the root of the site."""
        for folder, _, names in os.walk(os.path.join(ROOT, "Sources/Dashboard/Page")):
            for name in names:
                with open(os.path.join(folder, name), encoding="utf-8") as page:
                    for line in page:
                        # fetchJSON puts a dot before its path.
                        if "fetchJSON(" not in line:
                            self.assertNotRegex(line, r"""(href|src|action)=["']/|["'`(]/(api|static|customer|metrics)\b""", name)


if __name__ == "__main__":
    unittest.main()
