// The relevance that one method finds, of all models.
const method = document.getElementById("method");
const show = () => {
  for (const part of document.querySelectorAll("[data-method]")) part.hidden = part.dataset.method !== method.value;
};
method?.addEventListener("change", show);
if (method) show(); // a browser may remember another choice
