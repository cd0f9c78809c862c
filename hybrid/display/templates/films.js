// Films: all frames are in one picture, of which a screen shows a part; all screens of a player show the same frame.
for (const player of document.querySelectorAll(".player")) {
  const { frames, columns, rows, rate } = Object.fromEntries(
    Object.entries(player.dataset).map(([key, text]) => [key, Number(text)]));
  const [button, slider, clock] = [".play", "input", "output"].map((css) => player.querySelector(css));
  const screens = player.querySelectorAll(".screen");
  const name = button.getAttribute("aria-label").slice("Play ".length);
  const part = (index, count) => (count > 1 ? (100 * index) / (count - 1) : 0) + "%";
  let timer = null;

  const show = () => {
    const frame = Number(slider.value);
    const place = part(frame % columns, columns) + " " + part(Math.floor(frame / columns), rows);
    for (const screen of screens) screen.style.backgroundPosition = place;
    player.style.setProperty("--frame", frame);
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
