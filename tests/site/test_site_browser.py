"""The site in a browser: on a desk and on a phone, in the light and in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from built import PAGES, SITE

VIEWS = {
    f"{device}-{scheme}": {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    for device, width, height in (("desk", 1280, 800), ("phone", 390, 844))
    for scheme in ("light", "dark")
}
WIDER = """() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"""
UNSEEN = """() => [...document.images].filter(image => image.complete && !image.naturalWidth).map(image => image.src)"""


def watched(page: Page, home: str) -> list[str]:
    """What goes wrong on a page from now on: errors of its own, and requests that fail or leave the site."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    # Whoever leaves a page ends the requests that it still has.
    page.on(
        "requestfailed", lambda request: request.failure != "net::ERR_ABORTED" and said.append(f"failed: {request.url}")
    )
    page.on(
        "request",
        lambda request: None if request.url.startswith((home, "data:", "blob:")) else said.append(request.url),
    )
    return said


@pytest.mark.parametrize("view", VIEWS)
def test_pages(view: str, browser: Browser, address: str) -> None:
    """If this fails a page has errors, needs another host, lacks a picture, or is wider than the screen."""
    wrong = {}
    with browser.new_context(**VIEWS[view]) as context:
        page = context.new_page()
        said = watched(page, address)
        for name in PAGES:
            page.goto(f"{address}/{name}")
            scheme = page.evaluate("() => document.body.dataset.mdColorScheme")
            assert scheme == ("slate" if view.endswith("dark") else "default")
            found = [*said, *page.evaluate(UNSEEN)]
            if (wider := page.evaluate(WIDER)) > 0:
                found.append(f"{wider} pixels wider than the screen")
            if found:
                wrong[name] = found
            said.clear()
    assert wrong == {}


@pytest.mark.parametrize("view", ["desk-light", "phone-dark"])
@pytest.mark.parametrize("served", [True, False], ids=["served", "from the disk"])
def test_search(served: bool, view: str, browser: Browser, address: str) -> None:
    """If this fails nothing is found, which needs no network and no server."""
    home = address if served else SITE.as_uri()
    with browser.new_context(**VIEWS[view]) as context:
        page = context.new_page()
        said = watched(page, home)
        page.goto(f"{home}/index.html")
        if view.startswith("phone"):
            page.locator("label.md-header__button[for=__search]").click()
        else:
            page.locator(".md-search__input").click()
        page.locator(".md-search__input").press_sequentially("truncation")
        page.locator(".md-search-result__link").first.wait_for(timeout=20_000)
        targets = [link.get_attribute("href") or "" for link in page.locator(".md-search-result__link").all()]
        assert any("concepts/truncation.html" in target for target in targets)
        page.locator(".md-search-result__link").first.click()
        page.wait_for_url("**/*truncation*")
        assert said == []


def test_faults_are_seen(browser: Browser, address: str) -> None:
    """If this fails the tests above see nothing."""
    with browser.new_context(**VIEWS["phone-light"]) as context:
        page = context.new_page()
        said = watched(page, address)
        page.goto(f"{address}/index.html")
        assert page.evaluate(WIDER) <= 0
        page.evaluate("""() => {
            console.error("an error")
            document.body.insertAdjacentHTML("beforeend", '<img src="none.png"><p style="width: 999px">wide</p>')
            fetch("http://127.0.0.1:9/elsewhere").catch(() => {})
            setTimeout(() => { throw Error("thrown") })
        }""")
        page.wait_for_function("() => [...document.images].at(-1).complete")
        page.wait_for_timeout(200)
        assert page.evaluate(WIDER) > 0
        assert len(page.evaluate(UNSEEN)) == 1
        assert {"an error", "http://127.0.0.1:9/elsewhere"} <= set(said)
        assert any("thrown" in text for text in said)
