// A person at the wheel: keys or the pad on the screen, sent 20 times a second while it lasts.

const PERIOD_MS = 50;
const KEYS = { KeyA: "ArrowLeft", KeyD: "ArrowRight", KeyW: "ArrowUp", KeyS: "ArrowDown" };
const STEER_RATE = 1.6; // full deflections a second
const RETURN_RATE = 3.0;
const STEER_LIMIT = 0.7;

export class Wheel {
  constructor(send, pad) {
    this.send = send;
    this.held = new Set();
    this.steer = 0;
    this.reverse = false;
    this.timer = null;
    window.addEventListener("keydown", (event) => this.key(event, true));
    window.addEventListener("keyup", (event) => this.key(event, false));
    window.addEventListener("blur", () => this.held.clear());
    for (const button of pad.querySelectorAll("button")) {
      const hold = (on) => {
        button.classList.toggle("held", on);
        this.held[on ? "add" : "delete"](button.dataset.key);
      };
      button.addEventListener("pointerdown", (event) => {
        button.setPointerCapture(event.pointerId);
        hold(true);
      });
      for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) button.addEventListener(name, () => hold(false));
    }
  }

  get active() {
    return this.timer !== null;
  }

  start() {
    if (this.active) return;
    this.steer = 0;
    this.reverse = false;
    this.held.clear();
    this.timer = setInterval(() => this.tick(), PERIOD_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
  }

  key(event, down) {
    if (!this.active || event.target instanceof HTMLInputElement) return;
    const name = KEYS[event.code] ?? event.code;
    if (down && name === "KeyR" && !event.repeat) this.reverse = !this.reverse;
    if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Space"].includes(name)) return;
    event.preventDefault();
    this.held[down ? "add" : "delete"](name);
  }

  tick() {
    const wanted = (this.held.has("ArrowRight") ? STEER_LIMIT : 0) - (this.held.has("ArrowLeft") ? STEER_LIMIT : 0);
    const most = ((wanted === 0 ? RETURN_RATE : STEER_RATE) * PERIOD_MS) / 1000;
    this.steer += Math.min(Math.max(wanted - this.steer, -most), most);
    this.send({
      do: "manual",
      steer: this.steer,
      throttle: this.held.has("ArrowUp") ? 0.6 : 0,
      brake: this.held.has("Space") ? 1 : this.held.has("ArrowDown") ? 0.5 : 0,
      reverse: this.reverse,
    });
  }
}
