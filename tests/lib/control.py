"""A client of the control socket that links nothing of stint: what the tests ask the pool itself.

One request line, then "ok\\n" or "error TEXT\\n", then the payload until the end of file.
"""
import json
import socket


class NoPool(Exception):
    """Nobody answers at the socket."""


class Refused(Exception):
    """The pool answered with an error."""


def ask(path, request, timeout=10.0):
    """The payload of the answer, as text."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(timeout)
        try:
            s.connect(path)
            s.sendall(request.encode() + b"\n")
            answer = b""
            while chunk := s.recv(65536):
                answer += chunk
        except OSError as e:
            raise NoPool(f"{path}: {e}") from e
    head, _, payload = answer.partition(b"\n")
    if head != b"ok":
        if not head:
            raise NoPool(f"{path}: no answer")
        raise Refused(head.decode())
    return payload.decode()


def status(path, timeout=10.0):
    return json.loads(ask(path, "status", timeout))


def workers(path, timeout=10.0):
    return [json.loads(line) for line in ask(path, "workers", timeout).splitlines() if line]
