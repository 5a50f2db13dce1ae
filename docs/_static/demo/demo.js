// The demo of docs/demo.md. It renders faces as lfdtcmen.datasets.synthetic does (renderer.py and camera.py: the names are
// the same), takes their flow and strain as lfdtcmen.preprocessing.flow does, and asks the network through onnxruntime-web.
// docs/demo.py makes the files that it reads. No request leaves the folder that this script lies in.
"use strict";

const FOLDER = new URL(".", document.currentScript.src);
const MOST = 3; // pixels: the training's strongest muscles
const LIMIT = 1.5; // pixels: the shortest motion that gets the brightest colour
const EXPRESSIONS = [
  ["At rest", {}],
  ["Smile", { 6: 1, 12: 1.5 }],
  ["Brows up", { 1: 1.5, 2: 1.5 }],
  ["Frown", { 4: 1.5, 7: 0.8 }],
  ["Nose wrinkled", { 9: 1.2, 10: 1 }],
];

// ------------------------------------------------------------------------------------------------ files

async function read(name) {
  const answer = await fetch(new URL(name, FOLDER));
  if (!answer.ok) throw new Error(`${name} is not there`);
  return answer;
}

async function unpack(name) {
  const answer = await read(name);
  return new Response(answer.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** Return what faces.json says, with the numbers of faces.gzip, by name. */
async function readFaces() {
  const [about, content] = await Promise.all([read("faces.json").then(answer => answer.json()), unpack("faces.gzip")]);
  const types = { uint8: Uint8Array, int8: Int8Array, int16: Int16Array, float32: Float32Array };
  for (const array of Object.values(about.arrays)) {
    array.values = Float32Array.from(new types[array.type](content, array.at, array.count), value => value * array.scale);
  }
  return about;
}

// ------------------------------------------------------------------------------------------------ pictures

/** Look planes [grid, grid] up at pixel coordinates x, y: bilinear, 0 outside. */
function sample(planes, x, y, grid) {
  const found = planes.map(() => new Float32Array(x.length));
  for (let k = 0; k < x.length; k++) {
    const column = 2 * x[k] + 0.5, row = 2 * y[k] + 0.5; // the grid is twice as fine as the frame
    const left = Math.floor(column), top = Math.floor(row);
    if (left < 0 || top < 0 || left >= grid - 1 || top >= grid - 1) continue;
    const right = column - left, down = row - top, at = top * grid + left;
    for (let p = 0; p < planes.length; p++) {
      const plane = planes[p];
      const above = plane[at] + right * (plane[at + 1] - plane[at]);
      const below = plane[at + grid] + right * (plane[at + grid + 1] - plane[at + grid]);
      found[p][k] = above + down * (below - above);
    }
  }
  return found;
}

/** Keep of a matrix [target, size] the part of each row that is not zero. */
function bands(matrix, size) {
  return Array.from({ length: matrix.length / size }, (_, row) => {
    const weights = matrix.subarray(row * size, (row + 1) * size);
    const used = [...weights.keys()].filter(k => weights[k] !== 0);
    return { first: used[0], weights: weights.slice(used[0], used.at(-1) + 1) };
  });
}

/** Resize a plane [size, size] by the rows of a matrix, down and across. */
function resize(plane, size, rows) {
  const target = rows.length, half = new Float32Array(target * size), whole = new Float32Array(target * target);
  rows.forEach(({ first, weights }, i) => {
    for (let k = 0; k < weights.length; k++) {
      for (let j = 0; j < size; j++) half[i * size + j] += weights[k] * plane[(first + k) * size + j];
    }
  });
  rows.forEach(({ first, weights }, j) => {
    for (let i = 0; i < target; i++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * half[i * size + first + k];
      whole[i * target + j] = sum;
    }
  });
  return whole;
}

/** Return the derivatives of a plane [size, size] along x and y, as numpy.gradient does. */
function gradient(plane, size) {
  const along = step => Float32Array.from(plane, (_, k) => {
    const at = step === 1 ? k % size : Math.floor(k / size);
    const before = at > 0 ? 1 : 0, after = at < size - 1 ? 1 : 0;
    return (plane[k + after * step] - plane[k - before * step]) / (before + after);
  });
  return [along(1), along(size)];
}

const limited = (value, low, high) => Math.min(Math.max(value, low), high);

// ------------------------------------------------------------------------------------------------ faces

class Renderer {
  constructor(about) {
    const { grid, sensor, frame } = (this.sizes = about.sizes);
    this.about = about;
    this.toSensor = bands(about.arrays["to sensor"].values, grid);
    this.toFrame = bands(about.arrays["to frame"].values, sensor);
    this.toStreams = bands(about.arrays["to streams"].values, frame);
    this.gridAtRest = this.atRest(grid, k => (k + 0.5) / 2 - 0.5);
    this.frameAtRest = this.atRest(frame, k => k);
  }

  /** Return where the points of a square grid lie on the face, which is enlarged in the frame. */
  atRest(size, position) {
    const { zoom, x, y } = this.about.pose;
    const points = [new Float32Array(size * size), new Float32Array(size * size)];
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        points[0][i * size + j] = (position(j) - x) / zoom;
        points[1][i * size + j] = (position(i) - y) / zoom;
      }
    }
    return points;
  }

  /** Return the planes of an array of one face. */
  planes(face, name) {
    const { values } = this.about.arrays[`${face} ${name}`], count = this.sizes.grid ** 2;
    return Array.from({ length: values.length / count }, (_, p) => values.subarray(p * count, (p + 1) * count));
  }

  /** Add up what the action units do to the skin of a face: dx, dy and shade [grid, grid], and how far the lips part. */
  expression(face, units) {
    const grid = this.sizes.grid;
    const [dx, dy, shade] = Array.from({ length: 3 }, () => new Float32Array(grid * grid));
    for (const [unit, amount] of Object.entries(units)) {
      if (!amount) continue;
      const motion = this.about.arrays[`${face} motion ${unit}`], change = this.about.arrays[`${face} shade ${unit}`];
      const { top, left, height, width } = motion, count = height * width;
      for (let k = 0; k < count; k++) {
        const at = (top + Math.floor(k / width)) * grid + left + (k % width);
        dx[at] += amount * motion.values[k];
        dy[at] += amount * motion.values[count + k];
        shade[at] += amount * change.values[k];
      }
    }
    const open = limited(((units[26] ?? 0) - 0.05) / 0.55, 0, 1);
    return { dx, dy, shade, parting: open * open * (3 - 2 * open) };
  }

  /** Find where the skin that is now at the points of the grid was at rest (renderer.invert_displacement). */
  invert({ dx, dy }) {
    const grid = this.sizes.grid, [x, y] = this.gridAtRest;
    let low = 0, high = 0, largest = 0;
    for (let k = 0; k < dx.length - grid; k++) {
      const across = k % grid < grid - 1 ? 2 * (dx[k + 1] - dx[k]) : 0, down = 2 * (dy[k + grid] - dy[k]);
      low = Math.min(low, across, down);
      high = Math.max(high, across, down);
      largest = Math.max(largest, Math.abs(dx[k]), Math.abs(dy[k]));
    }
    if (largest < 1e-3) return [x, y];
    low = Math.max(low, -0.7);
    const relax = 2 / (2 + low + high), shrink = limited((high - low) / (2 + low + high), 0.05, 0.75);
    const steps = Math.ceil(Math.log(1e-3 / Math.max(largest, 2e-3)) / Math.log(shrink));
    const px = x.slice(), py = y.slice();
    for (let step = 0; step <= limited(steps, 2, 16); step++) {
      const [fromX, fromY] = sample([dx, dy], px, py, grid);
      for (let k = 0; k < px.length; k++) {
        px[k] += relax * (x[k] - px[k] - fromX[k]);
        py[k] += relax * (y[k] - py[k] - fromY[k]);
      }
    }
    return [px, py];
  }

  /** Render a frame: RGB in [0, 1], three planes [frame, frame] in one array. */
  frame(face, units) {
    const grid = this.sizes.grid, expression = this.expression(face, units);
    const skin = this.invert(expression);
    const [eyes] = this.planes(face, "eyes"), [mouth] = this.planes(face, "mouth");
    const holes = eyes.map((open, k) => Math.max(open, expression.parting * mouth[k]));
    const [red, green, blue, covered, hole, shade] = sample(
      [...this.planes(face, "layer"), holes, expression.shade], ...skin, grid);
    const behind = sample(this.planes(face, "behind"), ...this.gridAtRest, grid);
    const background = this.planes(face, "background");
    const whole = [red, green, blue].map((colour, p) => colour.map((value, k) => {
      const lit = value * (1 + shade[k] * [0.88, 1, 1.03][p]);
      const open = lit + (behind[p][k] - lit) * hole[k];
      return background[p][k] + (open - background[p][k]) * covered[k];
    }));
    return Float32Array.from(whole.flatMap(plane => [...this.picture(plane)]));
  }

  /** Take a picture of a plane (camera.take_picture, without noise). */
  picture(plane) {
    const { grid, sensor } = this.sizes;
    const small = resize(plane, grid, this.toSensor).map(value => Math.floor(limited(value * 255 + 0.5, 0, 255)));
    return resize(small, sensor, this.toFrame).map(value => limited(Math.round(value), 0, 255) / 255);
  }

  /** Return the exact motion of each pixel of the frame at rest: x and y, [frame, frame] each, pixels. */
  flow(face, units) {
    const { dx, dy } = this.expression(face, units);
    const [x, y, eyes, head] = sample(
      [dx, dy, this.planes(face, "eyes")[0], this.planes(face, "layer")[3]], ...this.frameAtRest, this.sizes.grid);
    const moves = eyes.map((open, k) => (open > 0.5 || head[k] <= 0.5 ? 0 : this.about.pose.zoom));
    return [x, y].map(part => part.map((value, k) => value * moves[k]));
  }

  /** Return U, V and strain as the flow branch takes them, three planes [streams, streams] in one array. */
  streams([u, v]) {
    const size = this.sizes.frame, [[ux, uy], [vx, vy]] = [gradient(u, size), gradient(v, size)];
    const strain = ux.map((_, k) => Math.sqrt(ux[k] ** 2 + vy[k] ** 2 + 0.5 * (uy[k] + vx[k]) ** 2));
    return Float32Array.from([u, v, strain].flatMap(plane => [...resize(plane, size, this.toStreams)]));
  }
}

