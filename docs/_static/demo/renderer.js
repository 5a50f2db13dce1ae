// Faces for the demo of docs/demo.md: rendered as lfdtcmen.datasets.synthetic does (renderer.py and camera.py: the names are the
// same), with flow and strain as in lfdtcmen.preprocessing.flow. docs/demo.py makes the files that are read here.
"use strict";

const FOLDER = new URL(".", document.currentScript.src);

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
    const stored = new types[array.type](content, array.at, array.count);
    array.values = new Float32Array(stored);
    if (array.scale !== 1) for (let k = 0; k < stored.length; k++) array.values[k] *= array.scale;
  }
  return about;
}

// ------------------------------------------------------------------------------------------------ pictures

/** Look planes [grid, grid] up at pixel coordinates x, y: bilinear, 0 outside. The grid is twice as fine as the frame. */
function sample(planes, x, y, grid) {
  const count = x.length, at = new Int32Array(count), right = new Float32Array(count), down = new Float32Array(count);
  for (let k = 0; k < count; k++) {
    const column = 2 * x[k] + 0.5, row = 2 * y[k] + 0.5, left = Math.floor(column), top = Math.floor(row);
    at[k] = left < 0 || top < 0 || left >= grid - 1 || top >= grid - 1 ? -1 : top * grid + left;
    right[k] = column - left;
    down[k] = row - top;
  }
  return planes.map(plane => {
    const found = new Float32Array(count);
    for (let k = 0; k < count; k++) if (at[k] >= 0) found[k] = between(plane, at[k], right[k], down[k], grid);
    return found;
  });
}

/** Return the value between four neighbours of a plane, the first of which is at `at`. */
function between(plane, at, right, down, grid) {
  const above = plane[at] + right * (plane[at + 1] - plane[at]);
  const below = plane[at + grid] + right * (plane[at + grid + 1] - plane[at + grid]);
  return above + down * (below - above);
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
  for (let i = 0; i < target; i++) {
    const { first, weights } = rows[i];
    for (let k = 0; k < weights.length; k++) {
      const weight = weights[k], from = (first + k) * size, to = i * size;
      for (let j = 0; j < size; j++) half[to + j] += weight * plane[from + j];
    }
  }
  for (let j = 0; j < target; j++) {
    const { first, weights } = rows[j];
    for (let i = 0; i < target; i++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * half[i * size + first + k];
      whole[i * target + j] = sum;
    }
  }
  return whole;
}

