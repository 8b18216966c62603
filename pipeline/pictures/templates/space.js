"use strict";
// A map of an embedding space: the canvas #space with its points, and #legend with their classes.
// Pointer and arrow keys choose a point, a button of the legend singles a class out.
//   points:  [{ item, kind, x, y, square }], x and y in 0 to 1; kind counts `classes`
//   classes: names for the legend, the first the largest
//   show:    called with the chosen point, or null
//   visible: says of a point whether it is on the map at all
// Returns `choose(point)`, `nearest(event)` and `draw()`.
function spaceMap({ points, classes, show, visible = () => true }) {
  const canvas = document.getElementById("space");
  const context = canvas.getContext("2d");
  const legend = document.getElementById("legend");
  // Okabe and Ito's palette, told apart with any kind of colour vision; further classes are grey.
  const palette = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b5a900"];
  const colour = (number) => palette[number] || "#8c8c8c";
  const directions = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  };
  let single = null;
  let current = null;

  const inset = 14;
  const place = (point) => [
    inset + point.x * (canvas.clientWidth - 2 * inset),
    inset + (1 - point.y) * (canvas.clientHeight - 2 * inset),
  ];
  function mark(point, size) {
    const [x, y] = place(point);
    context.beginPath();
    if (point.square) context.rect(x - size, y - size, 2 * size, 2 * size);
    else context.arc(x, y, size, 0, 2 * Math.PI);
  }
  function draw() {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    context.scale(ratio, ratio);
    const drawn = points.filter(visible);
    for (const point of drawn) {
      const faded = single !== null && single !== point.kind;
      context.globalAlpha = faded ? 0.12 : 0.8;
      context.fillStyle = context.strokeStyle = colour(point.kind);
      context.lineWidth = 1.5;
      mark(point, faded ? 2 : 3.2);
      if (point.square) context.stroke();
      else context.fill();
    }
    context.globalAlpha = 1;
    if (!current) return;
    // Points of one item belong together: join them.
    const joined = drawn.filter((point) => point.item === current.item);
    context.strokeStyle = getComputedStyle(document.body).color;
    context.lineWidth = 2;
    context.beginPath();
    joined.forEach((point) => context.lineTo(...place(point)));
    context.stroke();
    joined.forEach((point) => { mark(point, 6); context.stroke(); });
  }
  // Of a class that is singled out, pointer and keys reach its points alone.
  const reachable = () =>
    points.filter((point) => visible(point) && (single === null || point.kind === single));
  function choose(point) {
    current = point;
    show(point);
    draw();
  }
  function nearest(event) {
    const box = canvas.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    let [best, least] = [null, 24 ** 2];
    for (const point of reachable()) {
      const [x, y] = place(point);
      const square = (x - left) ** 2 + (y - top) ** 2;
      if (square < least) [least, best] = [square, point];
    }
    return best;
  }
  function step([right, down]) {
    // The nearest point that lies more in this direction than to the side of it.
    const offered = reachable();
    if (!current) return offered[0] || null;
    const [fromX, fromY] = place(current);
    let [best, least] = [current, Infinity];
    for (const point of offered) {
      const [x, y] = place(point);
      const along = (x - fromX) * right + (y - fromY) * down;
      const aside = Math.abs((x - fromX) * down) + Math.abs((y - fromY) * right);
      if (along > 0.5 && along >= aside && along + aside < least) {
        [least, best] = [along + aside, point];
      }
    }
    return best;
  }

  canvas.addEventListener("pointermove", (event) => {
    const point = nearest(event);
    if (point && point !== current) choose(point);
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Escape") choose(null);
    if (!(event.key in directions)) return;
    event.preventDefault();
    choose(step(directions[event.key]));
  });
  classes.forEach((name, number) => {
    const button = document.createElement("button");
    const dot = document.createElement("i");
    dot.style.background = colour(number);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    // Names of the catalogue are set as text, never as markup.
    button.append(dot, name);
    button.addEventListener("click", () => {
      single = single === number ? null : number;
      legend.querySelectorAll("button").forEach((other, position) =>
        other.setAttribute("aria-pressed", String(position === single)));
      draw();
    });
    legend.append(button);
  });
  new ResizeObserver(draw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return { choose, nearest, draw };
}
