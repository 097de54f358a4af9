"""A Prometheus that knows no machine, and keeps what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NOTHING = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}).encode()


class Server(ThreadingHTTPServer):
    asked: list[tuple[str, dict[str, str]]]
    answer: bytes
    url: str


class Asked(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def empty_prometheus() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Asked)
    made.asked, made.url, made.answer = [], f"http://127.0.0.1:{made.server_port}", NOTHING
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()
