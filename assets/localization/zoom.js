// One view for all panels: which part of the picture they show. Coordinates are pixels of the image.

const MOST_ZOOM = 40, WHEEL_STEP = 1.0018, DRAG_PX = 4;

class Zoom {
  /** changed(): the part on show changed; clicked(x, y): a press that did not drag. */
  constructor(changed, clicked) {
    Object.assign(this, { changed, clicked, width: 1, height: 1, k: 1, x: 0.5, y: 0.5, pointers: new Map() });
  }

  /** Another picture: shown whole. */
  fit(width, height) {
    if (width === this.width && height === this.height) return;
    Object.assign(this, { width, height });
    this.reset();
  }

  reset() {
    Object.assign(this, { k: 1, x: this.width / 2, y: this.height / 2 });
    this.changed();
  }

  /** Pixels of the screen per pixel of the image in this frame. */
  scale(frame) {
    return this.k * Math.min(frame.clientWidth / this.width, frame.clientHeight / this.height);
  }

  /** Where the whole picture lies in the frame. */
  place(frame) {
    const scale = this.scale(frame);
    return {
      left: frame.clientWidth / 2 - this.x * scale, top: frame.clientHeight / 2 - this.y * scale,
      width: this.width * scale, height: this.height * scale, scale,
    };
  }

  /** The pixel of the image below a pointer; null beside the picture. */
  at(frame, event) {
    const box = frame.getBoundingClientRect(), place = this.place(frame);
    const x = (event.clientX - box.left - place.left) / place.scale, y = (event.clientY - box.top - place.top) / place.scale;
    return x >= 0 && y >= 0 && x < this.width && y < this.height ? [x, y] : null;
  }

  /** Zoom by a factor around a point of the image, which stays where it is. */
  by(factor, [x, y] = [this.x, this.y]) {
    const k = Math.min(MOST_ZOOM, Math.max(1, this.k * factor)), moved = this.k / k;
    this.x = x + (this.x - x) * moved;
    this.y = y + (this.y - y) * moved;
    this.k = k;
    this.settle();
  }

  pan(dx, dy, frame) {
    const scale = this.scale(frame);
    this.x -= dx / scale;
    this.y -= dy / scale;
    this.settle();
  }

  /** Nothing but the picture is panned into the middle; shown whole it lies still. */
  settle() {
    const half = 0.5 / this.k;
    this.x = Math.min(this.width * (1 - half), Math.max(this.width * half, this.x));
    this.y = Math.min(this.height * (1 - half), Math.max(this.height * half, this.y));
    this.changed();
  }

  listen(frame) {
    frame.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.by(WHEEL_STEP ** -event.deltaY, this.at(frame, event) ?? undefined);
    }, { passive: false });
    frame.addEventListener("dblclick", () => this.reset());
    frame.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      frame.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
      this.travelled = this.pointers.size > 1 ? Infinity : 0;
    });
    frame.addEventListener("pointermove", (event) => this.drag(frame, event));
    const end = (event) => {
      if (!this.pointers.delete(event.pointerId) || event.type !== "pointerup") return;
      const point = this.at(frame, event);
      if (this.travelled < DRAG_PX && point) this.clicked(...point);
    };
    for (const name of ["pointerup", "pointercancel"]) frame.addEventListener(name, end);
  }

  drag(frame, event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    this.travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
    this.pointers.set(event.pointerId, now);
    if (others.length) {
      const apart = (point) => Math.hypot(point[0] - others[0][0], point[1] - others[0][1]);
      this.by(apart(now) / Math.max(1, apart(before)));
    } else if (this.travelled >= DRAG_PX) this.pan(now[0] - before[0], now[1] - before[1], frame);
  }
}