// ------------------------------------------------------------------------------------------------ the network

class Network {
  /** Load onnxruntime-web and the network; `told` is given the MB that have come. */
  static async load(told) {
    const network = new Network();
    const ort = (network.ort = await import(new URL("onnxruntime/ort.wasm.bundle.min.mjs", FOLDER)));
    ort.env.wasm.numThreads = 1; // more would need headers that most web servers do not send
    ort.env.wasm.wasmBinary = await unpack("onnxruntime/ort-wasm-simd-threaded.wasm.gzip");
    const answer = await read("network.onnx"), parts = [];
    let size = 0;
    for (const reader = answer.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      told((size += value.length) / 1e6);
    }
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    network.session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    return network;
  }

  /** Ask the network: frames [3, frame, frame] and streams in, arrays of numbers out. */
  async ask(onset, apex, flow, other) {
    const tensor = values => {
      const size = Math.sqrt(values.length / 3);
      return new this.ort.Tensor("float32", values, [1, 3, size, size]);
    };
    const given = { onset: tensor(onset), apex: tensor(apex), flow: tensor(flow), other: tensor(other) };
    const answer = await this.session.run(given);
    return Object.fromEntries(Object.entries(answer).map(([name, values]) => [name, values.data]));
  }
}

// ------------------------------------------------------------------------------------------------ the page

