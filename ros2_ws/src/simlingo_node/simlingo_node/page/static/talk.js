// Instructions and questions: what a person says, what becomes of it, and the driver's words in the browser's voice.

import { element, fill } from "./dom.js";

const $ = (id) => document.getElementById(id);
const KEPT_EVERY_S = 0.2; // of the pictures that an answer may speak of
const KEPT_S = 20;
const NEAR_S = 0.3; // a picture further than this from the answer's frame is not shown beside it
const Recognition = window.SpeechRecognition ?? window.webkitSpeechRecognition;

export class Talk {
  constructor(send) {
    this.send = send;
    this.pictures = []; // [stamp in s, URL of the JPEG], oldest first
    this.said = null; // the words that were spoken last
    this.form("instruct", "text", (text) => send({ do: "instruct", text }));
    this.form("ask", "question", (text) => send({ do: "ask", text }));
    for (const chip of document.querySelectorAll(".chips button")) {
      const what = chip.closest(".questions") ? "ask" : "instruct";
      chip.addEventListener("click", () => send({ do: what, text: chip.dataset.text ?? chip.textContent }));
    }
    for (const button of document.querySelectorAll(".mic")) this.microphone(button);
    $("voice-switch").hidden = !("speechSynthesis" in window);
    $("voice").addEventListener("change", () => {
      if (!$("voice").checked) speechSynthesis.cancel();
      this.said = null;
    });
  }

  form(name, field, submit) {
    $(name).addEventListener("submit", (event) => {
      event.preventDefault();
      const text = $(field).value.trim();
      if (!text) return;
      submit(text);
      $(field).value = "";
    });
  }

  // Where the browser has speech recognition, a button hears one sentence, writes it into the field and sends it.
  microphone(button) {
    button.hidden = !Recognition;
    if (!Recognition) return;
    const form = button.closest("form");
    const field = form.querySelector("input");
    button.addEventListener("click", () => {
      if (this.hearing) return this.hearing.abort();
      const hearing = new Recognition();
      this.hearing = hearing;
      hearing.lang = document.documentElement.lang;
      hearing.interimResults = true;
      button.setAttribute("aria-pressed", "true");
      hearing.onresult = ({ results }) => {
        const last = results[results.length - 1];
        field.value = last[0].transcript;
        if (last.isFinal) form.requestSubmit();
      };
      hearing.onerror = ({ error }) => {
        field.placeholder = error === "not-allowed" ? "the microphone is not allowed here" : `not heard: ${error}`;
      };
      hearing.onend = () => {
        this.hearing = null;
        button.setAttribute("aria-pressed", "false");
      };
      hearing.start();
    });
  }

  // A picture of the camera (a JPEG's Blob); some are kept, so that answers stand beside what they speak of.
  keep(stamp, jpeg) {
    const newest = this.pictures.at(-1)?.[0] ?? -Infinity;
    if (stamp < newest) this.forget(Infinity); // another drive
    if (stamp >= newest && stamp - newest < KEPT_EVERY_S) return;
    this.pictures.push([stamp, URL.createObjectURL(jpeg)]);
    this.forget(stamp - KEPT_S);
  }

  forget(before) {
    const shown = new Set([...document.querySelectorAll("#answers img")].map((image) => image.src));
    this.pictures = this.pictures.filter(([stamp, url]) => {
      if (stamp >= before || shown.has(url)) return true;
      URL.revokeObjectURL(url);
      return false;
    });
  }

  picture(stamp) {
    const [near, url] = this.pictures.reduce(
      (best, each) => (Math.abs(each[0] - stamp) < Math.abs(best[0] - stamp) ? each : best), [-Infinity, ""]);
    return Math.abs(near - stamp) <= NEAR_S ? url : "";
  }

  // Instructions with every state that they have been in, newest first.
  showFeed(feed) {
    fill($("feed"), JSON.stringify(feed), () => feed.toReversed().map((entry) => {
      const item = element("li", "");
      const said = element("span", entry.text ? `“${entry.text}”` : "clear", "said");
      const before = entry.steps.slice(0, -1);
      if (before.length) said.append(element("small", `${before.join(" → ")} → ${entry.status}`));
      if (entry.reason) said.append(element("small", entry.reason));
      item.append(element("span", `${entry.time.toFixed(1)} s`, "at"), said, element("b", entry.status, entry.status));
      return item;
    }));
  }

  // Questions with their answers, newest first, each beside the picture that it speaks of.
  showAnswers(answers) {
    fill($("answers"), JSON.stringify(answers), () => answers.toReversed().map((entry) => {
      const item = element("li", "");
      const words = element("div", "", "said");
      words.append(element("small", entry.question));
      const tone = entry.error ? "refused" : "answer";
      words.append(element("span", entry.error || entry.answer || "…", entry.answer || entry.error ? tone : "muted"));
      const url = entry.answer ? this.picture(entry.stamp) : "";
      if (url) {
        const image = element("img", "");
        image.src = url;
        image.alt = `what the camera saw at ${entry.stamp.toFixed(1)} s`;
        image.title = image.alt;
        item.append(image);
      }
      item.append(words);
      return item;
    }));
  }

  // The commentary in the browser's own voice, where that is wished; newer words cut older ones off.
  speak(words) {
    if (!$("voice").checked || !words || words === this.said) return;
    this.said = words;
    speechSynthesis.cancel();
    const spoken = new SpeechSynthesisUtterance(words);
    spoken.lang = document.documentElement.lang;
    speechSynthesis.speak(spoken);
  }
}
