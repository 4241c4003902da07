// The camera picture with the plan on it. Coordinates of an overlay are fractions of the picture.

const PATH = [45, 212, 191];
const WAYPOINT = "rgb(251 146 60 / 92%)";

export class CameraView {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.newest = 0;
  }

  // A binary message: length of the overlay's JSON (uint32, little endian), the JSON, the JPEG.
  async show(buffer) {
    const turn = ++this.newest;
    const headLength = new DataView(buffer).getUint32(0, true);
    const overlay = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headLength)));
    const jpeg = new Blob([new Uint8Array(buffer, 4 + headLength)], { type: "image/jpeg" });
    const picture = await createImageBitmap(jpeg);
    if (turn >= this.newest) this.draw(picture, overlay);
    picture.close();
    return { stamp: overlay.stamp, jpeg };
  }

  draw(picture, overlay) {
    const { canvas, context } = this;
    const scale = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.max(Math.round(canvas.clientWidth * scale), 320);
    const height = Math.round((width * picture.height) / picture.width);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    context.drawImage(picture, 0, 0, width, height);
    if (overlay.left) this.drawBand(overlay.left, overlay.right, width, height);
    if (overlay.dots) this.drawDots(overlay.dots, width, height);
  }

  drawBand(left, right, width, height) {
    const { context } = this;
    const count = left.length / 2;
    if (count < 2) return;
    const fade = context.createLinearGradient(0, height, 0, left[2 * count - 1] * height);
    fade.addColorStop(0, `rgb(${PATH.join(" ")} / 58%)`);
    fade.addColorStop(1, `rgb(${PATH.join(" ")} / 18%)`);
    context.fillStyle = fade;
    context.beginPath();
    for (let i = 0; i < count; i++) context.lineTo(left[2 * i] * width, left[2 * i + 1] * height);
    for (let i = count - 1; i >= 0; i--) context.lineTo(right[2 * i] * width, right[2 * i + 1] * height);
    context.fill();
    context.lineWidth = Math.max(width / 500, 1.5);
    context.strokeStyle = `rgb(${PATH.join(" ")} / 90%)`;
    for (const edge of [left, right]) {
      context.beginPath();
      for (let i = 0; i < count; i++) context.lineTo(edge[2 * i] * width, edge[2 * i + 1] * height);
      context.stroke();
    }
  }

  drawDots(dots, width, height) {
    const { context } = this;
    context.fillStyle = WAYPOINT;
    for (let i = dots.length - 3; i >= 0; i -= 3) {
      const radius = Math.max(dots[i + 2] * width, 2);
      context.beginPath();
      context.ellipse(dots[i] * width, dots[i + 1] * height, radius, radius * 0.45, 0, 0, 2 * Math.PI);
      context.fill();
    }
  }
}
