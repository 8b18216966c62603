"use strict";
(async () => {
  const data = await (await fetch("points")).json();
  const canvas = document.getElementById("space");
  const context = canvas.getContext("2d");
  const hover = document.getElementById("hover");
  // Okabe and Ito's palette, told apart with any kind of colour vision; further classes are grey.
  const palette = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b5a900"];
  const colour = (number) => palette[number] || "#8c8c8c";
  const points = data.points.map(([x, y, kind, picture, id, title, path]) =>
    ({ x, y, kind, picture, id, title, path }));
  let chosen = null;
  let current = null;
  document.getElementById("map").hidden = false;

  const inset = 14;
  const place = (point) => [
    inset + point.x * (canvas.clientWidth - 2 * inset),
    inset + (1 - point.y) * (canvas.clientHeight - 2 * inset),
  ];
  function dot(point, size) {
    context.beginPath();
    context.arc(...place(point), size, 0, 2 * Math.PI);
  }
  function draw() {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    context.scale(ratio, ratio);
    for (const point of points) {
      const faded = chosen !== null && chosen !== point.kind;
      context.globalAlpha = faded ? 0.12 : 0.8;
      context.fillStyle = colour(point.kind);
      dot(point, faded ? 2 : 3.2);
      context.fill();
    }
    context.globalAlpha = 1;
    if (current) {
      context.strokeStyle = getComputedStyle(document.body).color;
      context.lineWidth = 2;
      dot(current, 6);
      context.stroke();
    }
  }
  function show(point) {
    current = point;
    if (point) {
      // Texts of the catalogue are set as text, never as markup.
      const title = document.createElement("a");
      title.textContent = point.title || "(no text)";
      title.href = likeAddress(point);
      const picture = new Image();
      picture.alt = "";
      picture.src = `picture/${point.picture}`;
      const words = document.createElement("span");
      words.append(title, document.createElement("br"), point.path);
      hover.replaceChildren(...(point.picture === null ? [words] : [picture, words]));
    }
    draw();
  }
  const likeAddress = (point) => `./?${new URLSearchParams({ like: point.id })}`;
  function nearest(event) {
    const box = canvas.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    let [best, least] = [null, 24 ** 2];
    for (const point of points) {
      if (chosen !== null && point.kind !== chosen) continue;
      const [x, y] = place(point);
      const square = (x - left) ** 2 + (y - top) ** 2;
      if (square < least) [least, best] = [square, point];
    }
    return best;
  }
  canvas.addEventListener("pointermove", (event) => {
    const point = nearest(event);
    if (point && point !== current) show(point);
  });
  // A mouse has shown the point already; a finger shows it first and opens it with its link.
  canvas.addEventListener("click", (event) => {
    const point = nearest(event);
    if (point && event.pointerType === "mouse") location.assign(likeAddress(point));
    else show(point);
  });

  const legend = document.getElementById("legend");
  data.classes.forEach((name, number) => {
    const button = document.createElement("button");
    const mark = document.createElement("i");
    mark.style.background = colour(number);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.append(mark, name);
    button.addEventListener("click", () => {
      chosen = chosen === number ? null : number;
      legend.querySelectorAll("button").forEach((other, position) =>
        other.setAttribute("aria-pressed", String(position === chosen)));
      draw();
    });
    legend.append(button);
  });
  new ResizeObserver(draw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
