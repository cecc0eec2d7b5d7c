// Sorting, filtering, phase tabs and charts. Every page is complete without it; it needs no network.
'use strict';

const collator = new Intl.Collator('zh-CN', { numeric: true });

// ---- sorting: a header with data-sort gets a button

function cellKey(row, column, kind) {
  const cell = row.cells[column];
  const text = cell.dataset.v ?? cell.textContent.trim();
  if (kind !== 'num') return text;
  const value = parseFloat(text.replace(/[,\s]/g, ''));
  return Number.isNaN(value) ? null : value;
}

function sortBy(header) {
  const table = header.closest('table');
  const column = header.cellIndex;
  const kind = header.dataset.sort;
  const first = header.dataset.first ?? 'ascending';
  const other = first === 'ascending' ? 'descending' : 'ascending';
  const direction = header.getAttribute('aria-sort') === first ? other : first;
  for (const th of header.parentNode.cells) { th.removeAttribute('aria-sort'); th.classList.remove('sorted'); }
  header.setAttribute('aria-sort', direction);
  header.classList.add('sorted');
  const sign = direction === 'ascending' ? 1 : -1;
  const body = table.tBodies[0];
  const keyed = Array.from(body.rows, (row) => [cellKey(row, column, kind), row]);
  // What has no figure stands at the end whichever way the rest is sorted.
  keyed.sort(([a], [b]) => (a === null) - (b === null) || sign * (kind === 'num' ? a - b : collator.compare(a, b)));
  body.append(...keyed.map(([, row]) => row));
}

for (const header of document.querySelectorAll('th[data-sort]')) {
  const button = document.createElement('button');
  button.type = 'button';
  const link = header.querySelector('a');
  // A header that is a link keeps it; its button is the sign beside it.
  if (link) { button.setAttribute('aria-label', `按 ${link.textContent.trim()} 排序`); header.append(button); }
  else { button.append(...header.childNodes); header.append(button); }
  button.addEventListener('click', () => sortBy(header));
}

// ---- a phone shows rows as cards: each cell then says what it is (a grid stays a grid)

for (const table of document.querySelectorAll('table:not(.grid)')) {
  const labels = Array.from(table.tHead.rows[0].cells, (th) => th.textContent.trim());
  for (const row of table.tBodies[0].rows) {
    for (const cell of row.cells) {
      if (cell.tagName === 'TD') cell.dataset.label = labels[cell.cellIndex];
      cell.classList.toggle('blank', cell.textContent.trim() === '—');
    }
  }
}

// ---- filtering: a toolbar names its table; selects compare data attributes, the field looks into the row's text

for (const toolbar of document.querySelectorAll('.toolbar')) {
  const table = document.getElementById(toolbar.dataset.table);
  const field = toolbar.querySelector('input');
  const selects = [...toolbar.querySelectorAll('select')];
  const output = toolbar.querySelector('output');
  const rows = [...table.tBodies[0].rows];
  const filter = () => {
    const words = field.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = words.length ? (row.textContent + ' ' + Object.values(row.dataset).join(' ')).toLowerCase() : '';
      const matches = words.every((word) => text.includes(word))
        && selects.every((s) => !s.value || row.dataset[s.dataset.name] === s.value
          || row.dataset[s.dataset.name].split('|').includes(s.value));
      row.hidden = !matches;
      shown += matches;
    }
    output.textContent = shown === rows.length ? `共 ${rows.length} 行` : `显示 ${shown} / ${rows.length} 行`;
  };
  // A link may say what is to be shown: index.html?town=…
  for (const s of selects) {
    const asked = new URLSearchParams(location.search).get(s.dataset.name);
    if (asked !== null && [...s.options].some((o) => o.value === asked)) s.value = asked;
  }
  toolbar.addEventListener('input', filter);
  filter();
}

// ---- one school, several phases: the newest, or the one the address names

const tabs = document.querySelector('[data-tabs]');
if (tabs) {
  const links = [...tabs.querySelectorAll('a')];
  const parts = [...document.querySelectorAll('.tab')];
  const show = () => {
    const wanted = decodeURIComponent(location.hash.slice(1));
    const target = document.getElementById(wanted);
    const current = parts.find((part) => part === target || part.contains(target)) ?? parts[0];
    for (const part of parts) part.hidden = part !== current;
    for (const link of links) {
      if (link.getAttribute('href') === `#${current.id}`) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
  };
  addEventListener('hashchange', show);
  show();
}

// ---- an address that names a place inside something folded opens it

const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let part = target; part; part = part.parentElement) if (part.tagName === 'DETAILS') part.open = true;
  target.scrollIntoView();
};
addEventListener('hashchange', reveal);
if (location.hash) reveal();

// ---- charts: the specification from charts.js, the data from the page

for (const place of document.querySelectorAll('.chart')) {
  const data = JSON.parse(document.getElementById(place.dataset.source).textContent);
  const specification = structuredClone(window.YOUJUN_CHARTS[place.dataset.chart]);
  const width = Math.max(place.clientWidth - 75, 180);
  // A facet is a row of small charts, each as wide as its specification says: fewer of them fit beside each other on a phone.
  if (specification.facet) {
    const each = (specification.spec.width ?? 200) + 70;
    specification.columns = Math.max(1, Math.min(specification.columns, Math.floor(place.clientWidth / each)));
    if (specification.columns === 1) specification.spec.width = Math.max(place.clientWidth - 75, 150);
  }
  for (const part of specification.facet ? [] : specification.vconcat ?? [specification]) {
    part.width = place.dataset.chart === 'contribution' ? Math.max(width - 120, 110) : width;
  }
  specification.datasets = data;
  // `ast` interprets expressions instead of compiling them, which the pages' security policy forbids.
  window.vegaEmbed(place, specification, { actions: false, renderer: 'svg', ast: true, tooltip: { theme: 'light' } })
    .catch((error) => { place.textContent = '图未能显示，数值见下表。'; console.error(error); });
}

// ---- print with everything open; say which publication this is

addEventListener('beforeprint', () => { for (const d of document.querySelectorAll('details:not(.how)')) d.open = true; });
const publication = window.YOUJUN_PUBLICATION;
if (publication?.publishedAt) {
  document.getElementById('publication').textContent =
    `发布于 ${publication.publishedAt}，统计截止 ${publication.asOf}`;
}
