# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium driven through its DevTools protocol over a pipe: the standard library only, no port, no driver.

Browser().open(path) loads a file and gives a Page: JavaScript, keys, clicks, screenshots, window sizes, and everything the
page wrote to the console or asked of a network.
"""
import base64
import fcntl
import json
import os
import select
import shutil
import signal
import struct
import sys
import tempfile
import time
import zlib


def find_chromium():
    """The path of a Chromium or Chrome, or None; the variable CHROMIUM names another."""
    names = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else ["chromium", "chromium-browser", "google-chrome"]
    return next((path for path in map(shutil.which, names) if path), None)


class BrowserError(Exception):
    """The browser does not start, answer or do as told."""


class Browser:
    """One process of Chromium with a profile of its own, gone at the end of a with statement."""

    def __init__(self, program, timeout=60):
        self.timeout = timeout
        self.profile = tempfile.mkdtemp(prefix="onmanifold-browser-")
        self.number = 0
        self.buffer = b""
        self.events = []
        self.answers = {}
        # The protocol is spoken on descriptors 3 (to the browser) and 4 (from it): the ends kept here lie above them.
        ours = []
        for _ in range(2):
            pair = os.pipe()
            ours.append([fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in pair])
            for end in pair:
                os.close(end)
        (command_read, self.command), (self.answer, answer_write) = ours
        log = os.open(os.path.join(self.profile, "log.txt"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        arguments = [
            program, "--headless", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "--no-first-run",
            # A test runs as root in a container, where Chromium's own sandbox cannot.
            "--no-sandbox", "--disable-dev-shm-usage",
            # Drawing in three dimensions without a graphics card.
            "--disable-gpu", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
            # Nothing that the browser itself would ask of a network.
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
            "--disable-default-apps", "--disable-extensions", "--no-default-browser-check", "--no-pings",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars", "--mute-audio", "about:blank"]
        # In a session of its own, so that all its processes can be ended at once.
        self.process = os.posix_spawn(
            program, arguments, os.environ, setsid=True,
            file_actions=[(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2),
                          (os.POSIX_SPAWN_DUP2, command_read, 3), (os.POSIX_SPAWN_DUP2, answer_write, 4)])
        for end in (command_read, answer_write, log, null):
            os.close(end)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        """Ends the browser and removes its profile."""
        if self.process is None:
            return
        os.close(self.command)
        os.close(self.answer)
        try:
            os.killpg(self.process, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.process, 0)
        self.process = None
        # Its helpers may hold the profile for a moment more.
        for _ in range(20):
            shutil.rmtree(self.profile, ignore_errors=True)
            if not os.path.exists(self.profile):
                break
            time.sleep(0.1)

    def log(self):
        """What the browser wrote so far."""
        with open(os.path.join(self.profile, "log.txt"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def pump(self, deadline):
        """Reads messages until one has come or the time is over."""
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.answer], [], [], left)[0]:
                return False
            piece = os.read(self.answer, 1 << 20)
            if not piece:
                raise BrowserError(f"the browser is gone:\n{self.log()[-2000:]}")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        if "id" in message:
            self.answers[message["id"]] = message
        else:
            self.events.append(message)
        return True

    def send(self, method, session=None, **parameters):
        """One command and its answer."""
        self.number += 1
        number = self.number
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.command, data):]
        deadline = time.monotonic() + self.timeout
        while number not in self.answers:
            if not self.pump(deadline) and time.monotonic() >= deadline:
                raise BrowserError(f"{method}: no answer within {self.timeout} s\n{self.log()[-2000:]}")
        answer = self.answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def open(self, path, **options):
        """A Page that has loaded the file."""
        return Page(self, path, **options)


KEYS = {"Tab": ("Tab", 9, ""), "Enter": ("Enter", 13, "\r"), "Space": (" ", 32, " "), "ArrowLeft": ("ArrowLeft", 37, ""),
        "ArrowRight": ("ArrowRight", 39, "")}


class Page:
    """A tab with one file in it."""

    def __init__(self, browser, path, width=1280, height=900, dark=False, scripts=True, reduced_motion=False):
        self.browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.target = target
        self.session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.send(domain + ".enable")
        self.resize(width, height)
        self.media(dark=dark, reduced_motion=reduced_motion)
        if not scripts:
            self.send("Emulation.setScriptExecutionDisabled", value=True)
        self.url = "file://" + os.path.abspath(path)
        begin = time.monotonic()
        self.send("Page.navigate", url=self.url)
        self.wait_for(lambda: self.saw("Page.loadEventFired"), "the load event")
        self.load_seconds = time.monotonic() - begin

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)

    def mine(self):
        return [event for event in self.browser.events if event.get("sessionId") == self.session]

    def saw(self, method):
        return any(event["method"] == method for event in self.mine())

    def wait_for(self, condition, what, seconds=30):
        """Until the condition holds; messages of the browser are read meanwhile."""
        deadline = time.monotonic() + seconds
        while True:
            answer = condition()
            if answer:
                return answer
            if time.monotonic() > deadline:
                raise BrowserError(f"{what}: not within {seconds} s")
            self.browser.pump(time.monotonic() + 0.05)

    def resize(self, width, height):
        # A phone also lays out as one.
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def media(self, dark=False, reduced_motion=False, kind=""):
        self.send("Emulation.setEmulatedMedia", media=kind, features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced_motion else "no-preference"}])

    def js(self, expression):
        """The value of an expression of JavaScript (of what a promise brings)."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description", details["text"]) + f"\nin {expression}")
        return answer["result"].get("value")

    def errors(self):
        """Errors and warnings of the console, exceptions, and what the log of the browser calls an error."""
        found = []
        for event in self.mine():
            about = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                details = about["exceptionDetails"]
                found.append(details.get("exception", {}).get("description", details["text"]))
            elif event["method"] == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning", "assert"):
                found.append(" ".join(str(one.get("value", one.get("description"))) for one in about["args"]))
            elif event["method"] == "Log.entryAdded" and about["entry"]["level"] == "error":
                found.append(about["entry"]["text"] + " " + about["entry"].get("url", ""))
        return found

    def requests(self):
        """The addresses of all that was asked for, but the page itself and what it carries within."""
        asked = [event["params"]["request"]["url"] for event in self.mine() if event["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if url.split("#")[0] != self.url and not url.startswith(("data:", "blob:", "about:"))]

    def key(self, name, shift=False):
        key, code, text = KEYS[name]
        modifiers = 8 if shift else 0
        down = {"type": "keyDown", "key": key, "code": name, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        if text:
            down.update(text=text)
        self.send("Input.dispatchKeyEvent", **down)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, code=name, windowsVirtualKeyCode=code, modifiers=modifiers)

    def type(self, text):
        self.send("Input.insertText", text=text)

    def click(self, selector):
        """A real click in the middle of the first element that fits."""
        box = self.box(selector)
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def box(self, selector):
        """Brings an element into the window and gives its place there."""
        return self.js(
            "(() => { const e = document.querySelector(%s); e.scrollIntoView({block: 'center', behavior: 'instant'});"
            " const r = e.getBoundingClientRect(); return {x: r.x, y: r.y, width: r.width, height: r.height}; })()"
            % json.dumps(selector))

    def screenshot(self, path=None, selector=None, scale=1.0, full=False, inset=0):
        """A PNG of the window, of one element without so many pixels at its edges, or of the whole page; also written to path."""
        options = {"format": "png"}
        if selector:
            box = self.box(selector)
            scroll = self.js("({x: window.scrollX, y: window.scrollY})")
            # Positions in the document: the element may be larger than the window.
            options["clip"] = {"x": box["x"] + scroll["x"] + inset, "y": box["y"] + scroll["y"] + inset,
                               "width": box["width"] - 2 * inset, "height": box["height"] - 2 * inset, "scale": scale}
            options["captureBeyondViewport"] = True
        elif full:
            options["captureBeyondViewport"] = True
            size = self.send("Page.getLayoutMetrics")["cssContentSize"]
            options["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": scale}
        data = base64.b64decode(self.send("Page.captureScreenshot", **options)["data"])
        if path:
            with open(path, "wb") as file:
                file.write(data)
        return data


def read_png(data):
    """(width, height, rows), rows a list of lists of (red, green, blue): 8 bits a channel, not interlaced."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("no PNG")
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            if depth != 8 or interlace or colour not in (2, 6):
                raise ValueError("PNG of another kind")
            channels = 3 if colour == 2 else 4
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    stream = zlib.decompress(packed)
    stride = width * channels
    before = bytearray(stride)
    rows = []
    for y in range(height):
        kind = stream[y * (stride + 1)]
        line = bytearray(stream[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        if kind == 2:
            line = bytearray((a + b) & 255 for a, b in zip(line, before))
        elif kind:
            for i in range(stride):
                left = line[i - channels] if i >= channels else 0
                up = before[i]
                if kind == 1:
                    guess = left
                elif kind == 3:
                    guess = (left + up) // 2
                else:
                    corner = before[i - channels] if i >= channels else 0
                    p = left + up - corner
                    a, b, c = abs(p - left), abs(p - up), abs(p - corner)
                    guess = left if a <= b and a <= c else up if b <= c else corner
                line[i] = (line[i] + guess) & 255
        rows.append([tuple(line[x:x + 3]) for x in range(0, stride, channels)])
        before = line
    return width, height, rows


def share_drawn(data):
    """The share of pixels that are not of the commonest colour, to 8 levels of 256: 0 is a blank picture."""
    width, height, rows = read_png(data)
    counts = {}
    for row in rows:
        for pixel in row:
            counts[pixel] = counts.get(pixel, 0) + 1
    ground = max(counts, key=counts.get)
    alike = sum(count for pixel, count in counts.items() if max(abs(a - b) for a, b in zip(pixel, ground)) <= 8)
    return 1.0 - alike / (width * height)


if __name__ == "__main__":
    # chromium.py PAGE PICTURE [WIDTH [dark]]: what a page looks like.
    with Browser(find_chromium()) as the_browser:
        the_page = the_browser.open(sys.argv[1], width=int(sys.argv[3]) if len(sys.argv) > 3 else 1280,
                                    dark="dark" in sys.argv[4:])
        the_page.screenshot(sys.argv[2], full=True)
