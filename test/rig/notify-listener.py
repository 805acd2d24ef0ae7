"""A socket as systemd has it for sd_notify: prints each message that comes as a line of JSON."""
import json
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print(json.dumps([]), flush=True)
while True:
    # Without its control data: a file descriptor that came along is closed, which is all that BARRIER=1 waits for.
    text = listener.recv(65536).decode()
    print(json.dumps(text.strip().split("\n")), flush=True)
