"""The talk's experiment in the interpreters themselves: echo servers, and a CPU thread beside them.

One file for every Python from 2.7 on, and for PyPy. The bench starts it in the place of a server's process of its own and speaks to it
in lines of JSON, one request and one answer each: start, spin, solo, begin, end, stop, as in server/protocol.ts. The servers speak
the wire formats of server/*.ts and make the same calls for a message, so that what differs is the interpreter and its lock.

usage: echo_servers.py            answers requests until its standard input ends
       echo_servers.py identify   says which interpreter this is
"""
from __future__ import print_function

import errno
import hashlib
import json
import os
import platform
import resource
import select
import socket
import struct
import sys
import threading
import time
from multiprocessing.connection import Listener

clock = getattr(time, "monotonic", time.time)

# As in server/server-process.ts.
SPINNER_WARMUP_S = 0.1
SPINNER_SOLO_S = 0.15
MAX_CONNECTION_ERRORS = 20
# For threads that were told to end.
JOIN_S = 2.0
# As in server/coroutines.ts.
CALLS_PER_TURN = 16
# What encoding adds to a payload, at most: net/multiprocessing-format.ts.
ENCODING_BYTES = 5


class ProtocolError(Exception):
    pass


# --- the lock's own counters, where lock_counter.c was preloaded -------------------------------------------------------------

class LockCounter(object):
    """What lock_counter.c counts inside the interpreter. Its functions are called with the lock held: PyDLL, not CDLL."""

    SERVER, SPINNER = 1, 2
    COUNTS = ("transitions", "steals", "waits", "waitNs", "waitBehindSpinnersNs", "yields")
    EXTRAS = ("timeouts", "timedOutNs")
    WAIT_BUCKETS = 24
    FIELDS = 3

    def __init__(self):
        import ctypes
        self._ctypes = ctypes
        self._c = ctypes.PyDLL(None)
        self._c.lock_counter_now.restype = ctypes.c_double
        self._c.lock_counter_calls.restype = ctypes.c_long
        self._c.lock_counter_calls.argtypes = [ctypes.c_double, ctypes.c_void_p, ctypes.c_long]
        self._c.lock_counter_capacity.argtypes = [ctypes.c_long]
        if not self._c.lock_counter_learn():
            raise RuntimeError("the lock was not found")

    @classmethod
    def find(cls):
        """The counter, or None where it was not preloaded, or does not know this interpreter's lock."""
        if "CONVOY_LOCK_COUNTER" not in os.environ:
            return None
        try:
            return cls()
        except (ImportError, AttributeError, RuntimeError, OSError):
            return None

    def log(self, calls):
        self._c.lock_counter_capacity(calls)

    def join(self, kind):
        """Counts the calling thread among the server's, or the CPU threads."""
        self._c.lock_counter_join(kind)

    def now_ns(self):
        return self._c.lock_counter_now()

    def read(self, kind):
        size = len(self.COUNTS) + len(self.EXTRAS) + self.WAIT_BUCKETS
        values = (self._ctypes.c_double * size)()
        self._c.lock_counter_read(kind, values)
        return list(values)

    def calls(self, since_ns):
        """Times of the calls of the thread that made most: released, returned, acquired of each."""
        most = self._c.lock_counter_calls(since_ns, None, 0)
        values = (self._ctypes.c_double * (most * self.FIELDS))()
        written = self._c.lock_counter_calls(since_ns, values, most)
        return list(values[:written * self.FIELDS])


# --- servers -----------------------------------------------------------------------------------------------------------------

