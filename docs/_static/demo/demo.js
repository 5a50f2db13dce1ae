// The demo of docs/demo.md, behind renderer.js: sliders, pictures, and the network, which onnxruntime-web runs.
// No request leaves the folder that this script lies in.
"use strict";

const MOST = 3; // pixels: the training's strongest muscles
const LIMIT = 1.5; // pixels: the shortest motion that gets the brightest colour
const EXPRESSIONS = [
  ["At rest", {}],
  ["Smile", { 6: 1, 12: 1.5 }],
  ["Brows up", { 1: 1.5, 2: 1.5 }],
  ["Frown", { 4: 1.5, 7: 0.8 }],
  ["Nose wrinkled", { 9: 1.2, 10: 1 }],
];

// ------------------------------------------------------------------------------------------------ the network

class Network {
  /** Load onnxruntime-web and the network; `told` is given the MB that have come. */
  static async load(told) {
    const network = new Network();
    const ort = (network.ort = await import(new URL("onnxruntime/ort.wasm.min.mjs", FOLDER)));
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
    network.session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], logSeverityLevel: 3 });
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
    this.onset = this.renderer.eachFace(face => this.renderer.frame(face, this.renderer.expression(face, {})));
    this.makeControls();
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  makeControls() {
    for (const [name, shown] of [["face", 0], ["other", 1]]) {
      const choice = this.part(name);
      for (let k = 0; k < this.about.faces; k++) choice.add(new Option(k + 1, k));
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
      label.innerHTML = `<span>${unit} ${name}</span> <span></span>
        <input type="range" min="0" max="${MOST}" step="0.1" value="0" aria-label="${unit} ${name}">`;
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
    this.part("progress").hidden = false;
    try {
      status.textContent = "Loading the network.";
      this.network = await Network.load(size => (this.part("progress").value = size));
      button.parentElement.hidden = true;
      this.part("answer").hidden = false;
      Object.values(this.sliders)[0].focus({ preventScroll: true }); // the button, which had it, is gone
      await this.update();
    } catch (error) {
      this.network = null;
      button.disabled = false;
      this.part("progress").hidden = true;
      status.textContent = `The network could not be loaded (${error.message}). The faces and their flow work without it.`;
    }
  }

  /** Render, ask and show; a move that comes meanwhile is shown next, the last one only. */
  async update() {
    this.waiting = true;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.waiting) {
        this.waiting = false;
        await new Promise(done => setTimeout(done)); // the slider moves first
        await this.move();
      }
    } finally {
      this.busy = false;
    }
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
    const expression = renderer.expression(face, units), flow = renderer.flow(face, expression);
    const shown = { onset: this.onset(face), moved: renderer.frame(face, expression), flow, still: this.onset(other) };
    shown.truth = renderer.frame(other, renderer.expression(other, units));
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
    const percent = value => `${Math.round(100 * value)}\u00a0%`;
    this.part("probabilities").innerHTML = names.map((name, k) => `<tr><th scope="row">${name}</th>${
      [both[k], branches[k], branches[count + k]].map(value =>
        `<td><span class="bar" style="width: ${100 * value}%"></span><span>${percent(value)}</span></td>`).join("")
    }</tr>`).join("");
    const best = both.indexOf(Math.max(...both));
    const error = image => truth.reduce((sum, value, k) => sum + (value - image[k]) ** 2, 0);
    const unmoved = error(still);
    this.part("status").textContent = `The network's answer: ${names[best]}, ${percent(both[best])}.`;
    this.part("error").textContent = unmoved === 0 ? "nothing moves" : `error ${percent(error(swapped) / unmoved)}`;
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

  /** Return a canvas that shows RGB planes. */
  image(planes) {
    const size = this.about.sizes.frame, count = size * size, image = new ImageData(size, size);
    for (let k = 0; k < count; k++) {
      for (let p = 0; p < 3; p++) image.data[4 * k + p] = 255 * planes[p * count + k] + 0.5;
      image.data[4 * k + 3] = 255;
    }
    const canvas = new OffscreenCanvas(size, size);
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  picture(name, planes) {
    this.part(name).getContext("2d").drawImage(this.image(planes), 0, 0);
  }

  /** Show the length of the flow as colour, its direction as arrows, as the notebooks do. */
  flow([u, v]) {
    const size = this.about.sizes.frame, canvas = this.part("flow"), scale = canvas.width / size, brush = canvas.getContext("2d");
    const length = u.map((value, k) => Math.hypot(value, v[k]));
    const longest = length.reduce((most, value) => Math.max(most, value), 0), limit = Math.max(longest, LIMIT);
    const { colours } = this.about, planes = new Float32Array(3 * length.length);
    for (let k = 0; k < length.length; k++) {
      const colour = colours[Math.round(((colours.length - 1) * length[k]) / limit)];
      for (let p = 0; p < 3; p++) planes[p * length.length + k] = colour[p];
    }
    brush.drawImage(this.image(planes), 0, 0, canvas.width, canvas.height);
    brush.strokeStyle = "white";
    brush.lineWidth = scale;
    for (let i = 6; i < size; i += 10) {
      for (let j = 6; j < size; j += 10) {
        const k = i * size + j;
        if (length[k] < 0.15 * limit) continue;
        const reach = (10 * scale) / limit, x = (j + 0.5) * scale, y = (i + 0.5) * scale;
        const toX = x + u[k] * reach, toY = y + v[k] * reach, angle = Math.atan2(v[k], u[k]);
        brush.beginPath();
        brush.moveTo(x, y);
        brush.lineTo(toX, toY);
        for (const turn of [2.6, -2.6]) {
          brush.moveTo(toX, toY);
          brush.lineTo(toX + 3 * scale * Math.cos(angle + turn), toY + 3 * scale * Math.sin(angle + turn));
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
    status.textContent = "Loading the faces.";
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
