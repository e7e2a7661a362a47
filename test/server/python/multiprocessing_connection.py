"""Python's own multiprocessing.connection. Runs on Python 2.7 and 3. Arguments: port, sizes."""
import os
import sys
from multiprocessing.connection import Client

connection = Client(("127.0.0.1", int(sys.argv[1])), family="AF_INET")
for size in map(int, sys.argv[2:]):
    payload = os.urandom(size)
    connection.send_bytes(payload)
    if connection.recv_bytes() != payload:
        sys.exit("the echo of %d bytes differs" % size)
    # Pickled, as Connection.send does: the server passes on what it need not understand.
    connection.send({"payload": payload, "size": size})
    if connection.recv() != {"payload": payload, "size": size}:
        sys.exit("the echo of an object with %d bytes differs" % size)
connection.close()
print("echoed")
