"""An instance of an HTTP service that reads a request to its end, and answers it with a short body."""

import socketserver
import threading

BODY = b"an answer of 23 octets."


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            while head := self.read_head():
                self.read_body(head)
                self.server.answered += 1
                body = b"" if head[0].startswith(b"HEAD ") else BODY
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), body))
        except (ConnectionError, EOFError):
            pass  # The gateway has cancelled the request.

    def read_line(self):
        line = self.rfile.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError
        return line[:-2]

    def read_head(self):
        lines = []
        try:
            while line := self.read_line():
                lines.append(line)
        except EOFError:
            if lines:
                raise
        return lines

    def read_body(self, head):
        fields = dict(line.lower().split(b": ", 1) for line in head[1:])
        if b"transfer-encoding" not in fields:
            length = int(fields.get(b"content-length", 0))
            if len(self.rfile.read(length)) < length:
                raise EOFError
            return
        while size := int(self.read_line(), 16):
            self.rfile.read(size + 2)
        while self.read_line():
            pass


class Instance(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answered = 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
