"""logind on a private bus: grants delay locks, and announces what its standard input says.

In:  "PrepareForSleep true" and the like, one a line.
Out: one JSON object a line: {"what": "ready"}, {"what": "held", "lock": [...]}, {"what": "released", "at": seconds}.
Arguments: "refuse" makes it refuse every lock.
"""
import ctypes
import json
import os
import select
import sys
import time

sd = ctypes.CDLL('libsystemd.so.0')
sd.sd_bus_get_events.restype = ctypes.c_int
PATH, INTERFACE = b'/org/freedesktop/login1', b'org.freedesktop.login1.Manager'
refuses = sys.argv[1:] == ['refuse']


def tell(what, **facts):
    print(json.dumps({'what': what, **facts}), flush=True)


def must(result):
    if result < 0:
        sys.exit(f'sd-bus: {os.strerror(-result)}')
    return result


bus = ctypes.c_void_p()
must(sd.sd_bus_open_system(ctypes.byref(bus)))
must(sd.sd_bus_request_name(bus, b'org.freedesktop.login1', ctypes.c_uint64(0)))
tell('ready')
locks = {}


def answer(message):
    if sd.sd_bus_message_is_method_call(message, INTERFACE, b'Inhibit') <= 0:
        return
    if refuses:
        must(sd.sd_bus_reply_method_errorf(message, b'org.freedesktop.DBus.Error.AccessDenied', b'not for you'))
        return
    words = [ctypes.c_char_p() for _ in range(4)]
    must(sd.sd_bus_message_read(message, b'ssss', *[ctypes.byref(word) for word in words]))
    ours, theirs = os.pipe()
    must(sd.sd_bus_reply_method_return(message, b'h', ctypes.c_int(theirs)))
    os.close(theirs)
    locks[ours] = True
    tell('held', lock=[word.value.decode() for word in words])


rest = b''
while True:
    while True:
        message = ctypes.c_void_p()
        done = must(sd.sd_bus_process(bus, ctypes.byref(message)))
        if message:
            answer(message)
            sd.sd_bus_message_unref(message)
        if done == 0:
            break
    must(sd.sd_bus_flush(bus))
    ready, _, _ = select.select([0, sd.sd_bus_get_fd(bus), *locks], [], [])
    for descriptor in ready:
        if descriptor in locks:
            # Nothing is ever written there: it is the end of whoever held it.
            os.close(descriptor)
            del locks[descriptor]
            tell('released', at=time.time())
    if 0 in ready:
        part = os.read(0, 4096)
        if part == b'':
            sys.exit(0)
        *lines, rest = (rest + part).split(b'\n')
        for line in lines:
            member, truth = line.split(b' ')
            must(sd.sd_bus_emit_signal(bus, PATH, INTERFACE, member, b'b', ctypes.c_int(truth == b'true')))
