// The page: one socket, and everything that is shown from it.

import { CameraView } from "./camera.js";
import { element, fill } from "./dom.js";
import { SpeedGraph } from "./graph.js";
import { MapView } from "./map.js";
import { Talk } from "./talk.js";
import { Wheel } from "./wheel.js";

const $ = (id) => document.getElementById(id);
const camera = new CameraView($("camera"));
const map = new MapView($("map"));
const graph = new SpeedGraph($("graph"));
const wheel = new Wheel(send, $("manual"));
const talk = new Talk(send);
let socket = null;
let state = null;
let frames = 0;
let town = null;
let you = null; // this browser's number; another one's take-over only shows

function send(request) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
}

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => (typeof data === "string" ? receive(JSON.parse(data)) : showPicture(data));
  socket.onclose = () => {
    wheel.stop();
    you = null;
    state = null;
    pill("connection lost, trying again", "bad");
    setTimeout(connect, 1000);
  };
}

async function showPicture(data) {
  const { stamp, jpeg } = await camera.show(data);
  talk.keep(stamp, jpeg);
  $("waiting").hidden = true;
  document.body.dataset.frames = ++frames;
}

function receive(message) {
  if (message.kind === "state") {
    state = message;
    if (!document.hidden) requestAnimationFrame(show);
  } else if (message.kind === "lasting") {
    map.setLasting(message);
    if (message.town !== town) loadStreets(message.town);
  } else if (message.kind === "you") {
    you = message.number;
  } else if (message.kind === "error") {
    problem(message.text);
  }
}

async function loadStreets(name) {
  town = name;
  $("town").textContent = name.split("/").at(-1) || "–";
  map.setStreets(await (await fetch("/streets.json")).json());
}

function show() {
  if (!state) return;
  const { score, navigation, takeover } = state;
  if (state.pose) map.follow(state.pose);
  map.draw(state);
  $("time").textContent = state.time === null ? "–" : `${state.time.toFixed(1)} s`;
  $("factor").textContent = state.real_time_factor === null ? "–" : `${state.real_time_factor.toFixed(2)}×`;
  $("pause").textContent = state.paused ? "Resume" : "Pause";
  $("step").hidden = !state.paused;
  problem(state.problem);
  showMotion();
  showTakeover(takeover);
  showRoute(navigation, score);
  showNodes(state.nodes);
  talk.showFeed(state.feed);
  talk.showAnswers(state.answers);
  showLight(state.light);
  showWords(state.words);
  showStatus(score, takeover);
}

function pill(text, mood) {
  $("status").textContent = text;
  $("status").className = `pill ${mood}`;
}

function showStatus(score, takeover) {
  const ended = score && score.status !== "running";
  const bad = state.nodes.find((node) => mood(node) === "bad");
  if (takeover.alone) pill("braked: nobody at the wheel", "warn");
  else if (takeover.active) pill(takeover.by === you ? "you drive" : "another browser drives", "warn");
  else if (ended) pill(score.status, score.status === "completed" ? "good" : "bad");
  else if (state.paused) pill("paused", "warn");
  else if (bad) pill(`${bad.name}: ${bad.mode}`, "bad");
  else if (!state.pose) pill("waiting for the stack", "warn");
  else pill("driving", "good");
}

function problem(text) {
  $("problem").hidden = !text;
  $("problem").textContent = text ?? "";
}

function showWords(words) {
  talk.speak(words);
  $("says").hidden = !words;
  if ($("says").textContent !== words) $("says").textContent = words; // a screen reader says what is set
}

function showMotion() {
  const kmh = state.speed === null ? null : state.speed * 3.6;
  $("speed").textContent = kmh === null ? "–" : Math.round(kmh);
  if (kmh !== null && state.time !== null) graph.add(state.time, kmh);
  graph.draw();
  const { steer = 0, throttle = 0, brake = 0 } = state.control ?? {};
  $("steer").style.left = `${50 + Math.min(steer, 0) * 50}%`;
  $("steer").style.width = `${Math.abs(steer) * 50}%`;
  $("throttle").style.width = `${throttle * 100}%`;
  $("brake").style.width = `${brake * 100}%`;
}

