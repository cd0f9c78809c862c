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