def listen(host, port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    return listener


def shut_down(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except (OSError, socket.error):
        pass  # The peer was first, or it was closed.


def payload_length(header, max_message_bytes):
    (length,) = struct.unpack(">I", header)
    if length > max_message_bytes:
        raise ProtocolError("a frame announces %d bytes, more than the %d allowed" % (length, max_message_bytes))
    return length


class Server(object):
    """A server with a thread for each connection; `process` keeps the books."""

    def __init__(self, process, setup):
        self.process = process
        self.max_message_bytes = setup["maxMessageBytes"]
        self.connections = set()
        self.stopping = False
        self.port = self.listen(setup["host"], setup["port"])

    def run(self):
        self.process.start_thread(self.accept_for_ever)

    def stop(self):
        self.stopping = True
        self.stop_listening()
        for connection in list(self.connections):
            self.interrupt(connection)

    def serve(self, connection):
        self.connections.add(connection)
        try:
            self.echo(connection)
        except Exception as error:
            if not self.stopping:
                self.process.note_connection_error(error)
        finally:
            self.connections.discard(connection)
            connection.close()


class Blocking(Server):
    """"Python with blocking sockets": receives the header, receives the body, sends both back."""

    def listen(self, host, port):
        self.listener = listen(host, port)
        return self.listener.getsockname()[1]

    def stop_listening(self):
        shut_down(self.listener)

    interrupt = staticmethod(shut_down)

    def accept_for_ever(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except (OSError, socket.error):
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.process.start_thread(self.serve, connection)

    def echo(self, connection):
        while True:
            header = recv_exactly(connection, 4)
            if not header:
                return
            body = recv_exactly(connection, payload_length(header, self.max_message_bytes), header)
            connection.sendall(header + body)


def recv_exactly(connection, size, before=b""):
    """So many bytes; none at the end of the connection, if nothing of the message came before."""
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            if not data and not before:
                return data
            raise ProtocolError("the connection ended inside a message, after %d of %d bytes" % (len(data), size))
        data = data + part if data else part
    return data


class Nonblocking(Server):
    """"Python with nonblocking sockets, coroutines": a trampoline over poll, all connections in one thread.

    As in server/coroutines.ts a message costs a recv that finds nothing, the poll, a recv of the header, one of the body, a send.
    """

    def listen(self, host, port):
        self.listener = listen(host, port)
        self.listener.setblocking(False)
        return self.listener.getsockname()[1]

    def stop_listening(self):
        shut_down(self.listener)

    def interrupt(self, connection):
        pass  # Its thread owns the connections, and returns when the listener is shut down.

    def accept_for_ever(self):
        self.poller = select.poll()
        self.waiting = {}
        self.next = []
        accepting = self.accept()
        self.start(accepting)
        while True:
            for descriptor, _ in self.poller.poll(0 if self.next else None):
                self.poller.unregister(descriptor)
                self.next.append(self.waiting.pop(descriptor))
            turns, self.next = self.next, []
            for coroutine, call in turns:
                self.turn(coroutine, call)
                if coroutine is accepting and self.stopping:
                    return

    def start(self, coroutine):
        self.next.append((coroutine, next(coroutine)))

    def turn(self, coroutine, call):
        """Makes a coroutine's calls until one finds nothing."""
        try:
            for _ in range(CALLS_PER_TURN):
                perform, argument, sock, event = call
                try:
                    result = perform(argument) if argument is not None else perform()
                except (OSError, socket.error) as error:
                    if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK):
                        self.poller.register(sock, event)
                        self.waiting[sock.fileno()] = (coroutine, call)
                        return
                    call = coroutine.throw(error)
                else:
                    call = coroutine.send(result)
        except StopIteration:
            return
        self.next.append((coroutine, call))

    def accept(self):
        while True:
            try:
                connection, _ = yield self.listener.accept, None, self.listener, select.POLLIN
            except (OSError, socket.error):
                return
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.start(self.connection(connection))

    def connection(self, connection):
        try:
            while True:
                header = yield connection.recv, 4, connection, select.POLLIN
                while 0 < len(header) < 4:
                    part = yield connection.recv, 4 - len(header), connection, select.POLLIN
                    if not part:
                        raise ProtocolError("the connection ended inside a header")
                    header += part
                if not header:
                    return
                size = payload_length(header, self.max_message_bytes)
                body = b""
                while len(body) < size:
                    part = yield connection.recv, size - len(body), connection, select.POLLIN
                    if not part:
                        raise ProtocolError("the connection ended inside a message, after %d of %d bytes" % (len(body), size))
                    body = body + part if body else part
                frame = header + body
                while frame:
                    sent = yield connection.send, frame, connection, select.POLLOUT
                    frame = frame[sent:]
        except (ProtocolError, OSError, socket.error) as error:
            self.process.note_connection_error(error)
        finally:
            # Python 2.7 closes a socket when nobody refers to it any more, and the exception that ended this one may for long.
            shut_down(connection)
            connection.close()


class Multiprocessing(Server):
    """"Python with multiprocessing": multiprocessing.connection itself."""

    def listen(self, host, port):
        self.listener = Listener((host, port), "AF_INET", 1024)
        return self.listener.address[1]

    def stop_listening(self):
        shut_down(self.listener._listener._socket)

    @staticmethod
    def interrupt(connection):
        try:
            sock = socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        except EnvironmentError:
            return  # Its thread has closed it meanwhile.
        shut_down(sock)
        sock.close()

    def accept_for_ever(self):
        while True:
            try:
                connection = self.listener.accept()
            except (OSError, socket.error):
                return
            self.process.start_thread(self.serve, connection)

    def echo(self, connection):
        max_bytes = self.max_message_bytes + ENCODING_BYTES
        while True:
            try:
                message = connection.recv_bytes(max_bytes)
            except EOFError:
                return
            connection.send_bytes(message)


class Zeromq(Server):
    """"Python with ZeroMQ": pyzmq, one thread for all clients. A REP gives up the lock twice a message, where a ROUTER would for each frame."""

    def listen(self, host, port):
        import zmq
        self.terminated = zmq.ContextTerminated
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.REP)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.MAXMSGSIZE, self.max_message_bytes)
        return self.socket.bind_to_random_port("tcp://" + host) if port == 0 else self.bind(host, port)

    def bind(self, host, port):
        self.socket.bind("tcp://%s:%d" % (host, port))
        return port

    def stop(self):
        self.context.term()

    def accept_for_ever(self):
        try:
            while True:
                self.socket.send(self.socket.recv())
        except self.terminated:
            pass
        finally:
            self.socket.close()


