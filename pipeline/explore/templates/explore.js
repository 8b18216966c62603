"use strict";
// The page works without: here is what a browser can do on top of links and forms.
(() => {
  const byId = (id) => document.getElementById(id);
  const text = byId("text");
  const ask = byId("ask");
  const upload = byId("upload");
  const file = byId("file");
  const help = byId("help");
  const results = [...document.querySelectorAll(".more")];

  // A short address is a better link: what is empty or usual is not said.
  ask.addEventListener("formdata", ({ formData }) => {
    const all = [...formData];
    const { usual } = byId("k").dataset;
    for (const [name] of all) formData.delete(name);
    for (const [name, value] of all) {
      if (value !== "" && (name !== "k" || value !== usual)) formData.append(name, value);
    }
  });

  // What is read out is what changes after the page is there.
  const said = byId("said");
  const words = said.textContent;
  said.textContent = "";
  setTimeout(() => { said.textContent = words; }, 50);

  if (matchMedia("(max-width: 56rem)").matches && !document.querySelector("[aria-invalid]")) {
    byId("filters").open = false;
  }

  byId("class").addEventListener("focus", async () => {
    const list = byId("classes");
    for (const path of await (await fetch("classes")).json()) {
      list.append(new Option("", path));
    }
  }, { once: true });

  // Pictures: chosen, dropped or pasted.
  function send() {
    const [picture] = file.files;
    if (!picture) return;
    file.setCustomValidity(picture.size > Number(file.dataset.most)
      ? `The picture is larger than ${file.dataset.most / 2 ** 20} MB: make it smaller.` : "");
    const asked = new FormData(ask);
    asked.delete("like");
    upload.elements.query.value = new URLSearchParams(asked);
    upload.requestSubmit();
  }
  function take(files) {
    const picture = [...files].find((one) => one.type.startsWith("image/"));
    if (!picture) return false;
    const chosen = new DataTransfer();
    chosen.items.add(picture);
    file.files = chosen.files;
    send();
    return true;
  }
  upload.querySelector("button").hidden = true;
  byId("paste").hidden = false;
  file.addEventListener("change", send);
  document.addEventListener("paste", (event) => {
    if (take(event.clipboardData.files)) event.preventDefault();
  });
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });

  const copy = byId("copy");
  if (copy) {
    copy.hidden = byId("help-button").hidden = false;
    copy.addEventListener("click", async () => {
      const link = new URL(copy.dataset.link, location.href).href;
      try {
        await navigator.clipboard.writeText(link);
        byId("copied").textContent = "Copied.";
      } catch {  // not allowed, or not by https: to be copied by hand
        byId("copied").textContent = link;
      }
    });
    byId("help-button").addEventListener("click", () => help.showModal());
  }

  // Keys of a single letter get in the way of those who speak to their computer.
  const keys = byId("keys");
  keys.checked = localStorage.getItem("keys") !== "off";
  keys.addEventListener("change", () => localStorage.setItem("keys", keys.checked ? "on" : "off"));

  function below(here, direction) {
    const box = here.closest("li").getBoundingClientRect();
    let [best, least] = [here, Infinity];
    for (const other of results) {
      const there = other.closest("li").getBoundingClientRect();
      const down = (there.top - box.top) * direction;
      const apart = down + Math.abs(there.left - box.left) * 10;
      if (down > 1 && apart < least) [best, least] = [other, apart];
    }
    return best;
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const place = results.indexOf(document.activeElement);
    const arrows = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 };
    const letters = { j: 1, k: -1 };
    let next;
    if (event.key in arrows && place >= 0) {
      next = event.key === "ArrowDown" || event.key === "ArrowUp"
        ? below(results[place], arrows[event.key]) : results[place + arrows[event.key]];
    } else if (event.key in letters && keys.checked) {
      next = results[place < 0 ? 0 : place + letters[event.key]];
    } else if (event.key === "/" && keys.checked) {
      event.preventDefault();
      text.focus();
      text.select();
    } else if (event.key === "?" && keys.checked) {
      help.showModal();
    }
    if (next) {
      event.preventDefault();
      next.focus();
      next.closest("li").scrollIntoView({ block: "nearest" });
    }
  });
})();
