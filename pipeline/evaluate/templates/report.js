"use strict";
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const canvas = document.getElementById("space");
  if (!canvas) return;
  const context = canvas.getContext("2d");
  const hover = document.getElementById("hover");
  const picture = hover.querySelector("i");
  const caption = hover.querySelector("div");
  // Okabe and Ito's palette, told apart with any kind of colour vision; further classes are grey.
  const palette = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b5a900"];
  const colour = (number) => palette[number] || "#8c8c8c";
  const shown = new Set(Object.keys(data.points));
  let chosen = null;
  let current = null;
  const points = Object.entries(data.points).flatMap(([modality, places]) =>
    places.flatMap((place, item) =>
      place ? [{ modality, item, x: place[0], y: place[1] }] : []));

  const visible = () => points.filter((point) => shown.has(point.modality));
  const inset = 14;
  const place = (point) => [
    inset + point.x * (canvas.clientWidth - 2 * inset),
    inset + (1 - point.y) * (canvas.clientHeight - 2 * inset),
  ];

  function mark(point, size) {
    const [x, y] = place(point);
    context.beginPath();
    if (point.modality === "image") context.arc(x, y, size, 0, 2 * Math.PI);
    else context.rect(x - size, y - size, 2 * size, 2 * size);
  }

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    context.scale(ratio, ratio);
    for (const point of visible()) {
      const number = data.items[point.item][2];
      const faded = chosen !== null && chosen !== number;
      context.globalAlpha = faded ? 0.12 : 0.8;
      context.fillStyle = context.strokeStyle = colour(number);
      context.lineWidth = 1.5;
      mark(point, faded ? 2 : 3.2);
      if (point.modality === "image") context.fill();
      else context.stroke();
    }
    context.globalAlpha = 1;
    if (current) {
      // The item's two points belong together: join them.
      const pair = visible().filter((point) => point.item === current.item);
      context.strokeStyle = getComputedStyle(document.body).color;
      context.lineWidth = 2;
      context.beginPath();
      pair.forEach((point) => context.lineTo(...place(point)));
      context.stroke();
      pair.forEach((point) => { mark(point, 6); context.stroke(); });
    }
  }

  function show(point) {
    current = point;
    if (point) {
      const [text, path] = data.items[point.item];
      const side = data.side;
      picture.style.cssText = `display:block;width:${side}px;height:${side}px;` +
        `background-image:url(data:image/webp;base64,${data.sheet});background-position:` +
        `-${(point.item % data.columns) * side}px -${Math.floor(point.item / data.columns) * side}px`;
      // Texts of the catalogue are set as text, never as markup.
      caption.replaceChildren();
      const title = document.createElement("b");
      title.textContent = text;
      caption.append(title, document.createElement("br"), path, ` (${point.modality})`);
    }
    draw();
  }

  function nearest(event) {
    const box = canvas.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    let best = null;
    let least = 24 ** 2;
    for (const point of visible()) {
      if (chosen !== null && data.items[point.item][2] !== chosen) continue;
      const [x, y] = place(point);
      const square = (x - left) ** 2 + (y - top) ** 2;
      if (square < least) [least, best] = [square, point];
    }
    return best;
  }

  function step(direction) {
    // The nearest point that lies more in this direction than to the side of it.
    const all = visible();
    if (!current) return all[0];
    const [fromX, fromY] = place(current);
    let best = current;
    let least = Infinity;
    for (const point of all) {
      const [x, y] = place(point);
      const along = (x - fromX) * direction[0] + (y - fromY) * direction[1];
      const aside = Math.abs((x - fromX) * direction[1]) + Math.abs((y - fromY) * direction[0]);
      if (along > 0.5 && along >= aside && along + aside < least) {
        [least, best] = [along + aside, point];
      }
    }
    return best;
  }

  canvas.addEventListener("pointermove", (event) => {
    const point = nearest(event);
    if (point && point !== current) show(point);
  });
  canvas.addEventListener("pointerdown", (event) => show(nearest(event)));
  canvas.addEventListener("keydown", (event) => {
    const directions = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    };
    if (event.key === "Escape") show(null);
    if (!(event.key in directions) || !points.length) return;
    event.preventDefault();
    show(step(directions[event.key]));
  });

  const legend = document.getElementById("legend");
  data.classes.forEach((name, number) => {
    const button = document.createElement("button");
    const dot = document.createElement("i");
    dot.style.background = colour(number);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.append(dot, name);
    button.addEventListener("click", () => {
      chosen = chosen === number ? null : number;
      legend.querySelectorAll("button").forEach((other, position) =>
        other.setAttribute("aria-pressed", String(position === chosen)));
      draw();
    });
    legend.append(button);
  });
  document.querySelectorAll(".choose input").forEach((box) =>
    box.addEventListener("change", () => {
      if (box.checked) shown.add(box.value);
      else shown.delete(box.value);
      current = null;
      draw();
    }));
  new ResizeObserver(draw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
