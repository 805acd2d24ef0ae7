"""Runs a command on a pseudo terminal of its own.

Reads JSON on stdin: argv, cwd, env, columns, script. Each part of the script waits for a text in the output and then
sends a text (keys as a person types them, twice where it says "again_after_s"), or closes the terminal where it says "hangup". Writes JSON: output, code (negative: the signal).
"""
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

# Measures nothing: for what hangs, on a slow machine too.
BOUND_S = 150

spec = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, spec["columns"], 0, 0))
    os.chdir(spec["cwd"])
    os.execvpe(spec["argv"][0], spec["argv"], spec["env"])

output = b""
seen = 0
script = list(spec["script"])
deadline = time.monotonic() + BOUND_S
while True:
    if time.monotonic() > deadline:
        os.kill(pid, 9)
        output += b"\n[the bound of the test was reached]\n"
        break
    if not select.select([terminal], [], [], 0.1)[0]:
        continue
    try:
        part = os.read(terminal, 65536)
    except OSError:  # EIO: nobody has the other side open any more
        break
    if not part:
        break
    output += part
    while script and terminal is not None:
        at = output.find(script[0]["wait"].encode(), seen)
        if at < 0:
            break
        seen = at + len(script[0]["wait"].encode())
        step = script.pop(0)
        if step.get("hangup"):
            os.close(terminal)
            terminal = None
        else:
            os.write(terminal, step["send"].encode())
            if "again_after_s" in step:
                time.sleep(step["again_after_s"])
                os.write(terminal, step["send"].encode())
    if terminal is None:
        break

code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
json.dump({"output": output.decode("utf-8", "replace"), "code": code}, sys.stdout)
