"""The talk's blocking echo server in Python, 2.7 or 3, with its CPU thread: what py32 is held against.

usage: echo.py unloaded|loaded    prints its port; ends when its standard input ends
"""
from __future__ import print_function

import os
import socket
import struct
import sys
import threading


def recv_exactly(connection, size):
    chunks = []
    while size > 0:
        chunk = connection.recv(size)
        if not chunk:
            return None
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def echo(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        header = recv_exactly(connection, 4)
        if header is None:
            return
        body = recv_exactly(connection, struct.unpack(">I", header)[0])
        if body is None:
            return
        connection.sendall(header + body)


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def start(target, *args):
    thread = threading.Thread(target=target, args=args)
    thread.daemon = True
    thread.start()


def accept_for_ever(listener):
    while True:
        start(echo, listener.accept()[0])


def main():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)
    start(accept_for_ever, listener)
    if sys.argv[1] == "loaded":
        start(fib, 200)
    print(listener.getsockname()[1])
    sys.stdout.flush()
    # os.read, not sys.stdin: its lock would be taken at exit.
    while os.read(0, 1):
        pass
    os._exit(0)


main()
