"""A browser without a window, told what to do by DevTools' protocol over a pipe."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from matplotlib.image import imread
from numpy.typing import NDArray


class Browser:
    """Headless Chromium with one page. Whatever it complains of is in `complaints`, what it asks for in `asked`."""

    def __init__(self, folder: Path) -> None:
        told, self._to = os.pipe()
        self._from, says = os.pipe()

        def place() -> None:  # Chromium reads from 3 and writes to 4
            for handle, number in ((os.dup(told), 3), (os.dup(says), 4)):
                os.dup2(handle, number)

        self._process = subprocess.Popen(
            [
                *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"),
                *(f"--user-data-dir={folder}", "about:blank"),
            ],
            preexec_fn=place,
            close_fds=False,
            stderr=subprocess.DEVNULL,
        )
        for handle in (told, says):
            os.close(handle)
        self._rest, self._count, self._session = b"", 0, None
        self.complaints: list[str] = []
        self.asked: list[str] = []
        target = next(one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page")
        found = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """What a method returns."""
        self._count += 1
        number = self._count
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def wait(self, event: str) -> None:
        """Waits for an event."""
        while self._next().get("method") != event:
            pass

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            some = os.read(self._from, 1 << 16)
            assert some, "the browser has ended"
            self._rest += some
        text, _, self._rest = self._rest.partition(b"\0")
        answer = dict(json.loads(text))
        method, params = answer.get("method"), answer.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in {"warning", "error"}:
            self.complaints.append(params["entry"]["text"])
        elif method in {"Runtime.consoleAPICalled", "Page.javascriptDialogOpening"}:
            self.complaints.append(str(params))
        elif method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        return answer

    def open(self, path: Path, width: int, height: int, scheme: str = "light") -> None:
        """Shows a page in a window of this size."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=path.as_uri())
        self.wait("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """What a script gives on the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Presses a key."""
        codes = {"Tab": 9, "Enter": 13}
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **text)

    def write(self, text: str) -> None:
        """Writes where the focus is."""
        self.call("Input.insertText", text=text)

    def picture(self, path: Path | None = None) -> NDArray[np.float64]:
        """The window as an array of colours."""
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        if path is not None:
            path.write_bytes(data)
        return np.asarray(imread(BytesIO(data)), np.float64)[..., :3]


if __name__ == "__main__":  # python -m pages.browser PAGE PICTURE WIDTH HEIGHT SCHEME [SCRIPT]
    import tempfile

    page, picture, width, height, scheme, *script = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, Browser(Path(folder)) as browser:
        browser.open(Path(page).resolve(), int(width), int(height), scheme)
        for text in script:
            browser.run(text)
        browser.picture(Path(picture))