/** Return the derivatives of a plane [size, size] along x and y, as numpy.gradient does. */
function gradient(plane, size) {
  const across = new Float32Array(plane.length), along = new Float32Array(plane.length), last = size - 1;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const left = Math.max(j - 1, 0), right = Math.min(j + 1, last), up = Math.max(i - 1, 0), down = Math.min(i + 1, last);
      across[i * size + j] = (plane[i * size + right] - plane[i * size + left]) / (right - left);
      along[i * size + j] = (plane[down * size + j] - plane[up * size + j]) / (down - up);
    }
  }
  return [across, along];
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
    this.block = Uint16Array.from(this.gridAtRest[0], (x, k) => this.blockOf(x, this.gridAtRest[1][k]));
    this.all = Int32Array.from(this.gridAtRest[0], (_, k) => k);
    this.behind = this.eachFace(face => sample(this.planes(face, "behind"), ...this.gridAtRest, grid));
    this.resting = this.eachFace(face => {
      const planes = Array.from({ length: 3 }, () => new Float32Array(this.all.length));
      this.paint(face, this.expression(face, {}), this.all, this.gridAtRest, planes);
      return planes;
    });
  }

  /** Return a function that makes something of a face once and keeps it. */
  eachFace(make) {
    const made = {};
    return face => (made[face] ??= make(face));
  }

  /** Return the number of the block of 8 x 8 pixels of the grid that holds a point of the face. */
  blockOf(x, y) {
    const side = this.sizes.grid / 8;
    const [row, column] = [y, x].map(value => limited(Math.floor((2 * value + 0.5) / 8), 0, side - 1));
    return row * side + column;
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
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const k = i * width + j, at = (top + i) * grid + left + j;
          dx[at] += amount * motion.values[k];
          dy[at] += amount * motion.values[count + k];
          shade[at] += amount * change.values[k];
        }
      }
    }
    const open = limited(((units[26] ?? 0) - 0.05) / 0.55, 0, 1);
    return { dx, dy, shade, parting: open * open * (3 - 2 * open) };
  }

  /** Return which pixels of the grid may show skin that moves, judged by blocks of 8 x 8 pixels. */
  moving({ dx, dy, shade }, largest) {
    const side = this.sizes.grid / 8, near = new Uint8Array(side * side), reach = Math.ceil(largest / 4);
    for (let block = 0; block < near.length; block++) {
      const top = Math.floor(block / side), left = block % side;
      if (!this.moves(8 * (8 * top * side + left), dx, dy, shade)) continue;
      for (let i = Math.max(top - reach, 0); i <= Math.min(top + reach, side - 1); i++) {
        near.fill(1, i * side + Math.max(left - reach, 0), i * side + Math.min(left + reach, side - 1) + 1);
      }
    }
    return this.all.filter(k => near[this.block[k]]);
  }

  /** Return whether anything moves in the block of 8 x 8 pixels whose first is at `first`. */
  moves(first, dx, dy, shade) {
    const grid = this.sizes.grid;
    for (let i = 0; i < 8; i++) {
      for (let k = first + i * grid; k < first + i * grid + 8; k++) {
        if (Math.abs(dx[k]) + Math.abs(dy[k]) + Math.abs(shade[k]) > 1e-4) return true;
      }
    }
    return false;
  }

  /** Find where the skin that is now at the points x, y was at rest: as renderer.invert_displacement, to 0.001 pixels. */
  invert({ dx, dy }, x, y) {
    const grid = this.sizes.grid, px = x.slice(), py = y.slice();
    let low = -0.7, high = 0, lowest = 0;
    for (let k = 0; k < dx.length - grid - 1; k++) {
      const across = 2 * (dx[k + 1] - dx[k]), down = 2 * (dy[k + grid] - dy[k]);
      lowest = Math.min(lowest, across, down);
      high = Math.max(high, across, down);
    }
    low = Math.max(low, lowest);
    const relax = 2 / (2 + low + high);
    for (let k = 0; k < px.length; k++) {
      for (let step = 0; step < 17; step++) {
        const column = 2 * px[k] + 0.5, row = 2 * py[k] + 0.5, left = Math.floor(column), top = Math.floor(row);
        if (left < 0 || top < 0 || left >= grid - 1 || top >= grid - 1) break; // nothing moves there
        const at = top * grid + left;
        const stepX = relax * (x[k] - px[k] - between(dx, at, column - left, row - top, grid));
        const stepY = relax * (y[k] - py[k] - between(dy, at, column - left, row - top, grid));
        px[k] += stepX;
        py[k] += stepY;
        if (Math.abs(stepX) + Math.abs(stepY) < 1e-3) break;
      }
    }
    return [px, py];
  }

  /** Render a frame: RGB in [0, 1], three planes [frame, frame] in one array. */
  frame(face, expression) {
    const { dx, dy } = expression;
    let largest = 0;
    for (let k = 0; k < dx.length; k++) largest = Math.max(largest, Math.abs(dx[k]), Math.abs(dy[k]));
    const planes = this.resting(face).map(plane => plane.slice());
    if (largest > 1e-3) {
      const pixels = this.moving(expression, largest);
      const points = this.gridAtRest.map(axis => Float32Array.from(pixels, k => axis[k]));
      this.paint(face, expression, pixels, this.invert(expression, ...points), planes);
    }
    const count = this.sizes.frame ** 2, whole = new Float32Array(3 * count);
    planes.forEach((plane, p) => whole.set(this.picture(plane), p * count));
    return whole;
  }

  /** Paint pixels of the planes [grid, grid] with the skin from the points x, y, and with what lies behind its openings. */
  paint(face, { shade, parting }, pixels, [x, y], planes) {
    const grid = this.sizes.grid, behind = this.behind(face), background = this.planes(face, "background");
    const [eyes] = this.planes(face, "eyes"), [mouth] = this.planes(face, "mouth");
    const found = sample([...this.planes(face, "layer"), eyes, mouth, shade], x, y, grid);
    const covered = found[3], eye = found[4], lips = found[5], lit = found[6];
    for (let p = 0; p < 3; p++) {
      const plane = planes[p], colour = found[p], back = background[p], inside = behind[p], tint = [0.88, 1, 1.03][p];
      for (let k = 0; k < pixels.length; k++) {
        const at = pixels[k], skin = colour[k] * (1 + lit[k] * tint);
        const open = skin + (inside[at] - skin) * Math.max(eye[k], parting * lips[k]);
        plane[at] = back[at] + (open - back[at]) * covered[k];
      }
    }
  }

  /** Take a picture of a plane (camera.take_picture, without noise). */
  picture(plane) {
    const small = resize(plane, this.sizes.grid, this.toSensor);
    for (let k = 0; k < small.length; k++) small[k] = Math.floor(limited(small[k] * 255 + 0.5, 0, 255));
    const whole = resize(small, this.sizes.sensor, this.toFrame);
    for (let k = 0; k < whole.length; k++) whole[k] = limited(Math.round(whole[k]), 0, 255) / 255;
    return whole;
  }

  /** Return the exact motion of each pixel of the frame at rest: x and y, [frame, frame] each, pixels. */
  flow(face, { dx, dy }) {
    const [x, y, eyes, head] = sample(
      [dx, dy, this.planes(face, "eyes")[0], this.planes(face, "layer")[3]], ...this.frameAtRest, this.sizes.grid);
    const moves = eyes.map((open, k) => (open > 0.5 || head[k] <= 0.5 ? 0 : this.about.pose.zoom));
    return [x, y].map(part => part.map((value, k) => value * moves[k]));
  }

  /** Return U, V and strain as the flow branch takes them, three planes [streams, streams] in one array. */
  streams([u, v]) {
    const size = this.sizes.frame, [[ux, uy], [vx, vy]] = [gradient(u, size), gradient(v, size)];
    const strain = ux.map((_, k) => Math.sqrt(ux[k] ** 2 + vy[k] ** 2 + 0.5 * (uy[k] + vx[k]) ** 2));
    const count = this.sizes.streams ** 2, whole = new Float32Array(3 * count);
    [u, v, strain].forEach((plane, p) => whole.set(resize(plane, size, this.toStreams), p * count));
    return whole;
  }
}
