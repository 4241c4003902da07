// Speed of the last 30 simulated seconds.

const SPAN_S = 30;

export class SpeedGraph {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.samples = []; // [simulation time s, km/h]
  }

  add(time, speed) {
    const last = this.samples.at(-1);
    if (last && time < last[0]) this.samples = [];
    if (last && time === last[0]) return;
    this.samples.push([time, speed]);
    while (this.samples[0][0] < time - SPAN_S) this.samples.shift();
  }

  draw() {
    const { canvas, context, samples } = this;
    const scale = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(canvas.clientWidth * scale);
    const height = Math.round(canvas.clientHeight * scale);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.clearRect(0, 0, width, height);
    if (samples.length < 2) return;
    const style = getComputedStyle(canvas);
    const top = Math.max(30, ...samples.map((sample) => sample[1])) * 1.15;
    const end = samples.at(-1)[0];
    const x = (time) => width * (1 - (end - time) / SPAN_S);
    const y = (speed) => height - 1 - (speed / top) * (height - 3);
    context.strokeStyle = style.getPropertyValue("--line");
    context.fillStyle = style.getPropertyValue("--muted");
    context.font = `${10 * scale}px system-ui, sans-serif`;
    context.lineWidth = scale;
    for (let mark = 0; mark < top; mark += top > 60 ? 40 : 20) {
      context.beginPath();
      context.moveTo(0, y(mark));
      context.lineTo(width, y(mark));
      context.stroke();
      if (mark) context.fillText(mark, 0, y(mark) - 2 * scale);
    }
    context.beginPath();
    for (const [time, speed] of samples) context.lineTo(x(time), y(speed));
    context.strokeStyle = style.getPropertyValue("--accent");
    context.lineWidth = 1.8 * scale;
    context.lineJoin = "round";
    context.stroke();
  }
}
