#!/usr/bin/python3
"""Somebody who is told: receiver.py http|mail [--port PORT] [--secret whsec_BASE64] [--certificate FILE]

Prints its port, and then a line of JSON for each message that it has taken. A signature is checked by Python's hmac, as
the specification "Standard Webhooks" says. A line on standard input changes what it answers from then on: a status,
or "hang" for no answer at all.
"""

import argparse
import base64
import email
import email.policy
import hashlib
import hmac
import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

answer = "200"


def say(value):
    print(json.dumps(value), flush=True)


def is_signed(secret, headers, body):
    """Whether a message is from whoever knows the secret, and new."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    identity, seconds = headers["webhook-id"], headers["webhook-timestamp"]
    code = hmac.new(key, f"{identity}.{seconds}.".encode() + body, hashlib.sha256).digest()
    version, text = headers["webhook-signature"].split(",")
    is_new = abs(time.time() - int(seconds)) < 300
    return version == "v1" and is_new and hmac.compare_digest(base64.b64decode(text), code)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    secret = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = answer
        while status == "hang":
            time.sleep(0.1)
            status = answer
        if status == "200":
            entry = {"path": self.path, "id": self.headers["webhook-id"], "body": json.loads(body), "at": time.time(),
                     "type": self.headers["content-type"], "is_signed": None}
            if self.secret:
                entry["is_signed"] = is_signed(self.secret, self.headers, body)
            say(entry)
        self.send_response(int(status))
        words = b"" if status == "200" else b"as I was told"
        self.send_header("content-length", str(len(words)))
        self.end_headers()
        self.wfile.write(words)

    def log_message(self, *_):
        pass


class Mailbox:
    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if answer != "200":
            return f"{answer} as I was told"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say({"from": envelope.mail_from, "to": envelope.rcpt_tos, "header": dict(message.items()),
             "text": message.get_content()})
        return "250 OK"


def main():
    global answer
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["http", "mail"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--secret")
    parser.add_argument("--certificate")
    options = parser.parse_args()
    if options.kind == "http":
        Handler.secret = options.secret
        server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
        if options.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(options.certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
    else:
        # Debian's own Python has it.
        import asyncio

        from aiosmtpd.controller import UnthreadedController

        loop = asyncio.new_event_loop()
        controller = UnthreadedController(Mailbox(), hostname="127.0.0.1", port=options.port, loop=loop)
        asyncio.set_event_loop(loop)
        controller.begin()
        threading.Thread(target=loop.run_forever, daemon=True).start()
        print(controller.server.sockets[0].getsockname()[1], flush=True)
    for line in sys.stdin:
        answer = line.strip()
    # Until it is ended.
    threading.Event().wait()


main()
