"use strict";

// Tables: a heading sorts by its column, again the other way round; cells without a value stay last.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headings.forEach((heading, column) => {
    heading.querySelector("button")?.addEventListener("click", () => {
      const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      const figure = heading.classList.contains("figure");
      const value = (row) => row.cells[column].dataset.order;
      const order = (a, b) => (figure ? Number(a) - Number(b) : a.localeCompare(b)) * direction;
      const rows = [...body.rows].sort((one, two) => {
        const a = value(one), b = value(two);
        if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
        return order(a, b);
      });
      body.append(...rows);
    });
  });
}

// Films: all frames are in one picture, of which the screen shows a part.
for (const player of document.querySelectorAll(".player")) {
  const { frames, columns, rows, rate } = Object.fromEntries(
    Object.entries(player.dataset).map(([key, text]) => [key, Number(text)]));
  const [screen, button, slider, clock] = ["screen", "play"].map((name) => player.querySelector("." + name))
    .concat(player.querySelector("input"), player.querySelector("output"));
  const name = button.getAttribute("aria-label").slice("Play ".length);
  const part = (index, count) => (count > 1 ? (100 * index) / (count - 1) : 0) + "%";
  let timer = null;

  const show = () => {
    const frame = Number(slider.value);
    screen.style.backgroundPosition = part(frame % columns, columns) + " " + part(Math.floor(frame / columns), rows);
    clock.value = (frame / rate).toFixed(2) + " s";
    slider.setAttribute("aria-valuetext", `frame ${frame + 1} of ${frames}, ${clock.value}`);
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "▶";
    button.setAttribute("aria-label", "Play " + name);
  };
  button.addEventListener("click", () => {
    if (timer !== null) return stop();
    button.textContent = "❚❚";
    button.setAttribute("aria-label", "Pause " + name);
    timer = setInterval(() => {
      slider.value = (Number(slider.value) + 1) % frames;
      show();
    }, 1000 / rate);
  });
  slider.addEventListener("input", () => { stop(); show(); });
  show();
}

// The clips that one model gets most wrong, or all of them.
const whose = document.getElementById("whose");
whose.addEventListener("change", () => {
  let count = 0;
  for (const clip of document.querySelectorAll(".clip")) {
    clip.hidden = whose.value !== "" && !clip.dataset.worst.split(" ").includes(whose.value);
    count += !clip.hidden;
  }
  document.getElementById("shown").textContent = count + (count === 1 ? " clip" : " clips");
});
