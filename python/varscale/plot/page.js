"use strict";
(() => {
  const tools = document.querySelector(".tools");
  const box = document.getElementById("search");
  const all = document.getElementById("all");
  const said = document.getElementById("said");
  const kinds = [...document.querySelectorAll("details")].map((details) => ({
    details,
    rows: [...details.querySelectorAll("tbody tr")].map((row) => ({
      row,
      name: row.cells[0].textContent.toLowerCase(),
    })),
  }));
  const total = kinds.reduce((sum, kind) => sum + kind.rows.length, 0);
  tools.hidden = false;

  const find = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    let opened = 0;
    for (const { details, rows } of kinds) {
      let here = 0;
      for (const { row, name } of rows) {
        const fits = words.every((word) => name.includes(word));
        if (row.hidden === fits) row.hidden = !fits;
        here += fits;
      }
      found += here;
      details.hidden = !here;
      if (!words.length) details.open = false;
      else if (here && opened < 200) {
        details.open = true;
        opened += here;
      }
    }
    said.textContent = words.length ? `${found} of ${total} tensors` : "";
  };

  let waiting;
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 120);
  });
  all.addEventListener("click", () => {
    const opens = kinds.some(({ details }) => !details.open);
    for (const { details } of kinds) details.open = opens;
    all.textContent = opens ? "Close all" : "Open all";
  });
})();