SERVERS = {
    "blocking": Blocking,
    "nonblocking": Nonblocking,
    "multiprocessing": Multiprocessing,
    "zeromq": Zeromq,
}


# --- CPU threads -------------------------------------------------------------------------------------------------------------

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def spin_fib():
    fib(12)


class SpinNative(object):
    """A call of some 10 ms that keeps the lock and cannot be interrupted."""

    def __init__(self):
        self.numbers = [0] * 1000
        while True:
            start = clock()
            sum(self.numbers)
            if clock() - start > 0.005 or len(self.numbers) > 10 ** 7:
                break
            self.numbers *= 2

    def __call__(self):
        sum(self.numbers)


HASHED = b"\0" * (128 * 1024)


def spin_releasing():
    hashlib.sha256(HASHED).digest()


SPINNERS = {"fib": lambda: spin_fib, "native": SpinNative, "releasing": lambda: spin_releasing}


# --- the process -------------------------------------------------------------------------------------------------------------

class Process(object):
    def __init__(self):
        self.threads = []
        self.connection_errors = []
        self.rounds = []
        self.spinning = True
        self.server = None
        self.begun = None
        # Before 3.7 there is no lock until the first thread starts.
        first = threading.Thread(target=int)
        first.start()
        first.join()
        self.counter = LockCounter.find()

    def start_thread(self, run, *args):
        thread = threading.Thread(target=self.join_server, args=(run,) + args)
        thread.daemon = True
        self.threads.append(thread)
        thread.start()

    def join_server(self, run, *args):
        if self.counter is not None:
            self.counter.join(LockCounter.SERVER)
        run(*args)

    def note_connection_error(self, error):
        if len(self.connection_errors) < MAX_CONNECTION_ERRORS:
            self.connection_errors.append(str(error) or type(error).__name__)

    def start(self, setup):
        if self.counter is not None:
            self.counter.log(setup["loggedCalls"])
        self.server = SERVERS[setup["server"]](self, setup)
        self.server.run()
        return {"port": self.server.port}

    def spin(self, setup):
        for number in range(setup["spinners"]):
            self.rounds.append(0)
            thread = threading.Thread(target=self.spin_for_ever, args=(number, SPINNERS[setup["kind"]]()))
            thread.daemon = True
            self.threads.append(thread)
            thread.start()
        time.sleep(SPINNER_WARMUP_S)
        return {}

    def solo(self, _):
        before, rounds = clock(), sum(self.rounds)
        time.sleep(SPINNER_SOLO_S)
        return {"roundsPerSecond": (sum(self.rounds) - rounds) / (clock() - before)}

    def spin_for_ever(self, number, work):
        if self.counter is not None:
            self.counter.join(LockCounter.SPINNER)
        rounds = self.rounds
        while self.spinning:
            work()
            rounds[number] += 1

    def snapshot(self):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        counter = self.counter
        return {
            "at": clock(),
            "cpu": usage.ru_utime + usage.ru_stime,
            "rounds": sum(self.rounds),
            "server": counter and counter.read(LockCounter.SERVER),
            "spinners": counter and counter.read(LockCounter.SPINNER),
            "counterNs": counter and counter.now_ns(),
        }

    def begin(self, _):
        self.begun = self.snapshot()
        return {}

    def end(self, _):
        begun, now = self.begun, self.snapshot()
        reading = {
            "durationNs": (now["at"] - begun["at"]) * 1e9,
            "cpuNs": (now["cpu"] - begun["cpu"]) * 1e9,
            "spinnerRounds": now["rounds"] - begun["rounds"],
            "server": None,
            "spinners": None,
        }
        calls = None
        if self.counter is not None:
            for kind in "server", "spinners":
                since = [after - before for before, after in zip(begun[kind], now[kind])]
                counts = LockCounter.COUNTS + LockCounter.EXTRAS
                reading[kind] = dict(zip(counts, since))
                reading[kind]["waitHistogram"] = since[len(counts):]
            calls = self.counter.calls(begun["counterNs"])
        return {"reading": reading, "calls": calls}

    def stop(self, _):
        self.spinning = False
        if self.server is not None:
            self.server.stop()
        deadline = clock() + JOIN_S
        for thread in list(self.threads):
            thread.join(max(0.0, deadline - clock()))
        return {"connectionErrors": self.connection_errors}


