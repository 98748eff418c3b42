// Three linked slices of one volume with one crosshair. The packet comes from figures/slices_packet.py;
// after that nothing goes back to the server: moving the crosshair costs it nothing.

const geometries = new Map(); // key -> { rank, labels }: decoded once for a subject
const crosshairs = new Map(); // key -> voxel: stays where it is from trial to trial
const KEEP = 4;

export const HALF = new Float32Array(65536); // every float16
for (let h = 0; h < 65536; h++) {
  const sign = h & 0x8000 ? -1 : 1, exponent = (h >> 10) & 31, fraction = h & 1023;
  HALF[h] = sign * (exponent === 31 ? (fraction ? NaN : Infinity)
    : exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

function unpack(bytes) {
  const at = bytes.byteOffset;
  const length = new DataView(bytes.buffer, at, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const values = bytes.slice(4 + length, 4 + length + 2 * header.n_values); // a copy, so aligned
  return { header, values: new Uint16Array(values.buffer), labels: bytes.subarray(4 + length + values.length) };
}

async function geometry(header, deflated) {
  if (geometries.has(header.key)) return geometries.get(header.key);
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
  const labels = new Uint16Array(await new Response(stream).arrayBuffer());
  const rank = new Int32Array(labels.length).fill(-1); // place of a voxel among those of the brain
  for (let i = 0, n = 0; i < labels.length; i++) if (labels[i]) rank[i] = n++;
  if (geometries.size >= KEEP) geometries.delete(geometries.keys().next().value);
  geometries.set(header.key, { labels, rank });
  return geometries.get(header.key);
}

function colours(stops) {
  const table = new Uint8Array(255 * 3);
  const rgb = stops.map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
  for (let i = 0; i < 255; i++) {
    const place = (i / 254) * (rgb.length - 1), low = Math.min(Math.floor(place), rgb.length - 2);
    for (let c = 0; c < 3; c++) table[3 * i + c] = Math.round(rgb[low][c] + (place - low) * (rgb[low + 1][c] - rgb[low][c]));
  }
  return table;
}

const signed = (v) => (v < 0 ? "−" : "+") + Math.abs(v).toPrecision(3);
const plain = (v) => (v < 0 ? "−" : "") + Math.abs(Math.round(v * 10) / 10);

class Viewer {
  constructor(root) {
    this.root = root;
    this.canvases = [...root.querySelectorAll("canvas")];
    this.canvases.forEach((canvas, plane) => this.listen(canvas, plane));
    root.querySelectorAll("[data-go]").forEach((b) => b.addEventListener("click", () => this.go(b.dataset.go)));
    new ResizeObserver(() => this.draw()).observe(root.querySelector(".planes"));
  }

  show(header, values, { labels, rank }) {
    Object.assign(this, { header, values, labels, rank });
    const [, ny, nz] = header.shape;
    this.strides = [ny * nz, nz, 1];
    this.voxel = crosshairs.get(header.key) ?? header.start;
    const widths = header.planes.map(([, , right]) => this.extent(right));
    this.canvases.forEach((canvas, i) => (canvas.parentElement.style.flex = `${widths[i]} 1 0`));
    this.draw();
  }

  // --- space -------------------------------------------------------------------------------------
  // the picture is cut to the box of the brain: low and high index along the voxel axis of a world axis
  along(world) { const [axis, sign] = this.header.axes[world], [low, high] = this.header.box[axis]; return { axis, sign, low, high }; }
  size(world) { const { low, high } = this.along(world); return high - low + 1; }
  extent(world) { return this.size(world) * this.edge(this.header.axes[world][0]); }
  edge(axis) { return Math.hypot(...[0, 1, 2].map((row) => this.header.affine[row][axis])); }
  mm(voxel) { return [0, 1, 2].map((row) => this.header.affine[row].slice(0, 3).reduce((sum, a, i) => sum + a * voxel[i], this.header.affine[row][3])); }
  index(voxel) { return voxel[0] * this.strides[0] + voxel[1] * this.strides[1] + voxel[2]; }
  // steps along a world axis, counted from its low end, and back
  step(voxel, world) { const { axis, sign, low, high } = this.along(world); return sign > 0 ? voxel[axis] - low : high - voxel[axis]; }
  moved(voxel, world, step) {
    const { axis, sign, low, high } = this.along(world), out = [...voxel];
    const inside = Math.max(0, Math.min(high - low, step));
    out[axis] = sign > 0 ? low + inside : high - inside;
    return out;
  }

  // --- words -------------------------------------------------------------------------------------
  words(voxel) {
    const [x, y, z] = this.mm(voxel).map(plain), at = this.index(voxel), label = this.labels[at];
    const place = `x ${x} · y ${y} · z ${z} mm · voxel (${voxel.map((v) => v).join(", ")})`;
    if (!label) return `${place} · outside the brain`;
    const value = HALF[this.values[this.rank[at]]];
    const region = label > 1 ? this.header.regions[label - 2] : this.header.regions.length ? "in no named region" : "";
    return `${place} · beta ${Number.isFinite(value) ? signed(value) : "missing"} ${this.header.unit}${region ? " · " + region : ""}`;
  }

  // --- picture -----------------------------------------------------------------------------------
  draw() {
    if (!this.header) return;
    const style = getComputedStyle(this.root);
    this.ink = style.color;
    this.paper = style.getPropertyValue("--background").trim() || "#ffffff";
    const [r, g, b] = this.ink.match(/\d+/g).map(Number);
    const stops = this.header.colours[r + g + b > 382 ? "dark" : "light"];
    this.table = colours(stops);
    this.header.planes.forEach((plane, i) => this.drawPlane(this.canvases[i], plane));
    const text = this.words(this.voxel), limit = this.header.limit;
    this.root.querySelector("output").textContent = text;
    this.root.querySelector(".bar").style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    this.root.querySelector(".low").textContent = signed(-limit);
    this.root.querySelector(".high").textContent = signed(limit);
    this.root.querySelector(".unit").textContent = `beta, ${this.header.unit}; ends at the 98th percentile of |beta|`;
    this.root.querySelector(".scale").setAttribute("aria-label", `colour scale from ${signed(-limit)} to ${signed(limit)} ${this.header.unit}`);
  }

  drawPlane(canvas, [name, across, right, up]) {
    const width = canvas.clientWidth, edge = width / this.size(right);
    if (!width) return;
    const ratio = this.edge(this.header.axes[up][0]) / this.edge(this.header.axes[right][0]);
    const height = Math.round(edge * ratio * this.size(up)), density = window.devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    const context = canvas.getContext("2d");
    context.scale(density, density);
    context.fillStyle = this.paper;
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.slice(across, right, up), 0, 0, width, height);
    const x = (this.step(this.voxel, right) + 0.5) * edge;
    const y = height - (this.step(this.voxel, up) + 0.5) * edge * ratio;
    context.strokeStyle = this.ink;
    context.globalAlpha = 0.75;
    context.setLineDash([3, 3]);
    context.beginPath();
    for (const [x0, y0, x1, y1] of [[x, 0, x, y - 8], [x, y + 8, x, height], [0, y, x - 8, y], [x + 8, y, width, y]]) {
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
    }
    context.stroke();
    context.globalAlpha = 1;
    this.letters(context, right, up, width, height);
    const at = `${"xyz"[across]} = ${plain(this.mm(this.voxel)[across])} mm`;
    canvas.nextElementSibling.textContent = `${name} · ${at}`;
    canvas.setAttribute("aria-label", `${name} slice at ${at} of ${this.header.title}; crosshair at ${this.words(this.voxel)}. Arrow keys move the crosshair, Page Up and Page Down change the slice.`);
  }

  letters(context, right, up, width, height) {
    const [left, rightmost] = this.header.ends[right], [bottom, top] = this.header.ends[up];
    context.font = "600 12px sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = this.ink;
    context.strokeStyle = this.paper;
    context.lineWidth = 4;
    context.setLineDash([]);
    for (const [text, x, y] of [[left, 8, height / 2], [rightmost, width - 8, height / 2], [bottom, width / 2, height - 9], [top, width / 2, 9]]) {
      context.strokeText(text, x, y); // a rim in the colour of the page: readable over the brain
      context.fillText(text, x, y);
    }
  }

  slice(across, right, up) {
    const nx = this.size(right), ny = this.size(up), image = new ImageData(nx, ny);
    const lineR = this.along(right), lineU = this.along(up), axisF = this.along(across).axis;
    const place = (line, step) => (line.sign > 0 ? line.low + step : line.high - step) * this.strides[line.axis];
    const base = this.voxel[axisF] * this.strides[axisF];
    const { limit } = this.header;
    for (let u = 0; u < ny; u++) {
      const row = base + place(lineU, u);
      for (let r = 0; r < nx; r++) {
        const rank = this.rank[row + place(lineR, r)];
        if (rank < 0) continue;
        const value = HALF[this.values[rank]], pixel = 4 * ((ny - 1 - u) * nx + r);
        const colour = Math.max(0, Math.min(254, Math.round((value / limit + 1) * 127)));
        if (Number.isNaN(value)) image.data.fill(128, pixel, pixel + 3);
        else for (let c = 0; c < 3; c++) image.data[pixel + c] = this.table[3 * colour + c];
        image.data[pixel + 3] = 255;
      }
    }
    const canvas = document.createElement("canvas");
    canvas.width = nx;
    canvas.height = ny;
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  // --- hands -------------------------------------------------------------------------------------
  to(voxel) {
    this.voxel = voxel;
    crosshairs.set(this.header.key, voxel);
    this.draw();
  }

  go(where) {
    if (where === "start") return this.to(this.header.start);
    const sign = where === "max" ? 1 : -1;
    let best = -Infinity, found = 0;
    for (let i = 0; i < this.values.length; i++) {
      const value = sign * HALF[this.values[i]];
      if (value > best && Number.isFinite(value)) [best, found] = [value, i];
    }
    const flat = this.rank.indexOf(found), [sx, sy] = this.strides;
    this.to([Math.floor(flat / sx), Math.floor((flat % sx) / sy), flat % sy]);
  }

  under(event, plane) {
    const canvas = this.canvases[plane], box = canvas.getBoundingClientRect(), [, , right, up] = this.header.planes[plane];
    const r = Math.floor(((event.clientX - box.left) / box.width) * this.size(right));
    const u = Math.floor((1 - (event.clientY - box.top) / box.height) * this.size(up));
    return this.moved(this.moved(this.voxel, right, r), up, u);
  }

  listen(canvas, plane) {
    const pointer = this.root.querySelector(".pointer");
    canvas.addEventListener("pointerdown", (e) => {
      canvas.setPointerCapture(e.pointerId);
      this.to(this.under(e, plane));
    });
    canvas.addEventListener("pointermove", (e) => {
      if (!this.header) return;
      if (e.buttons & 1) this.to(this.under(e, plane));
      pointer.textContent = `under the pointer: ${this.words(this.under(e, plane))}`;
    });
    canvas.addEventListener("pointerleave", () => (pointer.textContent = ""));
    canvas.addEventListener("keydown", (e) => {
      const [, across, right, up] = this.header.planes[plane];
      const move = { ArrowRight: [right, 1], ArrowLeft: [right, -1], ArrowUp: [up, 1], ArrowDown: [up, -1], PageUp: [across, 1], PageDown: [across, -1] }[e.key];
      if (!move) return;
      e.preventDefault();
      e.stopPropagation(); // the arrows of a slice are not those of the trials
      this.to(this.moved(this.voxel, move[0], this.step(this.voxel, move[0]) + move[1]));
    });
  }
}

const MARKUP = `
<section class="slices" aria-label="Three linked slices of the brain's response">
  <p class="readout" aria-live="polite"><output></output></p>
  <div class="planes">${["sagittal", "coronal", "axial"].map((name) => `
    <figure><canvas tabindex="0" role="img" aria-label="${name} slice"></canvas><figcaption></figcaption></figure>`).join("")}
  </div>
  <p class="pointer"></p>
  <div class="foot">
    <div class="scale" role="img"><span class="low"></span><span class="bar"></span><span class="high"></span><span class="unit"></span></div>
    <div class="buttons">
      <button type="button" data-go="max" title="Move the crosshair to the voxel with the largest beta">strongest +</button>
      <button type="button" data-go="min" title="Move the crosshair to the voxel with the smallest beta">strongest −</button>
      <button type="button" data-go="start" title="Move the crosshair back to where it began">start</button>
    </div>
  </div>
</section>`;

export function slices(body) {
  body.innerHTML = MARKUP;
  const viewer = new Viewer(body.querySelector(".slices"));
  return async ({ packet }) => {
    const { header, values, labels } = unpack(packet);
    viewer.show(header, values, await geometry(header, labels));
  };
}