class Demo {
  constructor(root, about) {
    this.root = root;
    this.about = about;
    this.renderer = new Renderer(about);
    this.network = null;
    this.cached = {};
    this.makeControls();
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  makeControls() {
    for (const [name, shown] of [["face", 0], ["other", 1]]) {
      const choice = this.part(name);
      choice.innerHTML = Array.from({ length: this.about.faces }, (_, k) => `<option value="${k}">${k + 1}</option>`).join("");
      choice.value = shown;
      choice.addEventListener("change", () => this.update());
    }
    for (const [name, units] of EXPRESSIONS) {
      const button = this.part("expressions").appendChild(document.createElement("button"));
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", () => this.show(units));
    }
    this.sliders = {};
    for (const { unit, name } of this.about.units) {
      const label = this.part("units").appendChild(document.createElement("label"));
      label.innerHTML = `<span>${unit} ${name}</span><output></output>
        <input type="range" min="0" max="${MOST}" step="0.1" value="0">`;
      this.sliders[unit] = label.querySelector("input");
      this.sliders[unit].addEventListener("input", () => this.update());
    }
    this.part("blink").addEventListener("change", event => {
      clearInterval(this.blinking);
      this.atRest = false;
      if (event.target.checked) this.blinking = setInterval(() => this.paint((this.atRest = !this.atRest)), 500);
      else this.paint(false);
    });
    this.part("load").addEventListener("click", () => this.load());
    this.show(EXPRESSIONS[1][1]);
  }

  show(units) {
    for (const [unit, slider] of Object.entries(this.sliders)) slider.value = units[unit] ?? 0;
    return this.update();
  }

  async load() {
    const button = this.part("load"), status = this.part("status");
    button.disabled = true;
    try {
      status.textContent = "Loading the network.";
      this.network = await Network.load(size => (this.part("progress").value = size));
      button.parentElement.hidden = true;
      this.part("answer").hidden = false;
      await this.update();
    } catch (error) {
      button.disabled = false;
      status.textContent = `The network could not be loaded (${error.message}). The faces and their flow work without it.`;
    }
  }

  onset(face) {
    return (this.cached[face] ??= this.renderer.frame(face, {}));
  }

  /** Render, ask and show; a move that comes meanwhile is shown next, the last one only. */
  async update() {
    this.waiting = true;
    if (this.busy) return;
    this.busy = true;
    while (this.waiting) {
      this.waiting = false;
      await new Promise(done => setTimeout(done)); // the slider moves first
      await this.move();
    }
    this.busy = false;
  }

  async move() {
    const begin = performance.now(), renderer = this.renderer;
    const units = Object.fromEntries(Object.entries(this.sliders).map(([unit, slider]) => [unit, Number(slider.value)]));
    for (const slider of Object.values(this.sliders)) {
      const text = `${Number(slider.value).toFixed(1)} px`;
      slider.previousElementSibling.textContent = text;
      slider.setAttribute("aria-valuetext", text);
    }
    const face = Number(this.part("face").value), other = Number(this.part("other").value);
    const flow = renderer.flow(face, units);
    const shown = { onset: this.onset(face), moved: renderer.frame(face, units), flow, still: this.onset(other) };
    shown.truth = renderer.frame(other, units);
    if (this.network) {
      const answer = await this.network.ask(shown.onset, shown.moved, renderer.streams(flow), shown.still);
      shown.swapped = answer.swapped;
      this.tell(answer, shown);
    }
    this.shown = shown;
    this.paint(this.atRest);
    this.milliseconds = performance.now() - begin;
    this.part("time").textContent = `${Math.round(this.milliseconds)} ms`;
  }

  tell({ both, branches }, { swapped, still, truth }) {
    const names = this.about.labels, count = names.length;
    const percent = value => `${Math.round(100 * value)} %`;
    this.part("probabilities").innerHTML = names.map((name, k) => `<tr><th scope="row">${name}</th>${
      [both[k], branches[k], branches[count + k]].map(value =>
        `<td><span class="bar" style="width: ${100 * value}%"></span><span>${percent(value)}</span></td>`).join("")
    }</tr>`).join("");
    const best = both.indexOf(Math.max(...both));
    const error = image => truth.reduce((sum, value, k) => sum + (value - image[k]) ** 2, 0);
    const unmoved = error(still);
    this.part("status").textContent = `The network's answer: ${names[best]}, ${percent(both[best])}.`;
    this.part("error").textContent = unmoved === 0 ? "nothing moves" :
      `squared error ${percent(error(swapped) / unmoved)} of the unmoved face's`;
  }

  paint(atRest) {
    const { onset, moved, flow, still, truth, swapped } = this.shown;
    this.picture("onset", onset);
    this.picture("moved", atRest ? onset : moved);
    this.picture("still", still);
    this.picture("truth", atRest ? still : truth);
    this.picture("swapped", swapped && !atRest ? swapped : still);
    this.flow(flow);
  }

  picture(name, planes) {
    const size = this.about.sizes.frame, count = size * size, image = new ImageData(size, size);
    for (let k = 0; k < count; k++) {
      for (let p = 0; p < 3; p++) image.data[4 * k + p] = Math.round(255 * planes[p * count + k]);
      image.data[4 * k + 3] = 255;
    }
    this.part(name).getContext("2d").putImageData(image, 0, 0);
  }

  /** Show the length of the flow as colour, its direction as arrows, as the notebooks do. */
  flow([u, v]) {
    const size = this.about.sizes.frame, canvas = this.part("flow"), scale = canvas.width / size, brush = canvas.getContext("2d");
    const length = u.map((value, k) => Math.hypot(value, v[k]));
    const longest = length.reduce((most, value) => Math.max(most, value), 0), limit = Math.max(longest, LIMIT);
    const last = this.about.colours.length - 1;
    for (let k = 0; k < length.length; k++) {
      brush.fillStyle = this.about.colours[Math.round((last * length[k]) / limit)];
      brush.fillRect((k % size) * scale, Math.floor(k / size) * scale, scale, scale);
    }
    brush.strokeStyle = "white";
    brush.lineWidth = scale / 2;
    for (let i = 4; i < size; i += 8) {
      for (let j = 4; j < size; j += 8) {
        const k = i * size + j;
        if (length[k] < 0.15 * limit) continue;
        const reach = (7 * scale) / limit, x = (j + 0.5) * scale, y = (i + 0.5) * scale;
        const toX = x + u[k] * reach, toY = y + v[k] * reach, angle = Math.atan2(v[k], u[k]);
        brush.beginPath();
        brush.moveTo(x, y);
        brush.lineTo(toX, toY);
        for (const turn of [2.6, -2.6]) {
          brush.moveTo(toX, toY);
          brush.lineTo(toX + 2 * scale * Math.cos(angle + turn), toY + 2 * scale * Math.sin(angle + turn));
        }
        brush.stroke();
      }
    }
    this.part("longest").textContent = `up to ${longest.toFixed(1)} px`;
  }
}

(async () => {
  const root = document.getElementById("demo"), status = root.querySelector('[data-part="status"]');
  try {
    if (location.protocol === "file:") {
      throw new Error("a browser reads no data for a page that was opened as a file: run python -m http.server " +
        "--directory build/site, then open http://localhost:8000/docs/demo.html");
    }
    window.demo = new Demo(root, await readFaces());
    root.querySelector('[data-part="all"]').hidden = false;
    status.textContent = "";
  } catch (error) {
    status.textContent = `The demo does not work here: ${error.message}.`;
  }
})();