def answer(process, line):
    call = json.loads(line)
    try:
        handler = {
            "start": process.start,
            "spin": process.spin,
            "solo": process.solo,
            "begin": process.begin,
            "end": process.end,
            "stop": process.stop,
        }[call["command"]]
        return {"kind": "answer", "id": call["id"], "answer": handler(call["request"])}
    except Exception as error:
        return {"kind": "error", "id": call["id"], "message": "%s: %s" % (type(error).__name__, error)}


def identify():
    try:
        import zmq
        pyzmq = zmq.__version__
    except Exception:
        pyzmq = None
    pypy = getattr(sys, "pypy_version_info", None)
    return {
        "executable": sys.executable,
        "prefix": sys.prefix,
        "implementation": platform.python_implementation(),
        "version": platform.python_version() if pypy is None else "%d.%d.%d" % tuple(pypy[:3]),
        "language": list(sys.version_info[:3]),
        "build": " ".join(platform.python_build() + (platform.python_compiler(),)),
        "switchIntervalNs": sys.getswitchinterval() * 1e9 if hasattr(sys, "getswitchinterval") else None,
        "freeThreaded": getattr(sys, "_is_gil_enabled", lambda: True)() is False,
        "pyzmq": pyzmq,
    }


def main():
    if sys.argv[1:] == ["identify"]:
        print(json.dumps(identify()))
        return
    process = Process()
    # os.read: a thread blocked in sys.stdin.readline would hold the stream's lock at exit.
    pending = b""
    while True:
        data = os.read(0, 65536)
        if not data:
            break
        pending += data
        while b"\n" in pending:
            line, pending = pending.split(b"\n", 1)
            reply = answer(process, line.decode("utf-8"))
            os.write(1, (json.dumps(reply) + "\n").encode("utf-8"))
            if b'"stop"' in line:
                os._exit(0)
    # The bench is gone.
    os._exit(0)


if __name__ == "__main__":
    main()
