"""A local page in a thread, and what tests of a browser ask of it."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from importlib.resources import files

WAIT = 20
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
"""Of axe: WCAG 2.1 up to level AA, and what else keeps people out."""


@contextmanager
def served(app):
    """Where a server in a thread can be asked."""
    import uvicorn

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(WAIT)


def wait(condition):
    """Wait until something is there; returns it."""
    from selenium.common.exceptions import StaleElementReferenceException

    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
        except StaleElementReferenceException:  # between two pages
            pass
        time.sleep(0.05)
    raise AssertionError("the page did not answer")


def find(browser, selector):
    """Elements that a selector of CSS finds."""
    return browser.find_elements("css selector", selector)


def emulate(browser, *, width=1280, scheme="light"):
    """Make the browser a phone's or a desktop's, light or dark."""
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def barriers(browser):
    """What axe finds on the page that keeps people out: rule and the elements that break it."""
    browser.execute_script((files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "axe.run(document, {runOnly: arguments[0]}).then(arguments[1])", RULES
    )
    return {one["id"]: [node["html"] for node in one["nodes"]] for one in found["violations"]}


def heard(browser):
    """What a screen reader is told: pairs of role and name."""
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    return [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node.get("ignored")
    ]


def asked_elsewhere(browser):
    """Addresses on other servers that the browser has asked since this was last looked at."""
    events = [json.loads(one["message"])["message"] for one in browser.get_log("performance")]
    return [
        url
        for event in events
        if event["method"] == "Network.requestWillBeSent"
        and not (url := event["params"]["request"]["url"]).startswith(("http://127.0.0.1", "data:"))
    ]
