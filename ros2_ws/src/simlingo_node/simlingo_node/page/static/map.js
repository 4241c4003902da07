// The top view. Positions are metres in the map frame of the core: x east, y south, as on a screen.

const NEAREST = 12; // pixels a metre
const FARTHEST = 0.4;

function line(points) {
  const path = new Path2D();
  for (let i = 0; i < points.length; i += 2) path.lineTo(points[i], points[i + 1]);
  return path;
}

export class MapView {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.zoom = 4.2;
    this.northUp = false;
    this.streets = new Map(); // width in metres -> Path2D
    this.marks = { solid: new Path2D(), broken: new Path2D(), yellow: new Path2D(), yellowBroken: new Path2D() };
    this.route = [];
    this.trace = [];
    this.readColours();
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.readColours());
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1.15 : 1 / 1.15);
    }, { passive: false });
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    this.colours = {};
    for (const name of ["ground", "street", "mark", "yellow", "route", "trace", "path", "waypoints", "text", "card"]) {
      this.colours[name] = style.getPropertyValue(`--${name}`).trim();
    }
  }

  zoomBy(factor) {
    this.zoom = Math.min(Math.max(this.zoom * factor, FARTHEST), NEAREST);
    if (this.state) this.draw(this.state);
  }

  setStreets({ lanes, marks }) {
    this.streets = new Map();
    for (const lane of lanes) {
      const path = this.streets.get(lane.width) ?? new Path2D();
      path.addPath(line(lane.points));
      this.streets.set(lane.width, path);
    }
    this.marks = { solid: new Path2D(), broken: new Path2D(), yellow: new Path2D(), yellowBroken: new Path2D() };
    for (const mark of marks) {
      const name = mark.yellow ? (mark.broken ? "yellowBroken" : "yellow") : mark.broken ? "broken" : "solid";
      this.marks[name].addPath(line(mark.points));
    }
  }

  setLasting({ route, trace }) {
    this.route = route.points;
    this.trace = trace;
  }

  follow(pose) {
    const length = this.trace.length;
    if (length && Math.hypot(pose[0] - this.trace[length - 2], pose[1] - this.trace[length - 1]) < 1) return;
    this.trace.push(pose[0], pose[1]);
    if (this.trace.length > 8000) this.trace.splice(0, 2000);
  }

  draw(state) {
    this.state = state;
    const { canvas, context, colours } = this;
    const scale = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(canvas.clientWidth * scale);
    const height = Math.round(canvas.clientHeight * scale);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = colours.ground;
    context.fillRect(0, 0, width, height);
    if (!state.pose) return;
    const [x, y, yaw] = state.pose;
    const zoom = this.zoom * scale;
    context.translate(width / 2, height * (this.northUp ? 0.5 : 0.7));
    context.scale(zoom, zoom);
    if (!this.northUp) context.rotate(-yaw - Math.PI / 2);
    context.translate(-x, -y);
    this.drawGround();
    this.drawIntent(state, scale / zoom);
    this.drawVehicle(x, y, yaw);
  }

  drawGround() {
    const { context, colours } = this;
    context.lineJoin = context.lineCap = "round";
    context.strokeStyle = colours.street;
    for (const [width, path] of this.streets) {
      context.lineWidth = width + 0.1;
      context.stroke(path);
    }
    context.lineCap = "butt";
    context.lineWidth = Math.max(0.15, 0.8 / this.zoom);
    for (const [name, colour, dash] of [["solid", colours.mark, []], ["broken", colours.mark, [3, 6]], ["yellow", colours.yellow, []], ["yellowBroken", colours.yellow, [3, 6]]]) {
      context.setLineDash(dash);
      context.strokeStyle = colour;
      context.stroke(this.marks[name]);
    }
    context.setLineDash([]);
  }

  drawIntent(state, pixel) {
    const { context, colours } = this;
    context.lineCap = "round";
    this.stroke(this.route, colours.route, 3 * pixel, 0.35);
    this.stroke(this.trace, colours.trace, 2 * pixel, 0.7);
    context.fillStyle = colours.route;
    const targets = state.navigation?.targets ?? [];
    for (let i = 0; i < targets.length; i += 2) this.dot(targets[i], targets[i + 1], 5 * pixel);
    if (!state.plan) return;
    this.stroke(state.plan.path, colours.path, Math.max(1.2, 3 * pixel), 0.8);
    context.fillStyle = colours.waypoints;
    const dots = state.plan.waypoints;
    for (let i = 0; i < dots.length; i += 2) this.dot(dots[i], dots[i + 1], Math.max(0.35, 2.2 * pixel));
  }

  stroke(points, colour, width, opacity) {
    if (points.length < 4) return;
    const { context } = this;
    context.globalAlpha = opacity;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke(line(points));
    context.globalAlpha = 1;
  }

  dot(x, y, radius) {
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.context.fill();
  }

  drawVehicle(x, y, yaw) {
    const { context, colours } = this;
    context.save();
    context.translate(x, y);
    context.rotate(yaw);
    const size = Math.max(1, 2.2 / this.zoom); // stays visible from far away
    context.scale(size, size);
    context.fillStyle = colours.text;
    context.beginPath();
    context.roundRect(-2.3, -0.95, 4.6, 1.9, 0.5);
    context.fill();
    context.fillStyle = colours.card;
    context.beginPath();
    context.roundRect(0.3, -0.75, 0.8, 1.5, 0.25);
    context.fill();
    context.restore();
  }
}
