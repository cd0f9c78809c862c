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
