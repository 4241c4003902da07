"""Talking on the live page, in a real browser: questions beside their picture, states, microphone and voice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from harness_watchers import Process, wait_for
from test_page import driver, needs_browser, opened, stack  # noqa: F401

Page = tuple[Any, Process, Callable[[str], str]]
#: A browser that hears a fixed sentence: there is no microphone here, and no service that recognises speech.
HEARS = """
window.SpeechRecognition = class {
  start() {
    const result = Object.assign([{ transcript: "go straight ahead" }], { isFinal: true });
    setTimeout(() => { this.onresult({ results: [result] }); this.onend(); }, 50);
  }
  abort() { this.onend(); }
};
"""
DEAF = "delete window.webkitSpeechRecognition; delete window.SpeechRecognition;"
#: Notes what is spoken, where nobody listens.
SPEAKS = "window.spoken = []; speechSynthesis.speak = (words) => window.spoken.push(words.text);"


def reopened(page: Page, script: str) -> None:
    """The page again, in a browser that ``script`` has changed before."""
    browser = page[0]
    made = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        browser.refresh()
        wait_for(lambda: int(browser.execute_script("return document.body.dataset.frames || 0")) > 2, 15.0, "frames")
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)


@needs_browser
def test_an_answer_stands_beside_the_picture_that_it_speaks_of(opened: Page) -> None:  # noqa: F811
    browser, fake, text = opened
    browser.find_element("id", "question").send_keys("what is <i>ahead</i>?\n")
    wait_for(lambda: "what is <i>ahead</i>?" in fake.said("question"), 5.0, "the question at the service")
    wait_for(lambda: "There is a box ahead." in text("answers"), 5.0, "the answer")
    assert "<i>ahead</i>" in text("answers"), "words are shown as words, not as markup"
    size = "const image = document.querySelector('#answers img'); return image ? image.naturalWidth : 0"
    wait_for(lambda: browser.execute_script(size) == 1024, 5.0, "the picture")
    shown = browser.find_element("css selector", "#answers img").rect
    assert 60 < shown["width"] < 200


@needs_browser
def test_a_question_without_an_answer_says_why(opened: Page) -> None:  # noqa: F811
    browser, _, text = opened
    chips = browser.find_elements("css selector", ".questions button")
    next(chip for chip in chips if "why" in chip.text).click()
    wait_for(lambda: "was not trained to answer that" in text("answers"), 5.0, "the reason")


@needs_browser
def test_every_state_of_an_instruction_stays_in_sight(opened: Page) -> None:  # noqa: F811
    browser, _, text = opened
    browser.find_element("id", "text").send_keys("sing\n")
    wait_for(lambda: "accepted → not understood" in text("feed"), 5.0, "both states")
    assert "I do not understand that" in text("feed")


@needs_browser
def test_a_microphone_where_the_browser_can_hear(opened: Page) -> None:  # noqa: F811
    browser, fake, _ = opened
    reopened(opened, HEARS)
    browser.find_element("css selector", "#instruct .mic").click()
    wait_for(lambda: "go straight ahead" in fake.said("instruction"), 5.0, "what was heard on its topic")
    reopened(opened, DEAF)
    assert not any(button.is_displayed() for button in browser.find_elements("css selector", ".mic"))


@needs_browser
def test_the_commentary_is_read_aloud_only_where_it_is_wished(opened: Page) -> None:  # noqa: F811
    browser = opened[0]
    reopened(opened, SPEAKS)
    assert browser.execute_script("return window.spoken") == []
    browser.find_element("id", "voice").click()
    words = "Turn left at the junction. Stop for the red light."
    wait_for(lambda: browser.execute_script("return window.spoken") == [words], 5.0, "the words, once")


@needs_browser
@pytest.mark.parametrize("text", ["x" * 600, 7, None])
def test_what_is_no_text_is_told_to_the_browser(opened: Page, text: object) -> None:  # noqa: F811
    browser = opened[0]
    heard = browser.execute_async_script(
        """
        const [text, done] = arguments, socket = new WebSocket(`ws://${location.host}/ws`);
        socket.onopen = () => socket.send(JSON.stringify({ do: "ask", text }));
        socket.onmessage = ({ data }) => {
          const said = typeof data === "string" ? JSON.parse(data) : {};
          if (said.kind === "error") { socket.close(); done(said.text); }
        };
        """,
        text,
    )
    assert "at most 500 characters" in heard