function showTakeover({ active, alone, by }) {
  const mine = active && by === you;
  const taken = active && !mine && !alone;
  $("takeover").textContent = active && !taken ? "Give back" : "Take over";
  $("takeover").className = active && !taken ? "danger" : "strong";
  $("takeover").disabled = taken;
  $("manual").hidden = !active;
  if (mine) wheel.start();
  else wheel.stop();
  if (alone) $("manual-text").textContent = "Braked: nobody at the wheel. Press Give back";
  else if (taken) $("manual-text").textContent = "Another browser drives";
  else $("manual-text").textContent = `You drive: arrow keys, space brakes, R ${wheel.reverse ? "forwards" : "reverses"}, Esc gives back`;
}

function showRoute(navigation, score) {
  const { length = null, progress = null, command = "", distance = null, status = "" } = navigation ?? {};
  $("command").hidden = !status;
  $("command").textContent = status !== "on route" ? status : command === "follow the road" || distance === null ? command : `${command} in ${Math.max(distance, 0).toFixed(0)} m`;
  $("distance").textContent = length ? `${progress.toFixed(0)} of ${length.toFixed(0)} m` : "";
  $("progress").style.width = `${length ? Math.min((100 * progress) / length, 100) : 0}%`;
  $("completion").textContent = score?.completion == null ? "–" : `${score.completion.toFixed(0)} %`;
  $("driving").textContent = score?.driving == null ? "–" : score.driving.toFixed(0);
  $("reds").textContent = score ? `${score.red_lights[0]}/${score.red_lights[1]}` : "–";
  $("collisions").textContent = score ? score.collisions : "–";
  const lines = score?.infractions ?? [];
  fill($("infractions"), lines.join("\n"), () => lines.map((text) => element("li", text)));
}

function mood(node) {
  if (node.age > 4 || /fail|error|dead|degraded|brak/.test(node.mode)) return "bad";
  return /active|driving|running|following|track/.test(node.mode) && !/inactive/.test(node.mode) ? "good" : "warn";
}

const ORDER = ["carla_bridge", "route", "planner", "controller", "recorder", "page", "lifecycle_manager"];

function showNodes(nodes) {
  nodes.sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
  const planner = nodes.find((node) => node.name.endsWith("planner"));
  $("latency").textContent = planner?.p50_ms != null ? `${planner.p50_ms.toFixed(0)} ms` : "–";
  if (!nodes.length) return;
  const rows = nodes.map((node) => {
    const silent = node.age > 4 ? `silent for ${node.age.toFixed(0)} s` : node.mode;
    const number = (value) => (value == null ? "" : value.toFixed(1));
    return [mood(node), node.name.split("/").at(-1).replace("lifecycle_manager", "lifecycle").replaceAll("_", " "), silent, number(node.p50_ms), number(node.p99_ms), node.dropped, node.detail];
  });
  fill($("nodes"), JSON.stringify(rows), () => rows.map(([tone, name, mode, ...rest]) => {
    const row = element("tr", "", tone);
    const first = element("td", name);
    first.prepend(element("span", "", "dot"));
    row.append(first, element("td", mode), ...rest.slice(0, 3).map((text) => element("td", text)));
    row.title = rest[3];
    return row;
  }));
}

function showLight(light) {
  $("light").hidden = !light;
  if (!light) return;
  $("light").className = `light ${light.state}`;
  $("light").lastElementChild.textContent = `${light.state} in ${light.distance.toFixed(0)} m`;
}

function takeOver(on) {
  send({ do: on ? "take_over" : "give_back" });
  if (!on) wheel.stop();
}

$("pause").addEventListener("click", () => send({ do: state?.paused ? "play" : "pause" }));
$("step").addEventListener("click", () => send({ do: "step" }));
$("takeover").addEventListener("click", (event) => {
  takeOver(!state?.takeover.active);
  event.currentTarget.blur(); // so that the space bar brakes and does not press the button again
});
window.addEventListener("keydown", (event) => {
  if (event.code === "Escape" && state?.takeover.active) takeOver(false);
});
$("zoom-in").addEventListener("click", () => map.zoomBy(1.4));
$("zoom-out").addEventListener("click", () => map.zoomBy(1 / 1.4));
$("north").addEventListener("click", (event) => {
  map.northUp = !map.northUp;
  event.currentTarget.setAttribute("aria-pressed", map.northUp);
});
connect();
