"""Size-prefixed frames over a plain socket. Runs on Python 2.7 and 3. Arguments: port, sizes."""
import os
import socket
import struct
import sys


def receive_exactly(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            sys.exit("the connection ended after %d of %d bytes" % (len(data), size))
        data += part
    return data


connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
for size in map(int, sys.argv[2:]):
    payload = os.urandom(size)
    connection.sendall(struct.pack("!I", size) + payload)
    (length,) = struct.unpack("!I", receive_exactly(connection, 4))
    if length != size or receive_exactly(connection, length) != payload:
        sys.exit("the echo of %d bytes differs" % size)
connection.close()
print("echoed")
